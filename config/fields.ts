import { isIP } from "node:net";
import { z } from "zod";
import { isReadBack } from "../lib/processors.ts";
import { hostName } from "./hosts.ts";
import { isUrl, urlExpects } from "./variableTypes.ts";

/** What the documents and the error messages say about a setting; stored in zod's own registry. */
export interface FieldDoc {
  /** What it is for, one sentence without a full stop. Writable, as in zod: TypeScript allows no other. */
  description?: string | undefined;
  /** What is accepted: completes "expected …". */
  readonly expects?: string;
  /** A value for the command in an error message, where there is no default. */
  readonly example?: string;
  /** Never shown. */
  readonly secret?: boolean;
  /** A shell command that prints a new value of a secret. */
  readonly generator?: string;
  /** The default in words, where it is computed. */
  readonly computed?: string;
  /** Values that Laravel itself knows; others are the application's own, or misspelt. */
  readonly known?: readonly string[];
}

declare module "zod" {
  interface GlobalMeta extends FieldDoc {}
}

/** A setting without a default that must be there. */
export function required<T extends z.ZodType>(schema: T, description: string, doc: FieldDoc = {}): T {
  return schema.meta({ ...schema.meta(), description, ...doc }) as T;
}

/** A setting that may be left out and then has no value, or one that `computed` describes. */
export function optional<T extends z.ZodType>(schema: T, description: string, computed?: string): z.ZodOptional<T> {
  return z.optional(schema).meta({ description, computed });
}

/** A setting with a default. */
export function preset<T extends z.ZodType>(
  schema: T,
  value: z.core.util.NoUndefined<z.output<T>>,
  description: string,
): z.ZodDefault<T> {
  return z._default(schema, value).meta({ description }) as z.ZodDefault<T>;
}

// `pulumi config set --path` turns whole numbers and booleans into what they look like, and keeps all else as text, 0.5
// and lists too.
const scalar = (value: unknown): unknown =>
  typeof value === "boolean" || Number.isSafeInteger(value) ? String(value) : value;
const number = (value: unknown): unknown =>
  typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;

/** A whole number; digits in quotes are accepted. */
export const integer = (min: number, max: number, unit?: string) =>
  z
    .preprocess(number, z.number().int().min(min).max(max))
    .meta({ expects: `a whole number from ${min} to ${max}${unit === undefined ? "" : ` (${unit})`}` });

/** Days from `least` on, or 0 for never. */
export const daysOrNever = (least: number) =>
  z
    .preprocess(
      number,
      z
        .number()
        .int()
        .max(3650)
        .refine((days) => days === 0 || days >= least),
    )
    .meta({ expects: `0 (never), or a whole number from ${least} to 3650 (days)` });

/** A number of processors; digits in quotes are accepted. */
export const cpus = () =>
  z.preprocess(number, z.number().min(0.01).max(1024).refine(isReadBack)).meta({
    expects: "a number from 0.01 to 1024 (processors) that Pulumi reads back as it is: 0.1 or 0.051, not 0.05",
  });

/** A boolean; "false" in quotes is false, which coercion would make true. */
export const flag = () => z.union([z.boolean(), z.stringbool()]).meta({ expects: "true or false" });

/** Accepts any text but an empty one. */
export const notEmpty = (value: string): boolean => value.length > 0;

/** Text that `accepts` accepts. */
export const text = (expects: string, accepts: (value: string) => boolean, example?: string) =>
  z.preprocess(scalar, z.string().refine(accepts)).meta({ expects, example });

