import type { Context } from "./environment.ts";
import { type Problem, secretCommand, setCommand } from "./problems.ts";
import { passwordGenerator } from "./variableTypes.ts";

/** A password of the stack. */
export interface Password {
  readonly path: string;
  readonly value: string;
  /**
   * `ours`: Drydock sets it, and demands that it is good; `existing`: so does Drydock, but an application that moves
   * here may bring it along; `foreign`: somebody else issued it, and it has the length it has.
   */
  readonly whose: "ours" | "existing" | "foreign";
}

const leastLength = 32;

// What templates and default installations bring along; compared without case and punctuation.
const defaults = new Set(
  `password passwd pass secret root toor admin administrator laravel mysql mariadb redis default test changeme
  changeit letmein welcome qwerty 123456 12345678 123456789 password123 null empty homestead forge sail`.split(/\s+/),
);
const placeholder = new RegExp(
  String.raw`change[_ -]?me|replace[_ -]?(me|this)|your[_ -]?(\w+[_ -])?(password|secret|key|token)|` +
    String.raw`placeholder|example|<[^>]*>|\$\{`,
  "i",
);

/** What is wrong with these passwords, each by itself and among each other. No message holds one. */
export function judgePasswords(
  passwords: readonly Password[],
  { stack, stage, settings }: Pick<Context, "stack" | "stage" | "settings">,
) {
  const first = new Map<string, string>();
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const accepted = (path: string) =>
    (path.endsWith(".REDIS_PASSWORD") ? settings.redis : settings.database)?.acceptPassword === true;
  for (const { path, value, whose } of passwords) {
    const owner = first.get(value);
    if (owner === undefined) first.set(value, path);
    const message =
      weakness(value, whose !== "foreign") ??
      (owner === undefined ? undefined : `repeats ${owner}: who learns one would have both`);
    if (message === undefined) continue;
    const remedy = secretCommand(path, whose === "foreign" ? undefined : passwordGenerator, stack);
    if (whose === "ours") problems.push({ path, message, remedy });
    else if (whose === "foreign" || stage !== "production" || accepted(path)) warnings.push({ path, message, remedy });
    else {
      const setting = path.endsWith(".REDIS_PASSWORD")
        ? "drydock:redis.acceptPassword"
        : "drydock:database.acceptPassword";
      problems.push({ path, message, remedy: `${remedy}\nor keep it as it is: ${setCommand(setting, "true", stack)}` });
    }
  }
  return { problems, warnings };
}

function weakness(value: string, long: boolean): string | undefined {
  if (defaults.has(value.toLowerCase().replace(/[\W_]/g, ""))) return "is a well-known default";
  if (placeholder.test(value)) return "is a placeholder";
  if (!long) return undefined;
  if ([...value].length < leastLength) return `is too short: expected at least ${leastLength} characters`;
  if (new Set(value).size < 8) return "has too few different characters";
  if ((value + value).indexOf(value, 1) < value.length) return "only repeats a shorter text";
  return undefined;
}
