import { readFileSync } from "node:fs";
import { readDotenv } from "../../config/dotenvFile.ts";
import { ensureStack } from "../setup/stack.ts";
import { presentPaths, readStackFile, writeEntries } from "../setup/stackFile.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { takeLock } from "../shared/locks.ts";
import { select } from "../shared/project.ts";
import { openSession } from "../shared/session.ts";
import { step } from "../shared/ui.ts";
import { type Planned, planImport } from "./plan.ts";

export interface ImportOptions {
  readonly stack?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/**
 * Sets the variables of a `.env` file in a stack's file. Returns the exit code: 1 where one of them could not be taken.
 */
export async function importEnv(file: string, options: ImportOptions): Promise<number> {
  const text = read(file);
  const session = await openSession({ ...options, brief: true });
  const { stack, paths, pulumi } = session;
  await step("stack", ({ log }) => ensureStack(session, log));
  const lock = takeLock(paths.lock(stack), stack);
  try {
    const document = readStackFile(paths.stackFile(stack));
    const prefix = "drydock:env.";
    const present = new Set(
      presentPaths(document)
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length)),
    );
    const planned = planImport(readDotenv(text), { stack, present });
    const taken = planned.filter(({ action }) => action === "set" || action === "secret");
    if (options.dryRun !== true) {
      const entries = taken.map(({ name, value, action }) => ({
        path: `${prefix}${name}`,
        value,
        secret: action === "secret",
      }));
      await step("variables", () => writeEntries(pulumi, paths, stack, document, entries));
    }
    const shown = planned.map(({ value: _, ...rest }) => rest);
    if (options.json === true)
      process.stdout.write(
        `${JSON.stringify({ stack, file, written: options.dryRun !== true, variables: shown }, null, 2)}\n`,
      );
    else process.stdout.write(describe(planned, { stack, written: options.dryRun !== true }));
    return planned.some(({ action }) => action === "refuse") ? Exit.failed : Exit.ok;
  } finally {
    lock.release();
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError({
      what: `${file} can't be read: ${(error as Error).message.split(",")[0]}`,
      remedy: "./drydock env import FILE",
      code: Exit.usage,
    });
  }
}

const TITLES: Readonly<Record<Planned["action"], (written: boolean) => string>> = {
  set: (written) => (written ? "Set" : "Would set"),
  secret: (written) => (written ? "Set, encrypted" : "Would set, encrypted"),
  skip: () => "Left out, for nothing is missing without them",
  refuse: () => "NOT set",
};

/** What became of each variable, without a value. */
export function describe(
  planned: readonly Planned[],
  { stack, written }: { readonly stack: string; readonly written: boolean },
): string {
  const width = Math.max(0, ...planned.map(({ name }) => name.length));
  const groups = (["set", "secret", "skip", "refuse"] as const).flatMap((action) => {
    const ones = planned.filter((one) => one.action === action);
    if (ones.length === 0) return [];
    const lines = ones.map(
      ({ name, why, warning }) =>
        `  ${`${name.padEnd(width)}  ${why ?? (warning === undefined ? "" : `warning: ${warning}`)}`.trimEnd()}`,
    );
    return [`${TITLES[action](written)} (${ones.length}):`, ...lines, ""];
  });
  return [
    ...groups,
    written ? `See what it changes: ./drydock preview${select(stack)}` : "Nothing was changed (--dry-run).",
    "",
  ].join("\n");
}