/** Options of a server, by name; whether they are good is judged with the server's own list. */
export const serverOptions = (example: string) =>
  z
    .record(
      z.string().regex(/^[A-Za-z][\w-]*$/),
      text("a text in one line", (value) => /^[^\u0000-\u001f\u007f"'\\]*$/.test(value)),
    )
    .meta({ expects: `the server's options by name, such as ${example}` });

/** A list; its JSON text is accepted. */
export const list = <T extends z.ZodType>(element: T, expects: string, example: string) =>
  z.preprocess(fromJson, z.array(element)).meta({ expects, example });

function fromJson(value: unknown): unknown {
  if (typeof value !== "string" || !value.startsWith("[")) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Memory in MiB. */
export const mebibytes = (min: number) => integer(min, 16_777_216, "MiB");

/** A user or group id; 0 is refused, for nothing runs as root (incident 9). */
export const id = () => integer(1, 65_534);

export const port = () => integer(1, 65_535);

/** An address on the web; as a variable it is the same. */
export const url = () => text(urlExpects, isUrl, "https://hooks.example.com/backup");

export const seconds = (max = 86_400) => integer(1, max, "seconds");

/** A schedule as cron writes it, five fields; an empty text is never. */
export const schedule = (example: string) =>
  text(
    "five fields as cron writes them (UTC), or nothing for never",
    (value) => value === "" || /^([\d*,/-]+\s+){4}[\d*,/-]+$/.test(value),
    example,
  );

/** Patterns of files. */
export const globs = () =>
  list(
    text("a pattern of files", (value) => value.length > 0 && !value.includes("\n")),
    'a list of patterns, such as ["public"]',
    '["public"]',
  );

/** A command as a list of words, which no shell reads. */
export const argv = () =>
  list(
    text("a word", (word) => word.length > 0),
    'a list of words, such as ["php","artisan","horizon"]',
    '["php","artisan","horizon"]',
  );

/** Names of workers and services are those of hosts inside the stack, where these are taken. */
const TAKEN = [
  "app",
  "backup",
  "database",
  "horizon",
  "localhost",
  "proxy",
  "redis",
  "redis-cache",
  "restore",
  "scheduler",
];
export const isServiceName = (name: string): boolean =>
  /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/.test(name) && !TAKEN.includes(name);

/** An absolute path without `..`, spaces or anything that a configuration file would read in another way. */
export const path = (expects: string, example: string) =>
  text(
    expects,
    (value) => /^(\/[\w.@+-]+)+$/.test(value) && !value.split("/").some((part) => part === "." || part === ".."),
    example,
  );

/** An address of one interface. */
export const address = () =>
  text(
    "an IP address, such as 127.0.0.1 (only this machine) or 0.0.0.0 (all interfaces)",
    (value) => isIP(value) !== 0 && !value.includes("%"),
    "127.0.0.1",
  );

/** Ranges of addresses. */
export const ranges = () =>
  list(
    text('an address, or a range such as "10.0.0.0/8"', isRange, "10.0.0.0/8"),
    'a list of address ranges, such as ["10.0.0.0/8"]',
    '["10.0.0.0/8"]',
  );

function isRange(value: string): boolean {
  const [ip = "", bits = "0", ...rest] = value.split("/");
  const family = isIP(ip);
  // A zone (fe80::1%eth0) is no part of an address to nginx.
  return (
    family !== 0 &&
    !ip.includes("%") &&
    rest.length === 0 &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (family === 4 ? 32 : 128)
  );
}

// The grammar of Docker's reference: [registry[:port]/]path[:tag][@digest]; or the id of an image that was built here.
const host = "[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\\d+)?";
const name = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const digest = "sha256:[a-f0-9]{64}";
const image = new RegExp(`^(?:(?:${host}/)?${name}(?:/${name})*(?::\\w[\\w.-]{0,127})?(?:@${digest})?|${digest})$`);
const example = "registry.example.com/shop:1.4";

/** Names of hosts, as hostName() of hosts.ts answers them. */
export const hosts = () => {
  const host = z
    .preprocess(
      scalar,
      z.string().refine((value) => hostName(value) !== undefined),
    )
    .transform((value) => hostName(value)!);
  const expects =
    'the name of a host, such as "www.example.com", "*.example.com" for all names below it, or "*" for any';
  return list(
    host.meta({ expects, example: "www.example.com" }),
    'a list of names, such as ["www.example.com"]',
    '["www.example.com"]',
  );
};

/** A reference to an image. */
export const imageReference = () =>
  text(`an image reference, such as ${example}`, (value) => value.length <= 512 && image.test(value), example);
