import { secretCommand, type Problem } from "./problems.ts";
import { passwordGenerator } from "./variableTypes.ts";

/** A password that Drydock sets itself, and may therefore demand something of. */
export interface Password {
  readonly path: string;
  readonly value: string;
  /** Whether a least length is demanded; a password that somebody else issued has the length it has. */
  readonly ours: boolean;
}

const leastLength = 32;

// What templates and default installations bring along; compared without case and punctuation.
const defaults = new Set(
  `password passwd pass secret root toor admin administrator laravel mysql mariadb redis default test changeme
  changeit letmein welcome qwerty 123456 12345678 123456789 password123 null empty homestead forge sail`.split(/\s+/),
);
const placeholder = /change[_ -]?me|replace[_ -]?(me|this)|your[_ -]?(\w+[_ -])?(password|secret|key|token)|placeholder|example|<[^>]*>|\$\{/i;

/** What is wrong with these passwords, each by itself and among each other. No message holds one. */
export function judgePasswords(passwords: readonly Password[], stack: string): Problem[] {
  const first = new Map<string, string>();
  return passwords.flatMap(({ path, value, ours }) => {
    const owner = first.get(value);
    if (owner === undefined) first.set(value, path);
    const message = weakness(value, ours) ?? (owner === undefined ? undefined : `repeats ${owner}: who learns one would have both`);
    return message === undefined ? [] : [{ path, message, remedy: secretCommand(path, ours ? passwordGenerator : undefined, stack) }];
  });
}

function weakness(value: string, ours: boolean): string | undefined {
  if (defaults.has(value.toLowerCase().replace(/[\W_]/g, ""))) return "is a well-known default";
  if (placeholder.test(value)) return "is a placeholder";
  if (!ours) return undefined;
  if ([...value].length < leastLength) return `is too short: expected at least ${leastLength} characters`;
  if (new Set(value).size < 8) return "has too few different characters";
  if ((value + value).indexOf(value, 1) < value.length) return "only repeats a shorter text";
  return undefined;
}
