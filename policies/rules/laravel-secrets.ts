import { z } from "zod";
import type { Container } from "../helpers/container.ts";
import { find, isSecretName } from "../helpers/env.ts";
import { requirepass, sha256, told } from "../helpers/redis.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { isKnownDefault, passwordFiles, sameServer, tooSimple } from "../helpers/secrets.ts";
import { isUnknown } from "../helpers/values.ts";
import { resourceRule, stackRule } from "../rule.ts";
import { LASTING } from "../settings.ts";
import { APP_KEY, demand, noSetting, onContainer, onRoles, PASSWORD, rolesParam } from "./shared.ts";

export const redisPasswordEveryRole = resourceRule({
  name: "redis-password-every-role",
  family: "laravel",
  level: "mandatory",
  source: ["incident 3"],
  summary: "app, horizon and scheduler all have REDIS_PASSWORD.",
  why: "only the app had the password: Horizon was refused by Redis, logged it, and stayed healthy",
  remedy: "put REDIS_PASSWORD into the environment that all roles share",
  setting: () => ({ path: "env.REDIS_PASSWORD", from: PASSWORD }),
  bad: "horizon without REDIS_PASSWORD",
  good: "one .env file with REDIS_PASSWORD, uploaded to every role",
  types: CONTAINERS,
  params: z.strictObject({ roles: rolesParam(LASTING) }),
  check: onRoles((container, report) => {
    const found = demand(container, report, "REDIS_PASSWORD", "REDIS_PASSWORD is missing");
    if (found !== undefined && ["null", "(null)", "(empty)"].includes(found.value))
      report.violation(found.path, "REDIS_PASSWORD is null to Laravel");
  }),
});

export const redisPasswordMatchesServer = stackRule({
  name: "redis-password-matches-server",
  family: "laravel",
  level: "mandatory",
  source: ["incident 3"],
  summary: "The clients' REDIS_PASSWORD is the server's: its requirepass, or what a command gives it with ACL SETUSER.",
  why: "Redis demanded a password that its clients did not have: NOAUTH, with every container still healthy",
  remedy: 'use one value for both: const password = config.requireSecret("redisPassword")',
  setting: noSetting.environment,
  bad: "redis: --requirepass from one secret, app: REDIS_PASSWORD from another",
  good: "both from one value",
  params: z.strictObject({ roles: rolesParam(LASTING) }),
  check(stack, { params, settings, on }) {
    const servers = stack.withRole("redis");
    const [first] = servers;
    if (first === undefined) return;
    const commands = told(stack, settings);
    for (const { command, hashes } of commands) if (isUnknown(hashes)) on(command).undecided(hashes.path);
    const taken = servers.map((server) => {
      const password = requirepass(server);
      if (typeof password === "string") return [sha256(password)];
      if (isUnknown(password)) on(server.resource).undecided(password.path);
      else if (commands.length === 0)
        on(server.resource).violation(server.path("command"), "the server demands no password (requirepass)");
      else if (!commands.some(({ hashes }) => isUnknown(hashes)))
        return commands.flatMap(({ hashes }) => (isUnknown(hashes) ? [] : (hashes ?? [])));
      return undefined;
    });
    for (const client of stack.withRole(...params.roles)) {
      const found = find(client.env, "REDIS_PASSWORD");
      if (found.is === "undecided") on(client.resource).undecided(found.path);
      else if (
        found.is === "present" &&
        !taken.some((hashes) => hashes === undefined || hashes.includes(sha256(found.value)))
      )
        on(client.resource).violation(found.path, `REDIS_PASSWORD is not the password of ${first.resource.title}`);
    }
  },
});

