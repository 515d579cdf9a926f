import { z } from "zod";
import {
  callsArtisan,
  commandTexts,
  isImageReference,
  migrates,
  RUNNERS,
  triggers,
  variables,
} from "../helpers/commands.ts";
import { COMMANDS, CONTAINER, CONTAINERS, type Resource, SERVICE } from "../helpers/resources.ts";
import type { Stack } from "../helpers/stack.ts";
import { num, propertyAt, text } from "../helpers/values.ts";
import { resourceRule, stackRule } from "../rule.ts";
import type { Settings } from "../settings.ts";
import { inGroup, none, noSetting, onCommands, onRoles, rolesParam, titles } from "./shared.ts";

export const noComposeNoRecreate = resourceRule({
  name: "no-compose-no-recreate",
  family: "laravel",
  level: "mandatory",
  source: ["incident 1"],
  summary: "No command uses docker compose's --no-recreate.",
  why: "with --no-recreate new containers started with the environment from before the change, and nothing said so",
  remedy: "leave --no-recreate out, or let Pulumi replace the containers whose environment changed",
  setting: noSetting.commands,
  bad: 'create: "docker compose up -d --scale app=2 --no-recreate"',
  good: 'create: "docker compose up -d --scale app=2"',
  types: RUNNERS,
  params: none,
  check: onCommands((line, path, report) => {
    if (/--no-recreate\b/.test(line)) report.violation(path, "the command uses --no-recreate");
  }),
});

export const artisanCommandTriggers = resourceRule({
  name: "artisan-command-triggers",
  family: "laravel",
  level: "mandatory",
  source: ["incident 6", "incident 10"],
  summary: "A command that runs artisan runs again when the image changes.",
  why: "caches and migrations that ran for the old code were kept for the new one",
  remedy: "triggers: [image.repoDigest], or the image among the variables in environment",
  setting: noSetting.commands,
  bad: 'create: "docker exec app php artisan migrate --force" without triggers',
  good: "the same with triggers: [image.repoDigest]",
  types: COMMANDS,
  params: none,
  check(resource, report, { settings }) {
    const texts = commandTexts(resource, settings, ["create", "update"]);
    for (const path of texts.unknown) report.undecided(path);
    if (!texts.known.some(({ value }) => callsArtisan(value, "[a-z][\\w:-]*"))) return;
    // Another variable is an update, which runs `create` again unless `update` is something else.
    const updates = texts.known.find(({ path }) => path === "update");
    const again =
      updates === undefined || callsArtisan(updates.value, "[a-z][\\w:-]*") ? variables(resource).known : [];
    const { known, unknown } = triggers(resource);
    // A trigger that is not known yet comes from another resource, and changes with it.
    const follows =
      unknown.length > 0 ||
      [...known, ...again].some(({ value }) => isImageReference(value)) ||
      texts.known.some(({ value }) => /@sha256:[a-f0-9]{64}/.test(value));
    if (!follows)
      report.violation("triggers", "the command runs artisan, but neither a trigger nor a variable is an image");
  },
});

export const configCacheAfterStart = stackRule({
  name: "config-cache-after-start",
  family: "laravel",
  level: "mandatory",
  source: ["incident 10"],
  summary: "The configuration is cached at the start: after config:clear, and after the migration.",
  why:
    "config:cache freezes what the variables are at that moment: cached too early, " +
    "the application kept the old database",
  remedy:
    "run `php artisan config:clear && php artisan config:cache` when the container starts, with dependsOn: [migration]",
  setting: noSetting.commands,
  bad: 'create: "docker exec app php artisan config:cache"',
  good:
    "create: \"docker exec app sh -c 'php artisan config:clear && php artisan config:cache'\", dependsOn: " +
    "[migration]",
  params: none,
  check(stack, { settings, on }) {
    const runners = runnersOf(stack, settings);
    const migrations = runners.filter(({ texts }) => texts.some(({ value }) => migrates(value)));
    for (const { resource, texts } of runners) {
      for (const { value, path } of texts) {
        const cached = position(value, "config:cache|optimize");
        if (cached < 0) continue;
        const cleared = position(value, "config:clear|optimize:clear");
        if (cleared < 0 || cleared > cached)
          on(resource).violation(path, "config:cache runs without config:clear before it");
        const before = stack.upstreamOf(resource);
        const late = migrations.filter(
          (migration) => migration.resource !== resource && !before.has(migration.resource.urn),
        );
        if (late.length > 0)
          on(resource).violation(
            path,
            `config:cache runs without waiting for the migration in ${titles(late.map((one) => one.resource))}`,
          );
        const migrated = position(value, "migrate");
        if (migrated > cached) on(resource).violation(path, "config:cache runs before the migration");
      }
    }
  },
});

