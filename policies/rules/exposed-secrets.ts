import { z } from "zod";
import { isDotenv, isSecretName, parseDotenv } from "../helpers/env.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { hasUrlWithPassword } from "../helpers/secrets.ts";
import { isUnknown } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import { none, noSetting, onContainer } from "./shared.ts";

/** Files that hold secrets by their name. */
const SECRET_FILE = /(^|[/_.-])(secrets?|passw(or)?d|credentials?|private)([/_.-]|$)|\.(key|pem)$|\.my\.cnf$/i;
const OTHERS = 0o007;
/** A shorter text may stand in any file by chance. */
const SHORTEST = 12;

/** Whether everybody in the container may read a file. Docker's default for an uploaded one is 0644. */
function isOpen(permissions: string | undefined): boolean {
  const octal = (permissions ?? "").trim() === "" ? "0644" : permissions!.trim();
  return !/^(0o?)?[0-7]{1,4}$/.test(octal) || (parseInt(octal.replace(/^0o/, ""), 8) & OTHERS) !== 0;
}

/**
 * Whether a file has a secret in it: by the names of its variables and directives, or because it holds one of the
 * container's own.
 */
function holdsSecret(content: string, secrets: readonly string[]): boolean {
  if (secrets.some((secret) => content.includes(secret)) || /^[ \t]*(requirepass|masterauth)[ \t]/m.test(content))
    return true;
  // A script may speak of a variable; a value that is no reference to another one is a secret.
  return parseDotenv(content).some(
    ([key, value]) => isSecretName(key) && value !== "" && !/^["']?\$|[()`]/.test(value),
  );
}

export const secretFilesTight = resourceRule({
  name: "secret-files-tight",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, checklist", "incidents, forty-eight hours"],
  summary: "No .env is mounted from the host, and files with secrets are for their owner only.",
  why: "a .env on the host is read by everyone who gets there, and edited past the deployment",
  remedy:
    'uploads: [{ file: "/var/www/html/.env", content, owner: "1000", permissions: "0400" }] in place of the mount',
  setting: noSetting.container,
  bad: 'volumes: [{ hostPath: "/srv/shop/.env", containerPath: "/var/www/html/.env" }]',
  good: 'uploads: [{ file, content, permissions: "0400" }]',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    for (const {
      value: { type, source, target },
      path,
    } of container.mounts.known) {
      const isBind = type === "bind" && [source, target].some((end) => typeof end === "string" && isDotenv(end));
      if (isBind) report.violation(path, "a .env file is mounted from the host");
      else if (type === "bind" && isUnknown(source)) report.undecided(source.path);
    }
    const secrets = container.env.variables.flatMap(({ key, value }) =>
      isSecretName(key) && typeof value === "string" && value.length >= SHORTEST ? [value] : [],
    );
    for (const { value: upload } of container.uploads.known) {
      const { file, content, permissions, permissionsPath } = upload;
      const isSecret =
        typeof file === "string" &&
        (isDotenv(file) || SECRET_FILE.test(file) || (typeof content === "string" && holdsSecret(content, secrets)));
      if (!isSecret) continue;
      if (isUnknown(permissions)) report.mustKnow(permissionsPath);
      else if (isOpen(permissions))
        report.violation(permissionsPath, "everyone in the container may read or write this secret");
    }
    for (const path of [...container.mounts.unknown, ...container.uploads.unknown]) report.undecided(path);
  }),
});

/** What a variable with a secret's name may say without being one. */
const SWITCH = /^(|null|\(null\)|yes|no|true|false|on|off|0|1|auto|none|disabled?|enabled?)$/i;
/** Tokens and keys by their look: GitHub, GitLab, Slack, Stripe, AWS, private keys, Laravel's own. */
const LOOKS_SECRET = new RegExp(
  String.raw`(^|[^\w])(gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{15,}|xox[abprs]-[\w-]{10,}|` +
    String.raw`[rs]k_live_\w{10,}|AKIA[0-9A-Z]{16})|-----BEGIN [A-Z ]{0,20}PRIVATE KEY|` +
    "^base64:[A-Za-z0-9+/]{43}=$",
);

export const noSecretInEnv = resourceRule({
  name: "no-secret-in-env",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, checklist", "K13"],
  summary: "No secret stands in a container's plain environment.",
  why:
    "docker inspect shows a container's variables to everyone who may ask the engine, " +
    "and so does every process in it",
  remedy:
    "deliver it in the uploaded .env file, or in a file that the image reads: " +
    "MYSQL_ROOT_PASSWORD_FILE=/run/secrets/root",
  setting: (group) => (group === "services" ? undefined : { path: "env.NAME", from: "cat" }),
  bad: 'envs: ["DB_PASSWORD=…"]',
  good: 'uploads: [{ file: "/var/www/html/.env", content, permissions: "0400" }]',
  types: CONTAINERS,
  params: z.strictObject({
    /** Variables that are no secret in spite of their name. */
    allowed: z.array(z.string()).default([]),
  }),
  check: onContainer((container, report, { params }) => {
    for (const { key, value, from, path } of container.env.variables) {
      if (from !== "plain" || params.allowed.includes(key)) continue;
      const named = isSecretName(key);
      if (isUnknown(value)) {
        if (named) report.violation(path, `${key} is a secret by its name`);
        else report.undecided(path);
      } else if (named && !SWITCH.test(value ?? "")) report.violation(path, `${key} is a secret by its name`);
      else if (LOOKS_SECRET.test(value ?? "")) report.violation(path, `${key} looks like a secret`);
    }
    for (const path of container.env.unknown.filter((unknown) => !unknown.startsWith("uploads")))
      report.undecided(path);
  }),
});

export const noCredentialsInUrl = resourceRule({
  name: "no-credentials-in-url",
  family: "safety",
  level: "advisory",
  source: ["incidents, forty-eight hours"],
  summary: "No plain variable holds a URL with user and password.",
  why: "a database's URL with its password stood in the compose file, for everyone who may run docker inspect",
  remedy: "split it into DB_HOST, DB_USERNAME and DB_PASSWORD, and deliver the password in the .env file",
  setting: () => ({ path: "env.NAME", from: "cat" }),
  bad: 'envs: ["DATABASE_URL=postgresql://user:…@host/db"]',
  good: 'envs: ["DB_HOST=database"], DB_PASSWORD in the uploaded .env',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    for (const { key, value, from, path } of container.env.variables) {
      if (from !== "plain") continue;
      if (isUnknown(value)) report.undecided(path);
      else if (value !== undefined && hasUrlWithPassword(value))
        report.violation(path, `${key} holds a URL with a password`);
    }
    for (const path of container.env.unknown.filter((unknown) => !unknown.startsWith("uploads")))
      report.undecided(path);
  }),
});
