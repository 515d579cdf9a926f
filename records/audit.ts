import { parseLines } from "./release.ts";

/** One line of the records' audit.jsonl: a verb that changes something, at its beginning or its end. */
export interface AuditLine {
  /** The same for beginning and end. */
  readonly id: string;
  /** When it began; ISO 8601, in UTC. */
  readonly at: string;
  /** user@host */
  readonly by: string;
  readonly verb: string;
  /** Without secrets. */
  readonly args: readonly string[];
  /** `started`, or the exit code in words. */
  readonly result: string;
  readonly seconds?: number;
}

/** The result of a verb that has not ended: it is at work, or was killed. */
export const STARTED = "started";

/** A verb that was run: its end where it is known, else its beginning. Oldest first. */
export function parseAudit(text: string): AuditLine[] {
  const found = new Map<string, AuditLine>();
  for (const read of parseLines<AuditLine>(text).filter(
    ({ id, verb }) => typeof id === "string" && typeof verb === "string",
  )) {
    // Earlier versions called it so.
    const line = read.result === "begun" ? { ...read, result: STARTED } : read;
    // The two are written by processes of their own, and may arrive in either order.
    if (!found.has(line.id) || line.result !== STARTED) found.set(line.id, line);
  }
  return [...found.values()].sort((a, b) => (a.at < b.at ? -1 : 1));
}

const SECRET = /(pass(word|phrase|wd)?|secret|token|key|credential|auth|dsn)/i;
const VALUE = /^(base64:|sk_|ghp_|glpat|xox)|:\/\/[^/\s:@]*:[^/\s@]+@|^[\w+/=-]{32,}$/;

/** What is kept of a value: names, numbers, paths. Anything else could be code or a person's data. */
const PLAIN = /^[\w:.,/@#+*-]{0,80}$/;

/**
 * Arguments as they may be kept: what could be a secret, by its name or its look, or is more than a plain word, is
 * `***`.
 */
export function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const [, name, value] = /^(-{0,2}[\w.:-]+)=(.*)$/s.exec(arg) ?? [];
    if (name !== undefined && value !== undefined) return SECRET.test(name) || !isPlain(value) ? `${name}=***` : arg;
    const previous = args[index - 1] ?? "";
    const isValue = previous.startsWith("-") && !previous.includes("=") && !arg.startsWith("-");
    return (isValue && SECRET.test(previous)) || !isPlain(arg) ? "***" : arg;
  });
}

const isPlain = (value: string): boolean => PLAIN.test(value) && !VALUE.test(value);

/** Commands of Laravel's own and of Horizon whose arguments are names, numbers and paths. */
const KNOWN = new RegExp(
  `^(?:${[
    "about",
    "list",
    "help",
    "env",
    "up",
    "optimize(?::clear)?",
    "migrate(?::(?:status|rollback|reset|refresh|install))?",
    "queue:(?:work|restart|retry|failed|forget|flush|clear|monitor|listen|pause|resume|" +
      "prune-batches|prune-failed|retry-batch)",
    "horizon(?::[a-z-]+)?",
    "schedule:(?:run|list|work|interrupt|finish|clear-cache)",
    "(?:cache|config|event|route|view):(?:cache|clear|list)",
    "config:show",
    "storage:(?:link|unlink)",
    "db:(?:show|table|monitor)",
    "model:(?:prune|show)",
    "package:discover",
    "auth:clear-resets",
  ].join("|")})$`,
);

/** Options without a value, which all commands or many of Laravel's have. */
const FLAGS = new Set([
  "--force",
  "--seed",
  "--step",
  "--pretend",
  "--graceful",
  "--isolated",
  "--all",
  "--help",
  "--version",
  "--quiet",
  "--silent",
  "--verbose",
  "--no-interaction",
  "--ansi",
  "--no-ansi",
  "--json",
  "-h",
  "-q",
  "-n",
  "-v",
  "-vv",
  "-vvv",
  "-V",
]);

/**
 * An artisan command as it may be kept. What an application's own command is given may be anything, a password in the
 * third place too: of such a command its name is kept, and flags that everybody knows; the rest is `***`.
 */
export function artisanWithoutSecrets(args: readonly string[]): string[] {
  const at = args.findIndex((arg) => !FLAGS.has(arg));
  const name = args[at] ?? "";
  if (KNOWN.test(name)) return withoutSecrets(args);
  // Behind an option that isn't known the first word may be its value, and no command.
  const kept = /^[a-z][a-z0-9_-]*(:[a-z0-9_-]+)*$/i.test(name) && name.length <= 64 ? name : "***";
  return args.map((arg, index) => (index === at ? kept : FLAGS.has(arg) ? arg : "***"));
}

/** An exit code in a word. */
export function resultOf(code: number): string {
  return { 0: "done", 3: "refused", 130: "interrupted", 143: "interrupted" }[code] ?? `failed (${code})`;
}
