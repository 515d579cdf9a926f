import { z } from "zod";
import type { Container } from "../helpers/container.ts";
import { healthEndpoint } from "../helpers/health.ts";
import { isWithin } from "../helpers/mounts.ts";
import { directive, redisSettings } from "../helpers/redis.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { isUnknown, num } from "../helpers/values.ts";
import { resourceRule, stackRule } from "../rule.ts";
import { LARAVEL, ROLES } from "../settings.ts";
import { inGroup, none, noSetting, onContainer, onRoles, rolesParam } from "./shared.ts";

export const codeFromImageOnly = resourceRule({
  name: "code-from-image-only",
  family: "laravel",
  level: "mandatory",
  source: ["incident 6"],
  summary: "The application's code comes from the image: nothing is mounted over it.",
  why: "code in a volume stays old after a deployment, and OPcache keeps the old code even when the files change",
  remedy: "delete the mount and COPY the code in the Dockerfile; only storage and bootstrap/cache may be mounted",
  setting: () => ({ path: 'app.persistent["FOLDER"]', removed: true }),
  bad: 'volumes: [{ hostPath: "/srv/shop", containerPath: "/var/www/html" }]',
  good: 'volumes: [{ volumeName: storage.name, containerPath: "/var/www/html/storage/app" }]',
  types: CONTAINERS,
  params: z.strictObject({
    roles: rolesParam(LARAVEL),
    writable: z.array(z.string()).default(["storage", "bootstrap/cache"]),
  }),
  check: onRoles((container, report, { params }) => {
    const folders = codeFolders(container);
    const kept = (container.settings.facts?.persistent ?? []).filter((path) => !CODE.has(path.split("/")[0]!));
    const open = folders.flatMap((folder) => [...params.writable, ...kept].map((path) => `${folder}/${path}`));
    for (const {
      value: { target },
      path,
    } of container.mounts.known) {
      if (isUnknown(target)) report.undecided(target.path);
      if (typeof target !== "string" || open.some((folder) => isWithin(target, folder))) continue;
      if (folders.some((folder) => isWithin(target, folder) || isWithin(folder, target)))
        report.violation(path, "is mounted over the application's code");
    }
    for (const path of container.mounts.unknown) report.undecided(path);
  }),
});

/** Folders of a Laravel application that hold code: none of them is kept over a release, whatever the settings say. */
const CODE = new Set(["app", "bootstrap", "config", "database", "lang", "resources", "routes", "vendor"]);

/** Where a container's code can be: the working directory, if it is said, else the usual places. */
function codeFolders(container: Container): readonly string[] {
  const { value } = container.workingDir;
  return typeof value === "string" && value !== "/" && value !== ""
    ? [value, ...container.settings.appPaths]
    : container.settings.appPaths;
}

const LOCALHOST = /(:\/\/)localhost(?=[:/?#\s"']|$)|(^|[\s"'=])localhost(?=:\d)/g;

export const healthcheckIpv4 = resourceRule({
  name: "healthcheck-ipv4",
  family: "laravel",
  level: "remediate",
  source: ["incident 7"],
  summary: "A health check asks 127.0.0.1, not localhost.",
  why:
    "localhost was ::1 first, where nobody listened: the check ran into its time limit and the container stayed in " +
    "starting",
  remedy: 'healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1/up"] }',
  setting: (group) =>
    group === "services"
      ? { path: "services.NAME.health", value: `'["wget","-q","-O","-","http://127.0.0.1:PORT/"]'` }
      : undefined,
  bad: 'tests: ["CMD", "wget", "--spider", "http://localhost/up"]',
  good: 'tests: ["CMD", "wget", "--spider", "http://127.0.0.1/up"]',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    for (const { value, path } of container.healthTests.known)
      if (value.search(LOCALHOST) >= 0) report.violation(path, "the health check asks localhost");
    for (const path of container.healthTests.unknown) report.undecided(path);
  }),
  fix(props, type) {
    let tests: unknown;
    try {
      const owner = type.includes("service")
        ? (props as { taskSpec?: { containerSpec?: Props } }).taskSpec?.containerSpec
        : (props as Props);
      tests = owner?.healthcheck?.tests;
    } catch {
      return false; // Not known yet; the check says so.
    }
    if (!Array.isArray(tests)) return false;
    let changed = false;
    for (let i = 0; i < tests.length; i++) {
      let test: unknown;
      try {
        test = tests[i];
      } catch {
        continue;
      }
      if (typeof test !== "string" || test.search(LOCALHOST) < 0) continue;
      tests[i] = test.replace(LOCALHOST, "$1$2127.0.0.1");
      changed = true;
    }
    return changed;
  },
});