function position(command: string, names: string): number {
  return new RegExp(`\\bartisan["']?\\s+["']?(?:${names})(?![\\w:-])`).exec(command)?.index ?? -1;
}

function runnersOf(stack: Stack, settings: Settings) {
  return stack
    .ofType(...RUNNERS)
    .map((resource) => ({ resource, texts: commandTexts(resource, settings, ["create", "update"]).known }));
}

export const noArtisanDown = resourceRule({
  name: "no-artisan-down",
  family: "laravel",
  level: "advisory",
  source: ["incident 12"],
  summary: "No deployment takes the site down with artisan down.",
  why:
    "the old container could not write the maintenance file, so the deployment that would have fixed it never " +
    "began",
  remedy: "delete the command: successors become healthy before the old ones go",
  setting: noSetting.commands,
  bad: 'create: "docker exec app php artisan down"',
  good: "replicas with deleteBeforeReplace: false and wait: true",
  types: RUNNERS,
  params: none,
  check: onCommands((line, path, report) => {
    if (callsArtisan(line, "down")) report.violation(path, "the command runs artisan down");
  }),
});

export const webNoDeleteBeforeReplace = resourceRule({
  name: "web-no-delete-before-replace",
  family: "laravel",
  level: "mandatory",
  source: ["incident 12"],
  summary: "A replica goes only after its successor is healthy.",
  why:
    "left to its default, the provider deletes a container first: 3,356 of 4,861 requests failed in one measured " +
    "release",
  remedy:
    "new docker.Container(name, args, { deleteBeforeReplace: false }), written out; for a service updateConfig: " +
    '{ order: "start-first" }',
  setting: noSetting.container,
  bad: 'new docker.Container("app", args)',
  good: 'new docker.Container("app", args, { deleteBeforeReplace: false })',
  types: CONTAINERS,
  params: z.strictObject({ roles: rolesParam(["app"]) }),
  check: onRoles((container, report) => {
    if (container.isService) {
      const order = { path: "updateConfig.order", value: text(container.raw("updateConfig.order")) };
      report.expect(order, (value) => value === "start-first", "the old task stops before its successor has started");
    } else if (container.resource.deleteBeforeReplace !== false) {
      report.violation(
        "option deleteBeforeReplace",
        container.resource.deleteBeforeReplace === undefined
          ? "is not written out, and the provider's default is true"
          : "is true",
      );
    }
  }),
});

