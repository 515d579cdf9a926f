import { z } from "zod";
import type { Container } from "../helpers/container.ts";
import { engineFamily, familyOf } from "../helpers/engines.ts";
import { find } from "../helpers/env.ts";
import { share } from "../helpers/networks.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import type { Stack } from "../helpers/stack.ts";
import { isUnknown } from "../helpers/values.ts";
import { resourceRule, stackRule } from "../rule.ts";
import { LARAVEL } from "../settings.ts";
import { onContainer, rolesParam } from "./shared.ts";

const HOST_KEYS = ["DB_HOST", "REDIS_HOST", "REDIS_CACHE_HOST", "MEMCACHED_HOST"];
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\]|0\.0\.0\.0)$/i;

/** The names of Drydock's own servers; any other is the user's. */
const SERVERS: Readonly<Record<string, string>> = {
  DB_HOST: "database",
  REDIS_HOST: "redis",
  REDIS_CACHE_HOST: "redis-cache",
};

/** The setting of the variable that a property is about, which ends in its name where it is in a file. */
function hostSetting(property: string) {
  const [key = "DB_HOST"] = /[A-Z][A-Z_]*_HOST$/.exec(property) ?? [];
  return { path: `env.${key}`, value: SERVERS[key] ?? "SERVICE" };
}

const hosts = z.strictObject({ keys: z.array(z.string()).default(HOST_KEYS) });

export const serviceHostNotLoopback = resourceRule({
  name: "service-host-not-loopback",
  family: "laravel",
  level: "mandatory",
  source: ["incident 11"],
  summary: "DB_HOST and REDIS_HOST are names of services, not localhost.",
  why: "in a container localhost is the container itself: connection refused",
  remedy: 'envs: ["DB_HOST=database"], the alias of the database on a network that both share',
  setting: (_, property) => hostSetting(property),
  bad: 'envs: ["DB_HOST=127.0.0.1"]',
  good: 'envs: ["DB_HOST=database"]',
  types: CONTAINERS,
  params: hosts,
  check: onContainer((container, report, { params }) => {
    for (const key of params.keys) {
      const found = find(container.env, key);
      if (found.is === "undecided" && container.role !== undefined && LARAVEL.includes(container.role))
        report.undecided(found.path);
      else if (found.is === "present" && LOOPBACK.test(found.value.replace(/^([^:]+):\d+$/, "$1")))
        report.violation(found.path, `${key} is the container itself`);
    }
  }),
});

export const serviceHostResolves = stackRule({
  name: "service-host-resolves",
  family: "laravel",
  level: "mandatory",
  source: ["incident 11"],
  summary: "DB_HOST and REDIS_HOST are names on a network that the container shares with the service.",
  why: "a name that no network knows fails only when the first request needs it",
  remedy:
    'networksAdvanced: [{ name: data.name, aliases: ["database"] }] on the database, ' +
    "and the same network on the application",
  setting: (_, property) => hostSetting(property),
  bad: 'app: DB_HOST=mysql, database: aliases ["database"]',
  good: 'app: DB_HOST=database, database: aliases ["database"], both on one network',
  params: hosts,
  check(stack, { params, on }) {
    for (const container of stack.containers) {
      for (const key of params.keys) {
        const found = find(container.env, key);
        // A full name or an address is a server outside of the stack; loopback is another rule's.
        if (found.is !== "present" || /[.:]/.test(found.value) || LOOPBACK.test(found.value)) continue;
        const answer = resolves(stack, container, found.value);
        if (answer === undefined) on(container.resource).undecided(found.path);
        else if (!answer)
          on(container.resource).violation(
            found.path,
            `no container has the name in ${key} on a network that this one shares`,
          );
      }
    }
  },
});

/** Whether a container reaches another one by this name; nothing if that can't be said yet. */
function resolves(stack: Stack, from: Container, host: string): boolean | undefined {
  let open = false;
  for (const container of stack.containers) {
    if (container === from) continue;
    for (const network of container.networks.known) {
      const names = [container.name.value, ...network.value.aliases.known.map(({ value }) => value)];
      const unknownName = network.value.aliases.unknown.length > 0 || isUnknown(container.name.value);
      if (!names.includes(host) && !unknownName) continue;
      const shared = share(from, container, network.value.name);
      if (shared === true && names.includes(host)) return true;
      if (shared !== false) open = true;
    }
    if (container.networks.unknown.length > 0) open = true;
  }
  return open ? undefined : false;
}

export const engineMatchesEnv = stackRule({
  name: "engine-matches-env",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "DB_CONNECTION fits the database that runs in the stack.",
  why: "two days were lost because everybody but the application assumed another kind of database",
  remedy: 'envs: ["DB_CONNECTION=mariadb"] for MariaDB, mysql for MySQL, pgsql for PostgreSQL',
  setting: () => ({ path: "env.DB_CONNECTION", value: "mariadb" }),
  bad: "database: image postgres, app: DB_CONNECTION=mysql",
  good: "database: image mariadb, app: DB_CONNECTION=mariadb",
  params: z.strictObject({ roles: rolesParam(LARAVEL) }),
  check(stack, { params, on }) {
    const databases = stack.withRole("database").map((container) => ({ container, family: engineFamily(container) }));
    const [first] = databases;
    if (first === undefined) return;
    for (const container of stack.withRole(...params.roles)) {
      const report = on(container.resource);
      const found = find(container.env, "DB_CONNECTION");
      if (found.is === "undecided") report.undecided(found.path);
      if (found.is !== "present") continue;
      const wanted = familyOf(found.value);
      if (databases.some(({ family }) => family === wanted && wanted !== undefined)) continue;
      const open = databases.find(({ family }) => family === undefined);
      if (open !== undefined && wanted !== undefined) on(open.container.resource).undecided(open.container.image.path);
      else report.violation(found.path, `DB_CONNECTION does not fit the database in ${first.container.resource.title}`);
    }
  },
});