interface Props {
  healthcheck?: { tests?: unknown[] };
}

export const healthcheckEndpoint = resourceRule({
  name: "healthcheck-endpoint",
  family: "laravel",
  level: "mandatory",
  source: ["incident 8"],
  summary:
    "The application's health check asks a port and a path: the configured ones, " +
    "where Drydock's settings or this rule's say them.",
  why: "a check copied from another project asked port 8081 and /health, which nobody served",
  remedy: 'healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1/up"] }, or set ports and path of this rule',
  setting: (_, property) => (property.startsWith("option") ? undefined : { path: "app.healthPath", value: "/up" }),
  bad: 'tests: ["CMD", "curl", "-f", "http://127.0.0.1:8081/health"]',
  good: 'tests: ["CMD", "curl", "-f", "http://127.0.0.1/up"]',
  types: CONTAINERS,
  params: z.strictObject({
    roles: rolesParam(["app"]),
    /** Ports; left out, the one of Drydock's settings, or any. */
    ports: z.array(z.number().int()).optional(),
    /** Path; left out, that of Drydock's settings, or any. */
    path: z.string().startsWith("/").optional(),
  }),
  check: onRoles((container, report, { params, settings: { facts } }) => {
    const { known, unknown } = container.healthTests;
    for (const path of unknown) report.undecided(path);
    const endpoint = healthEndpoint(known);
    // Whether there is a check at all is another rule's question.
    if (known.length === 0 || known[0]?.value === "NONE") return;
    const ports = params.ports ?? (facts === undefined ? undefined : [facts.health.port]);
    const path = params.path ?? facts?.health.path;
    if (endpoint === undefined) {
      const expected =
        ports === undefined && path === undefined
          ? ""
          : `; expected ${path ?? "any path"} at port ${ports?.join(" or ") ?? "of any number"}`;
      if (unknown.length === 0)
        report.violation(container.path("healthcheck.tests"), `the health check asks no port and path${expected}`);
      return;
    }
    if (ports !== undefined && !ports.includes(endpoint.port))
      report.violation(endpoint.at, `the health check asks another port than ${ports.join(" or ")}`);
    if (path !== undefined && endpoint.path !== path)
      report.violation(endpoint.at, `the health check asks another path than ${path}`);
  }),
});

export const nonRootUid = resourceRule({
  name: "non-root-uid",
  family: "laravel",
  level: "mandatory",
  source: ["incident 9", "incidents, forty-eight hours", "D4.1", "CK_DOCKER_8"],
  summary:
    "A container runs as a user that is named and not root: the configured one, where Drydock's settings or this " +
    "rule's say it.",
  why: "the container ran as one uid and the files belonged to another: permission denied on every compiled view",
  remedy: 'user: "1000:1000" (the uid that owns the files), or set the rule\'s uids',
  setting: (group) => inGroup(group, "uid", "1000"),
  bad: 'no user, or user: "root"',
  good: 'user: "1000:1000"',
  production: "The user is known in the preview.",
  types: CONTAINERS,
  params: z.strictObject({
    /** uid by role; left out, those of Drydock's settings, or any. */
    uids: z.partialRecord(z.enum(ROLES), z.number().int().positive()).default({}),
  }),
  check: onContainer((container, report, { params, settings: { facts } }) => {
    const { value, path } = container.user;
    if (isUnknown(value)) return report.mustKnow(path);
    const user = (value ?? "").split(":")[0]!.trim();
    if (user === "") return report.violation(path, "no user is set, and an image's own may be root");
    if (user.toLowerCase() === "root" || Number(user) === 0) return report.violation(path, "runs as root");
    const expected = container.role === undefined ? undefined : { ...facts?.uids, ...params.uids }[container.role];
    if (expected !== undefined && num(user) !== expected)
      report.violation(path, `is not the uid of role ${container.role}, ${expected}`);
  }),
});

