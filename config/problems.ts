import { RunError } from "@pulumi/pulumi/errors.js";
import { quote } from "../lib/shell.ts";

/** One thing that is wrong in what the user said, with what to do about it. */
export interface Problem {
  /** Where: the full configuration path, such as `drydock:app.replicas`. */
  readonly path: string;
  /** What arrived and what is expected, without the path. Never holds a secret value. */
  readonly message: string;
  /** A whole command (or a whole sentence) that fixes it. */
  readonly remedy?: string;
}

/**
 * Everything that is wrong in a stack's configuration, in one error.
 *
 * It is a `RunError`, so that Pulumi prints the message without a stack trace.
 */
export class SettingsError extends RunError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], stack: string) {
    super(render(problems, stack));
    this.name = "SettingsError";
    this.problems = problems;
  }
}

function render(problems: readonly Problem[], stack: string): string {
  const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
  const parts = problems.map((problem) => describeProblem(problem).replaceAll(/^/gm, "  "));
  return `The configuration of stack "${stack}" has ${count}, nothing was changed:\n${parts.join("\n")}`;
}

/** One of them: where and what, and below it what to do. */
export function describeProblem({ path, message, remedy }: Problem): string {
  return [`${path}: ${message}`, ...(remedy === undefined ? [] : remedy.split("\n").map((line) => `  ${line}`))].join(
    "\n",
  );
}

/** The command that sets a plain value, ready for a shell. */
export function setCommand(path: string, value: string, stack: string): string {
  return `pulumi config set --path ${quote(path)} ${quote(value)} -s ${quote(stack)}`;
}

/** The command that removes a value, ready for a shell. */
export function removeCommand(path: string, stack: string): string {
  return `pulumi config rm --path ${quote(path)} -s ${quote(stack)}`;
}

/** The command that keeps as a text what looks like a number. */
export function textCommand(path: string, value: string, stack: string): string {
  return `pulumi config set --type string --path ${quote(path)} ${quote(value)} -s ${quote(stack)}`;
}

/**
 * The command that stores a secret: a new one where `generator`, a shell command, can print one; else Pulumi asks for
 * it. The value never is an argument, which every user of the machine could read.
 */
export function secretCommand(path: string, generator: string | undefined, stack: string): string {
  return (
    `${generator === undefined ? "" : `${generator} | `}pulumi config set --secret --path ${quote(path)} -s ` +
    `${quote(stack)}`
  );
}

/** A configuration path as Pulumi writes it: `drydock:app.replicas`, `drydock:proxy.trustedProxies[0]`. */
export function joinPath(path: readonly (string | number)[]): string {
  const [key, ...rest] = path;
  const steps = rest.map((step) =>
    typeof step === "number" ? `[${step}]` : /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`,
  );
  return `drydock:${key ?? ""}${steps.join("")}`;
}
