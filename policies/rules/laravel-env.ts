import { z } from "zod";
import { stageByName } from "../../config/stage.ts";
import { type Env, find } from "../helpers/env.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { isUnknown } from "../helpers/values.ts";
import { resourceRule, stackRule } from "../rule.ts";
import { LARAVEL, LASTING } from "../settings.ts";
import { demand, envPath, none, noSetting, onContainer, onRoles, rolesParam } from "./shared.ts";

export const envBlockIdentical = stackRule({
  name: "env-block-identical",
  family: "laravel",
  level: "mandatory",
  source: ["incident 1"],
  summary: "All roles of the application have one and the same environment.",
  why: "three deployments failed because a new container started with another environment than the one in the file",
  remedy:
    'build the environment once and give it to every role: const env = {…}; new docker.Container("app", { envs: ' +
    'env }); new docker.Container("horizon", { envs: env })',
  setting: noSetting.environment,
  bad: 'app: envs ["QUEUE_CONNECTION=redis"], horizon: envs ["QUEUE_CONNECTION=sync"]',
  good: "app and horizon: envs: block",
  params: z.strictObject({
    roles: rolesParam(LARAVEL),
    /** Variables that may differ from role to role. */
    ownKeys: z.array(z.string()).default(["CONTAINER_ROLE", "HOSTNAME"]),
  }),
  check(stack, { params, on }) {
    const [reference, ...others] = stack.withRole(...params.roles);
    if (reference === undefined) return;
    for (const container of others) {
      const report = on(container.resource);
      for (const key of new Set([...keys(reference.env), ...keys(container.env)])) {
        if (params.ownKeys.includes(key)) continue;
        const [there, here] = [find(reference.env, key), find(container.env, key)];
        const path = container.env.get(key)?.path ?? envPath(container);
        if (there.is === "undecided" || here.is === "undecided") report.undecided(path);
        else if (here.is !== there.is)
          report.violation(
            path,
            `${key} is ${here.is === "absent" ? "missing or empty" : "set"} here, ` +
              `but ${there.is === "absent" ? "missing or empty" : "set"} in ${reference.resource.title}`,
          );
        else if (here.is === "present" && there.is === "present" && here.value !== there.value)
          report.violation(path, `${key} has another value than in ${reference.resource.title}`);
      }
    }
  },
});

function keys(env: Env): readonly string[] {
  return env.variables.map(({ key }) => key);
}

export const dbConnectionExplicit = resourceRule({
  name: "db-connection-explicit",
  family: "laravel",
  level: "mandatory",
  source: ["incident 2"],
  summary: "DB_CONNECTION is set, and to a server's driver.",
  why: "without DB_CONNECTION Laravel silently took SQLite, and every request failed on a file that did not exist",
  remedy: 'envs: ["DB_CONNECTION=mariadb"] (or mysql, pgsql)',
  setting: () => ({ path: "env.DB_CONNECTION", value: "mariadb" }),
  bad: 'envs: ["DB_HOST=database"]',
  good: 'envs: ["DB_CONNECTION=mariadb", "DB_HOST=database"]',
  types: CONTAINERS,
  params: z.strictObject({
    roles: rolesParam(LARAVEL),
    allowed: z.array(z.string()).min(1).default(["mariadb", "mysql", "pgsql"]),
  }),
  check: onRoles((container, report, { params }) => {
    const found = demand(container, report, "DB_CONNECTION", "DB_CONNECTION is missing");
    if (found !== undefined && !params.allowed.includes(found.value))
      report.violation(found.path, `DB_CONNECTION is none of ${params.allowed.join(", ")}`);
  }),
});

/**
 * The variables of the template in docs/incidents.md; `|` separates the names that Laravel's versions have for one
 * thing.
 */
const TEMPLATE = [
  "APP_ENV",
  "APP_KEY",
  "DB_CONNECTION",
  "DB_HOST",
  "DB_PORT",
  "DB_DATABASE",
  "DB_USERNAME",
  "DB_PASSWORD",
  "REDIS_HOST",
  "REDIS_PASSWORD",
  "QUEUE_CONNECTION",
  "CACHE_STORE|CACHE_DRIVER",
  "SESSION_DRIVER",
];

export const coreEnvComplete = resourceRule({
  name: "core-env-complete",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, checklist"],
  summary: "Every variable of the template is set.",
  why: "one variable after the other was found missing, each by a failed deployment of its own",
  remedy: "add the missing keys to the environment that all roles share",
  setting: () => ({ path: "env.NAME", value: "VALUE" }),
  bad: 'envs: ["APP_ENV=production"]',
  good: "envs with every key of the template",
  types: CONTAINERS,
  params: z.strictObject({
    roles: rolesParam(LASTING),
    /** Keys; `A|B` is satisfied by either. */
    required: z.array(z.string()).default(TEMPLATE),
  }),
  check: onRoles((container, report, { params }) => {
    const missing: string[] = [];
    for (const names of params.required) {
      const found = names.split("|").map((name) => find(container.env, name));
      if (found.some(({ is }) => is === "present")) continue;
      const open = found.find((one) => one.is === "undecided");
      if (open?.is === "undecided") report.undecided(open.path);
      else missing.push(names.replaceAll("|", " or "));
    }
    if (missing.length > 0) report.violation(envPath(container), `missing or empty: ${missing.join(", ")}`);
  }),
});