export const laravelUidIdentical = stackRule({
  name: "laravel-uid-identical",
  family: "laravel",
  level: "mandatory",
  source: ["incident 9"],
  summary: "All roles of the application run as one user.",
  why: "they share storage: what one of them writes, the others must be able to read and to delete",
  remedy: 'give every role the same user: user: "1000:1000"',
  setting: () => ({ path: "app.uid", value: "1000" }),
  bad: 'app: user "1000", horizon: user "33"',
  good: 'app and horizon: user "1000:1000"',
  params: z.strictObject({ roles: rolesParam(LARAVEL) }),
  check(stack, { params, on }) {
    let first: { readonly title: string; readonly user: string } | undefined;
    for (const container of stack.withRole(...params.roles)) {
      const { value, path } = container.user;
      if (isUnknown(value)) on(container.resource).undecided(path);
      // Whether there is a user at all is another rule's question.
      if (isUnknown(value) || value === undefined || value === "") continue;
      const user = value.split(":")[0]!;
      first ??= { title: container.resource.title, user };
      if (user !== first.user) on(container.resource).violation(path, `is another user than that of ${first.title}`);
    }
  },
});

export const storageWritable = resourceRule({
  name: "storage-writable",
  family: "laravel",
  level: "mandatory",
  source: ["incident 9"],
  summary: "Where the root is read-only, storage and bootstrap/cache are volumes or tmpfs.",
  why: "Laravel writes compiled views, logs and caches; without a place for them every page is an error 500",
  remedy:
    'tmpfs: { "/var/www/html/storage/framework": "uid=1000", "/var/www/html/storage/logs": "uid=1000", ' +
    '"/var/www/html/bootstrap/cache": "uid=1000" }',
  setting: noSetting.container,
  bad: "readOnly: true and no mounts",
  good: "readOnly: true with tmpfs for storage and bootstrap/cache",
  types: CONTAINERS,
  params: z.strictObject({
    roles: rolesParam(LARAVEL),
    folders: z.array(z.string()).default(["storage/framework", "storage/logs", "bootstrap/cache"]),
  }),
  check: onRoles((container, report, { params }) => {
    if (isUnknown(container.readOnly.value)) return report.undecided(container.readOnly.path);
    if (container.readOnly.value !== true) return;
    const { known, unknown } = container.mounts;
    const targets = known
      .filter(({ value }) => value.readOnly !== true && value.type !== "bind")
      .map(({ value }) => value.target);
    const missing = params.folders.filter(
      (folder) =>
        !codeFolders(container).some((code) =>
          targets.some(
            (target) => typeof target === "string" && target !== "/" && isWithin(`${code}/${folder}`, target),
          ),
        ),
    );
    const open = [...unknown, ...targets.filter(isUnknown).map(({ path }) => path)];
    if (missing.length > 0 && open.length > 0) for (const path of open) report.undecided(path);
    else if (missing.length > 0)
      report.violation(container.readOnly.path, `the root is read-only, and not writable: ${missing.join(", ")}`);
  }),
});

