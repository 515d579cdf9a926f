import type { Container } from "./container.ts";
import { directive, redisSettings } from "./redis.ts";
import type { Maybe } from "./values.ts";

// What templates and default installations bring along; compared without case and punctuation.
const DEFAULTS = new Set(
  (
    "password passwd pass secret mysecret root toor admin administrator laravel mysql mariadb postgres redis " +
    "default test testing changeme changeit letmein welcome " +
    "qwerty 123456 1234567 12345678 123456789 password1 password123 empty homestead forge sail guest user " +
    "example foobar minioadmin"
  ).split(" "),
);
const PLACEHOLDER = new RegExp(
  String.raw`change[_ -]?me|replace[_ -]?(me|this)|your[_ -]?(\w{1,20}[_ -])?(password|secret|key|token)|` +
    String.raw`placeholder|^<.*>$|^\$\{.*\}$`,
  "i",
);

/** Whether everybody knows this password, or would guess it first. */
export function isKnownDefault(value: string): boolean {
  return DEFAULTS.has(value.toLowerCase().replace(/[\W_]/g, "")) || PLACEHOLDER.test(value);
}

/** Whether a text holds a URL with user and password. */
export function hasUrlWithPassword(text: string): boolean {
  return /:\/\/[^\s/@:"']{0,100}:[^\s/@"']{1,300}@/.test(text);
}

/** Whether a long password is long only on paper. */
export function tooSimple(value: string): boolean {
  return new Set(value).size < 8 || (value + value).indexOf(value, 1) < value.length;
}

/** A secret in a file of a database or Redis, by the file's name or the directive's. */
export interface SecretFile {
  readonly key: string;
  readonly value: Maybe<string>;
  readonly path: string;
}

/** Passwords that a container gets as uploaded files: files called after one, and Redis's requirepass. */
export function passwordFiles(container: Container): SecretFile[] {
  const files = container.uploads.known.flatMap(({ value: { file, content }, path }) => {
    const name =
      typeof file === "string" ? /(?:^|\/)([\w.-]*passw(?:or)?d[\w-]*(?:\.txt)?)$/i.exec(file)?.[1] : undefined;
    return name === undefined
      ? []
      : [{ key: name, value: typeof content === "string" ? content.trim() : content, path: `${path}.content` }];
  });
  const found = container.role === "redis" ? directive(redisSettings(container), "requirepass") : undefined;
  const literal =
    found === undefined || found.value.startsWith("$")
      ? []
      : [{ key: "requirepass", value: found.value, path: found.path }];
  return [...files, ...literal];
}

/** Whether two keys may rightly hold one password: two names for the same user of the same server. */
export function sameServer(one: string, other: string): boolean {
  if (/ROOT/i.test(one) !== /ROOT/i.test(other)) return false;
  return serverOf(one) !== undefined && serverOf(one) === serverOf(other);
}

function serverOf(key: string): string | undefined {
  if (/^(requirepass|REDIS)/i.test(key)) return "redis";
  if (/^(DB|DATABASE|MYSQL|MARIADB|POSTGRES|PG)(_|PASSWORD)/i.test(key)) return "database";
  // A file named only `password` beside the configuration that holds the same one.
  return /^password(\.txt)?$/i.test(key) ? "redis" : key.split("_")[0];
}