export const phpredisClient = resourceRule({
  name: "phpredis-client",
  family: "laravel",
  level: "mandatory",
  source: ["incident 5"],
  summary: "REDIS_CLIENT is phpredis, PHP's extension.",
  why: 'with predis Horizon crashed at its start: class "Redis" not found',
  remedy:
    'envs: ["REDIS_CLIENT=phpredis"], and in the Dockerfile: RUN pecl install redis && docker-php-ext-enable redis',
  setting: () => ({ path: "env.REDIS_CLIENT", value: "phpredis" }),
  bad: 'envs: ["REDIS_CLIENT=predis"]',
  good: 'envs: ["REDIS_CLIENT=phpredis"]',
  types: CONTAINERS,
  params: z.strictObject({ roles: rolesParam(LASTING) }),
  check: onRoles((container, report) => {
    const found = demand(container, report, "REDIS_CLIENT", "REDIS_CLIENT is missing");
    if (found !== undefined && found.value !== "phpredis") report.violation(found.path, "REDIS_CLIENT is not phpredis");
  }),
});

/** Stages of a developer's own machine, on which Laravel may show its errors. */
const DEBUGGED = ["local", "testing"];

export const productionMode = resourceRule({
  name: "production-mode",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, checklist"],
  summary: "APP_DEBUG is false unless APP_ENV is local or testing; in production APP_URL is https.",
  why: "debug pages show secrets to every visitor, and links and cookies follow APP_URL",
  remedy: 'envs: ["APP_DEBUG=false", "APP_URL=https://shop.example.com"]',
  setting: (_, property) =>
    /APP_URL|\[2\]/.test(property)
      ? { path: "env.APP_URL", value: "https://shop.example.com" }
      : { path: "env.APP_DEBUG", value: "false" },
  bad: 'envs: ["APP_ENV=Production", "APP_DEBUG=true"]',
  good: 'envs: ["APP_ENV=production", "APP_DEBUG=false", "APP_URL=https://shop.example.com"]',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report, { settings }) => {
    const stage = find(container.env, "APP_ENV");
    const isLaravel = LARAVEL.some((role) => role === container.role);
    if (stage.is === "undecided" && isLaravel) report.undecided(stage.path);
    if (
      stage.is === "undecided" ||
      (stage.is === "absent" && !isLaravel && container.env.get("APP_DEBUG") === undefined)
    )
      return;
    // Laravel's own default is production.
    const name = stage.is === "present" ? stage.value.trim().toLowerCase() : "production";
    const debug = find(container.env, "APP_DEBUG");
    if (debug.is === "undecided") report.undecided(debug.path);
    // Laravel's own default is false, and so is a missing one.
    if (
      debug.is === "present" &&
      !DEBUGGED.includes(name) &&
      !["false", "(false)", "0"].includes(debug.value.trim().toLowerCase())
    ) {
      report.violation(debug.path, "APP_DEBUG is not false, and this is no developer's machine");
    }
    if (
      stage.is !== "present" ||
      stageByName(name) !== "production" ||
      settings.stageOf(container.resource.stack, name) !== "production"
    )
      return;
    const url = demand(container, report, "APP_URL", "APP_URL is missing in production");
    if (url !== undefined && !url.value.toLowerCase().startsWith("https://"))
      report.violation(url.path, "APP_URL is not https in production");
  }),
});

export const envNoConflict = resourceRule({
  name: "env-no-conflict",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "No variable is set twice.",
  why: "a variable came from four places at once, and removing it from one changed nothing",
  remedy: "delete one of the two lines",
  setting: noSetting.environment,
  bad: 'envs: ["DB_HOST=database", "DB_HOST=db"]',
  good: 'envs: ["DB_HOST=database"]',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    const { variables, unknown } = container.env;
    const [seen, plain] = [new Set<string>(), new Map<string, unknown>()];
    for (const { key, value, from, path } of variables) {
      const id = `${from} ${key}`;
      if (seen.has(id)) report.violation(path, `${key} is set twice in the same place`);
      seen.add(id);
      if (from === "plain") plain.set(key, value);
      else if (plain.has(key) && isUnknown(value) !== isUnknown(plain.get(key))) report.undecided(path);
      else if (plain.has(key) && !isUnknown(value) && plain.get(key) !== value)
        report.violation(
          path,
          `${key} has another value in the .env file than in the container's environment, which wins`,
        );
    }
    for (const path of unknown) report.undecided(path);
  }),
});