export const redisPersistent = resourceRule({
  name: "redis-persistent",
  family: "laravel",
  level: "mandatory",
  source: ["incident 13"],
  summary: "Redis writes to disk, on a volume.",
  why: "after a restart sessions, queued jobs and the maintenance page's settings were gone",
  remedy:
    'command: ["redis-server", "--appendonly", "yes"], mounts: [{ type: "volume", source: volume.name, target: ' +
    '"/data" }]',
  setting: noSetting.container,
  bad: 'command: ["redis-server", "--save", ""] without a volume',
  good: "appendonly yes, and a volume at /data",
  types: CONTAINERS,
  params: z.strictObject({ data: z.string().startsWith("/").default("/data") }),
  check: onContainer((container, report, { params }) => {
    if (container.role !== "redis") return;
    const settings = redisSettings(container);
    const [save, appendonly] = [directive(settings, "save"), directive(settings, "appendonly")];
    const persistent = appendonly?.value === "yes" || (save !== undefined && /\d/.test(save.value));
    if (!persistent && settings.unknown.length > 0) for (const path of settings.unknown) report.undecided(path);
    else if (!persistent)
      report.violation(
        (appendonly ?? save)?.path ?? container.path("command", "taskSpec.containerSpec.args"),
        "neither save nor appendonly is set",
      );
    const data = directive(settings, "dir")?.value ?? params.data;
    const { known, unknown } = container.mounts;
    const holds = known.some(
      ({ value }) =>
        value.type !== "tmpfs" &&
        value.readOnly !== true &&
        typeof value.target === "string" &&
        value.target !== "/" &&
        isWithin(data, value.target),
    );
    const open = [
      ...unknown,
      ...known
        .map(({ value }) => value.target)
        .filter(isUnknown)
        .map(({ path }) => path),
    ];
    if (!holds && open.length > 0) for (const path of open) report.undecided(path);
    else if (!holds) report.violation(container.path("mounts"), "no volume holds Redis's data");
  }),
});

export const knownRole = resourceRule({
  name: "known-role",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "The role in a container's label is one that these rules know.",
  why: "with a misspelt role (apps) no rule for Laravel applied any more, and nothing said so",
  remedy: 'labels: [{ label: "drydock.role", value: "app" }]; or list a role of your own in pack-settings.ownRoles',
  setting: noSetting.container,
  bad: 'labels: [{ label: "drydock.role", value: "apps" }]',
  good: 'labels: [{ label: "drydock.role", value: "app" }]',
  production: "It is known in the preview.",
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report, { settings }) => {
    const value = container.label(settings.roleLabel);
    if (isUnknown(value)) report.mustKnow("labels");
    else if (value !== undefined && ![...ROLES, ...settings.ownRoles].includes(value))
      report.violation("labels", `${settings.roleLabel} is none of ${[...ROLES, ...settings.ownRoles].join(", ")}`);
    const { known, unknown } = container.labels;
    for (const { path } of known.filter(({ value: [key] }) => key === settings.roleLabel).slice(1))
      report.violation(path, `${settings.roleLabel} is there twice`);
    if (value === undefined) for (const path of unknown) report.mustKnow(path);
  }),
});

export const databasePersistent = resourceRule({
  name: "database-persistent",
  family: "laravel",
  level: "mandatory",
  source: ["incident 13"],
  summary: "A database writes to a volume.",
  why: "what is in the container itself, or in memory, is gone with the next image",
  remedy: 'mounts: [{ type: "volume", source: volume.name, target: "/var/lib/mysql" }]',
  setting: noSetting.container,
  bad: "database without mounts",
  good: "a volume at /var/lib/mysql",
  types: CONTAINERS,
  params: z.strictObject({
    /** Folders in which databases keep their data. */
    data: z
      .array(z.string().startsWith("/"))
      .default([
        "/var/lib/mysql",
        "/var/lib/postgresql/data",
        "/var/lib/postgresql",
        "/bitnami/mariadb",
        "/bitnami/mysql",
        "/bitnami/postgresql",
        "/data",
      ]),
  }),
  check: onContainer((container, report, { params }) => {
    if (container.role !== "database") return;
    const { known, unknown } = container.mounts;
    const lasting = known.filter(({ value }) => value.type !== "tmpfs" && value.readOnly !== true);
    const holds = lasting.some(
      ({ value: { target } }) =>
        typeof target === "string" &&
        target !== "/" &&
        params.data.some((folder) => isWithin(folder, target) || isWithin(target, folder)),
    );
    if (holds) return;
    const open = [
      ...unknown,
      ...lasting
        .map(({ value }) => value.target)
        .filter(isUnknown)
        .map(({ path }) => path),
    ];
    if (open.length > 0) for (const path of open) report.undecided(path);
    else report.violation(container.path("mounts"), "no volume holds the database's data");
  }),
});