export const appKeyEveryRole = resourceRule({
  name: "app-key-every-role",
  family: "laravel",
  level: "mandatory",
  source: ["incident 4"],
  summary: "app, horizon and scheduler all have an APP_KEY of 32 bytes.",
  why: "without APP_KEY every page was an error 500, and workers can't read encrypted jobs",
  remedy:
    "create one with `printf 'base64:%s' \"$(openssl rand -base64 32)\"` and put it into the environment that " +
    "all roles share",
  setting: () => ({ path: "env.APP_KEY", from: APP_KEY }),
  bad: "scheduler without APP_KEY",
  good: "one .env file with APP_KEY=base64:…, uploaded to every role",
  types: CONTAINERS,
  params: z.strictObject({ roles: rolesParam(LASTING) }),
  check: onRoles((container, report) => {
    const found = demand(container, report, "APP_KEY", "APP_KEY is missing");
    if (found !== undefined && !isKey(found.value)) report.violation(found.path, "APP_KEY is not base64: and 32 bytes");
  }),
});

function isKey(value: string): boolean {
  return (
    /^base64:[A-Za-z0-9+/]+={0,2}$/.test(value) && Buffer.from(value.slice("base64:".length), "base64").length === 32
  );
}

export const appKeyIdentical = stackRule({
  name: "app-key-identical",
  family: "laravel",
  level: "mandatory",
  source: ["incident 4"],
  summary: "All roles have the same APP_KEY.",
  why: "what one role encrypts, sessions, cookies and jobs, another must be able to read",
  remedy: "put one APP_KEY into the environment that all roles share",
  setting: noSetting.environment,
  bad: "app and horizon with an APP_KEY each",
  good: "one value for all roles",
  params: z.strictObject({ roles: rolesParam([...LASTING, "migrate"]) }),
  check(stack, { params, on }) {
    let first: { readonly container: Container; readonly value: string } | undefined;
    for (const container of stack.withRole(...params.roles)) {
      const found = find(container.env, "APP_KEY");
      if (found.is === "undecided") on(container.resource).undecided(found.path);
      if (found.is !== "present") continue;
      first ??= { container, value: found.value };
      if (found.value !== first.value)
        on(container.resource).violation(found.path, `APP_KEY differs from that of ${first.container.resource.title}`);
    }
  },
});

const LEAST = 32;

export const strongSecrets = resourceRule({
  name: "strong-secrets",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, checklist"],
  summary: "Own passwords have 32 characters or more; none is a known default, a placeholder, or used twice.",
  why: "database and Redis stood open to the internet once, and a short or default password was then the only lock",
  remedy: "openssl rand -hex 24, a new one for each",
  setting: () => ({ path: "env.NAME", from: PASSWORD }),
  bad: "DB_PASSWORD=secret",
  good: "DB_PASSWORD with 48 random characters",
  types: CONTAINERS,
  params: z.strictObject({
    /** Pattern of the keys whose length is ours to choose; what others issue has the length it has. */
    ours: z.string().default("^(DB|DATABASE|REDIS|MYSQL|MARIADB|POSTGRES|REVERB)(_.*)?_(PASSWORD|SECRET)$"),
  }),
  check: onContainer((container, report, { params, settings: { facts } }) => {
    const ours = new RegExp(params.ours);
    // These an application that moves here may bring along: Drydock's settings have judged them, and in production
    // somebody accepted them.
    const judged =
      facts === undefined
        ? []
        : ["DB_PASSWORD", "REDIS_PASSWORD", ...(container.role === "database" ? ["password"] : [])];
    const secrets = [
      ...container.env.variables
        .filter(({ key }) => isSecretName(key) && key !== "APP_KEY")
        .map((variable) => ({ ...variable, ours: ours.test(variable.key) })),
      ...passwordFiles(container).map((file) => ({ ...file, ours: true })),
    ];
    const seen = new Map<string, string>();
    for (const { key, value, path, ours: own } of secrets) {
      if (isUnknown(value)) report.undecided(path);
      if (typeof value !== "string" || value === "" || value === "null" || judged.includes(key)) continue;
      if (isKnownDefault(value)) report.violation(path, `${key} is a known default or a placeholder`);
      else if (own && value.length < LEAST) report.violation(path, `${key} has fewer than ${LEAST} characters`);
      else if (own && tooSimple(value)) report.violation(path, `${key} has too few different characters`);
      const other = seen.get(value);
      if (other !== undefined && !sameServer(other, key)) report.violation(path, `${key} repeats ${other}`);
      seen.set(value, other ?? key);
    }
  }),
});
