import { createHash } from "node:crypto";
import type { Settings } from "../settings.ts";
import { commandTexts } from "./commands.ts";
import type { Container } from "./container.ts";
import { find } from "./env.ts";
import { COMMANDS, type Resource } from "./resources.ts";
import type { Stack } from "./stack.ts";
import { isUnknown, type Maybe, propertyAt, text, Unknown } from "./values.ts";

/** One directive of a Redis server: `appendonly yes` of redis.conf, `--appendonly yes` of its command line. */
export interface Directive {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

export interface RedisSettings {
  readonly directives: readonly Directive[];
  /** What can't be read: a file that is in the image, a value that is not known yet. */
  readonly unknown: readonly string[];
}

/**
 * Reads a server's settings from its command line and its uploaded configuration; the command line wins, so it comes
 * last.
 */
export function redisSettings(container: Container): RedisSettings {
  const directives: Directive[] = [];
  const unknown: string[] = [...container.uploads.unknown, ...container.commandLine.unknown];
  const words = container.commandLine.known.flatMap(({ value, path }) =>
    (/\s/.test(value) ? shellWords(value) : [value]).map((word) => ({ word, path })),
  );
  for (const { word, path } of words.filter(({ word }) => word.endsWith(".conf"))) {
    const upload = container.uploads.known.find(({ value }) => value.file === word);
    if (typeof upload?.value.content === "string") directives.push(...parse(upload.value.content, upload.path));
    else unknown.push(upload === undefined ? path : `${upload.path}.content`);
  }
  for (let i = 0; i < words.length; i++) {
    const { word, path } = words[i]!;
    const [, name, inline] = /^--([a-z][\w-]*)(?:=(.*))?$/i.exec(word) ?? [];
    if (name === undefined) continue;
    const values: string[] = inline === undefined ? [] : [inline];
    while (inline === undefined && words[i + 1] !== undefined && !words[i + 1]!.word.startsWith("--"))
      values.push(words[++i]!.word);
    directives.push({ name: name.toLowerCase(), value: values.join(" "), path });
  }
  return { directives, unknown };
}

/** The last directive of a name. */
export function directive(settings: RedisSettings, name: string): Directive | undefined {
  return settings.directives.findLast((one) => one.name === name);
}

/** The password that the server demands; nothing where it demands none. */
export function requirepass(container: Container): Maybe<string> {
  const settings = redisSettings(container);
  const value = directive(settings, "requirepass")?.value;
  const [, variable] = /^["']?\$\{?(\w+)\}?["']?$/.exec(value ?? "") ?? [];
  const found = variable === undefined ? undefined : find(container.env, variable);
  if (found?.is === "undecided") return new Unknown(found.path);
  if (found !== undefined) return found.is === "present" ? found.value : undefined;
  if (value === undefined || value === "")
    return settings.unknown[0] === undefined ? bitnami(container) : new Unknown(settings.unknown[0]);
  return value;
}

/** As Redis keeps a password. */
export function sha256(password: string): string {
  return createHash("sha256").update(password).digest("hex");
}

/**
 * The passwords, as SHA-256, that commands of the stack tell a server while it runs: `ACL SETUSER default`, with what
 * they have on standard input.
 */
export function told(
  stack: Stack,
  settings: Settings,
): readonly { readonly command: Resource; readonly hashes: Maybe<readonly string[]> }[] {
  return stack
    .ofType(...COMMANDS)
    .filter((command) =>
      commandTexts(command, settings).known.some(({ value }) => /\bacl\s+setuser\s+default\b/i.test(value)),
    )
    .map((command) => {
      const stdin = text(propertyAt(command.props, "stdin"));
      if (stdin === undefined || isUnknown(stdin)) return { command, hashes: stdin };
      return {
        command,
        hashes: [...stdin.matchAll(/(?<!\S)(?:>(\S+)|#([0-9a-f]{64}))(?!\S)/g)].map(([, plain, hash]) =>
          plain === undefined ? hash! : sha256(plain),
        ),
      };
    });
}

/** Images that take the password from the environment. */
function bitnami(container: Container): Maybe<string> {
  const { value } = container.image;
  if (isUnknown(value) || value === undefined || !/bitnami\w*\/(redis|valkey)/.test(value)) return undefined;
  const found = find(container.env, "REDIS_PASSWORD");
  return found.is === "present" ? found.value : found.is === "undecided" ? new Unknown(found.path) : undefined;
}

function parse(content: string, path: string): Directive[] {
  return content.split(/\r?\n/).flatMap((line) => {
    const [, name, rest = ""] = /^([a-z][\w-]*)(?=\s|$)(.*)$/i.exec(line.trim()) ?? [];
    const value = rest.trim();
    return name === undefined
      ? []
      : [{ name: name.toLowerCase(), value: unquote(value), path: `${path} ${name.toLowerCase()}` }];
  });
}

function unquote(value: string): string {
  return /^"(.*)"$/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value.replace(/^'(.*)'$/, "$1");
}

function shellWords(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  );
}
