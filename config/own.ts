import { type Context, VARIABLES } from "./environment.ts";
import { distance, nearest } from "./nearest.ts";
import { joinPath, type Problem, removeCommand, secretCommand } from "./problems.ts";
import { looksSecret } from "./secretLike.ts";

/** A variable of the user's own, as it was given. */
export interface Own {
  /** With what it refers to. */
  readonly value: string;
  /** As it stands in the stack's file. */
  readonly raw: string;
  /** Whether it is encrypted there; undefined where nobody can say. */
  readonly kept: boolean | undefined;
  /** Whether it refers to a secret. */
  readonly borrows: boolean;
}

export interface JudgedOwn {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Whether it is only in Laravel's `.env` file. */
  readonly secret: boolean;
}

const known = VARIABLES.filter(({ setBy }) => setBy === "user").map(({ name }) => name);

/**
 * What is wrong with a variable of the user's own, and whether it is a secret: it is plain unless it is kept encrypted.
 * One that looks like a secret and isn't encrypted must be, except on a local stack, where it is treated as one.
 */
export function judgeOwn(name: string, { value, raw, kept, borrows }: Own, { stack, stage }: Context): JudgedOwn {
  const path = joinPath(["env", name]);
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const wrong = (message: string): void => {
    problems.push({ path, message, remedy: removeCommand(path, stack) });
  };
  const upper = name.toUpperCase();
  if (upper.startsWith("DRYDOCK_")) wrong("is not for you to set: names that begin with DRYDOCK_ are Drydock's own");
  else if (!/^[A-Za-z_][\w.]*$/.test(name))
    wrong("is no name for a variable: expected letters, digits and underscores, not beginning with a digit");
  else if (value.includes("\0")) wrong("holds a NUL character, which no environment can hold");
  else if (/\p{Surrogate}/u.test(value)) wrong("is not valid Unicode");

  const meant = upper !== name && known.includes(upper) ? upper : nearest(name, known);
  if (problems.length === 0 && meant !== undefined && !/\d/.test(name) && distance(upper, meant) <= 1)
    warnings.push({
      path,
      message: `is a variable of your own: is ${meant} meant?`,
      remedy: removeCommand(path, stack),
    });

  const looks = kept === false ? looksSecret(name, raw) : undefined;
  if (looks !== undefined && problems.length === 0) {
    const found = {
      path,
      message: `looks like a secret by its ${looks}, but is in plain text in the stack's file`,
      remedy: secretCommand(path, undefined, stack),
    };
    if (stage === "local") warnings.push(found);
    else problems.push(found);
  }
  return { problems, warnings, secret: kept !== false || borrows || looks !== undefined };
}