export const singleScheduler = stackRule({
  name: "single-scheduler",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, one scheduler"],
  summary: "A stack with the application has exactly one scheduler.",
  why: "two schedulers run every task twice, none runs no task at all",
  remedy: "one container with the label drydock.role=scheduler, not one a replica",
  setting: () => ({ path: "scheduler.enabled", value: "true" }),
  bad: "app-1 and app-2, each with a scheduler",
  good: "one scheduler container",
  params: z.strictObject({
    /** 0 where an application has no scheduled tasks; left out, as Drydock's settings say, or 1. */
    least: z.number().int().min(0).max(1).optional(),
  }),
  check(stack, { params, settings: { facts }, on }) {
    const schedulers = stack.containers.filter(
      (container) =>
        container.role === "scheduler" ||
        container.commandLine.known.some(({ value }) => /\bschedule:(work|run)\b/.test(value)),
    );
    for (const scheduler of schedulers.slice(1))
      on(scheduler.resource).violation("role", `is a second scheduler beside ${titles([schedulers[0]!.resource])}`);
    for (const { resource, raw } of schedulers
      .filter((one) => one.isService)
      .map((one) => ({ resource: one.resource, raw: one.raw("mode.replicated.replicas") }))) {
      const path = "mode.replicated.replicas";
      on(resource).expect(
        { path, value: num(raw) },
        (value) => value === undefined || value <= 1,
        "more than one scheduler would run",
      );
    }
    for (const { resource } of schedulers.filter(
      (one) => one.isService && propertyAt(one.resource.props, "mode", "global") === true,
    ))
      on(resource).violation("mode.global", "a scheduler would run on every machine");
    const [app] = stack.withRole("app");
    if (schedulers.length < (params.least ?? facts?.counts.scheduler ?? 1) && app !== undefined)
      on(app.resource).violation("role", "the stack has the application, but no scheduler");
  },
});

export const noDestructiveArtisan = resourceRule({
  name: "no-destructive-artisan",
  family: "laravel",
  level: "mandatory",
  source: ["incident 13", "incidents, forty-eight hours"],
  summary: "No command runs migrate:fresh, migrate:refresh, migrate:reset or db:wipe.",
  why: "a rollback procedure ran migrate:fresh and so began by deleting every table",
  remedy: "php artisan migrate --force, and restore a backup to go back",
  setting: (group) =>
    ["app", "horizon", "workers", "services"].includes(group)
      ? inGroup(group, "command", `'["WORD","WORD"]'`)
      : undefined,
  bad: 'create: "docker exec app php artisan migrate:fresh --seed"',
  good: 'create: "docker exec app php artisan migrate --force"',
  types: RUNNERS,
  params: none,
  check: onCommands((line, path, report) => {
    for (const name of ["migrate:fresh", "migrate:refresh", "migrate:reset", "db:wipe"])
      if (callsArtisan(line, name)) report.violation(path, `the command runs ${name}`);
  }),
});

export const backupBeforeMigrate = stackRule({
  name: "backup-before-migrate",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "The migration depends on a backup.",
  why: "a change without a backup before it left nothing to go back to",
  remedy: "dependsOn: [backup] on the resource that migrates",
  setting: noSetting.commands,
  bad: "a migration that depends on the database only",
  good: 'new command.local.Command("migrate", args, { dependsOn: [backup] })',
  params: z.strictObject({
    /** Pattern of a command that backs up. */
    command: z
      .string()
      .default(
        "\\b(mysqldump|mariadb-dump|mariadb-backup|mariabackup|xtrabackup|" +
          "pg_dump|pg_dumpall|restic\\s+backup|backup:run)\\b",
      ),
  }),
  check(stack, { params, settings, on }) {
    const pattern = new RegExp(params.command);
    const runners = runnersOf(stack, settings);
    const backups = runners.filter(
      ({ resource, texts }) => texts.some(({ value }) => pattern.test(value)) || isBackup(resource, settings),
    );
    for (const { resource, texts } of runners) {
      const migration = texts.find(({ value }) => migrates(value));
      if (migration === undefined || pattern.test(migration.value.slice(0, position(migration.value, "migrate"))))
        continue;
      const before = stack.upstreamOf(resource);
      if (!backups.some((backup) => before.has(backup.resource.urn)))
        on(resource).violation("option dependsOn", "the migration depends on no backup");
    }
  },
});

function isBackup(resource: Resource, settings: Settings): boolean {
  return settings.roleOf(resource.name) === "backup" && resource.type !== CONTAINER && resource.type !== SERVICE;
}
