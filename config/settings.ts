import { z } from "zod";
import { at } from "../lib/paths.ts";
import { type WithFiles, withCertificateFiles } from "./certificateFiles.ts";
import { checkTogether } from "./checks.ts";
import type { IsEncrypted } from "./encrypted.ts";
import { VARIABLES } from "./environment.ts";
import { explain, inOrder } from "./explain.ts";
import type { LenientSettings } from "./found.ts";
import { joinPath, type Problem, SettingsError, secretCommand } from "./problems.ts";
import { readRaw } from "./raw.ts";
import { type Environment, resolveEnvironment } from "./resolve.ts";
import { workers } from "./schema/background.ts";
import { groups, type Settings, settingsSchema } from "./schema.ts";
import { secretPaths, secretValues } from "./secrets.ts";
import { unwrapped } from "./walk.ts";

export type { Environment, Problem, Settings };
export { SettingsError };

/** What a program needs to know of its stack. */
export interface Configuration {
  readonly settings: Settings;
  readonly environment: Environment;
  /** What is possible, but hardly meant. */
  readonly warnings: readonly Problem[];
}

/**
 * Reads a stack's whole configuration: the settings, and the variables that follow from them.
 *
 * @param raw the configuration keys without the `drydock:` prefix; each value is an object or its JSON text, as Pulumi
 *   gives it to a program.
 * @param isEncrypted which values the stack's file keeps encrypted. @default nobody can say
 * @throws SettingsError with everything that is wrong, in settings and variables
 */
export function parseConfiguration(
  raw: Readonly<Record<string, unknown>>,
  stack: string,
  isEncrypted: IsEncrypted = () => undefined,
): Configuration {
  const { settings, lenient, env, problems, warnings, fromFiles } = judgeSettings(raw, stack);
  const resolved = resolveEnvironment(env, { stack, settings: lenient }, isEncrypted);
  const inFiles = new Set(fromFiles.map(joinPath));
  const found = exposed(lenient, env, stack, isEncrypted).filter(({ path }) => !inFiles.has(path));
  const all = [...problems, ...resolved.problems, ...found];
  if (settings === undefined || all.length > 0) throw new SettingsError(inOrder(all), stack);
  return { settings, environment: resolved.environment, warnings: inOrder([...warnings, ...resolved.warnings]) };
}

/**
 * Reads the settings only; nothing is said about the variables in `env` but that they are texts.
 *
 * @throws SettingsError with everything that is wrong
 */
export function parseSettings(raw: Readonly<Record<string, unknown>>, stack: string): Settings {
  const { settings, problems } = judgeSettings(raw, stack);
  if (settings === undefined || problems.length > 0) throw new SettingsError(inOrder(problems), stack);
  return settings;
}

interface Judged {
  readonly settings: Settings | undefined;
  readonly lenient: LenientSettings;
  readonly env: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** The settings whose values stand in files of their own. */
  readonly fromFiles: WithFiles["read"];
}

function judgeSettings(raw: Readonly<Record<string, unknown>>, stack: string): Judged {
  const { values: written, env, problems: unreadable } = readRaw(raw, stack);
  const { values, read: fromFiles, problems: missing } = withCertificateFiles(written);
  const parsed = settingsSchema.safeParse({ ...values, env });
  const secrets = secretValues(env, values);
  // A file that isn't there is one problem, not two.
  const absent = missing.map(({ path }) => path);
  const issues = parsed.success ? [] : parsed.error.issues.flatMap((issue) => explain(issue, values, stack, secrets));
  const lenient = leniently(values);
  const together = checkTogether(lenient, env, stack);
  const others = [...issues, ...together.problems].filter(({ path }) => !absent.includes(path));
  const problems = [...unreadable, ...missing, ...others];
  const settings = parsed.data as Settings | undefined;
  return { settings, lenient, env, problems, warnings: together.warnings, fromFiles };
}

/** The secrets that stand in the stack's file for everyone who may read the repository. */
export function exposed(
  settings: LenientSettings,
  env: Readonly<Record<string, string>>,
  stack: string,
  isEncrypted: IsEncrypted,
): Problem[] {
  const secrets = [
    ...secretPaths(settings).filter((path) => at(settings, path) !== undefined),
    ...VARIABLES.filter(({ name, secret }) => secret && (env[name] ?? "") !== "").map(({ name }) => ["env", name]),
  ];
  return secrets
    .filter((path) => isEncrypted(path.map(String)) === false)
    .map((path) => ({
      path: joinPath(path),
      message: "is kept without encryption in the stack's file",
      remedy: secretCommand(joinPath(path), undefined, stack),
    }));
}

/** Each setting that is right by itself, so that the rules between settings also speak when something else is wrong. */
export function leniently(values: Readonly<Record<string, unknown>>): LenientSettings {
  const result: Record<string, Record<string, unknown>> = {};
  for (const [name, group] of Object.entries(groups)) {
    const given = values[name];
    const fields: Record<string, unknown> = {};
    const inner: z.core.$ZodType = unwrapped(group);
    if (inner instanceof z.ZodArray) {
      const parsed = group.safeParse(given ?? []);
      if (parsed.success) Object.assign(result, { [name]: parsed.data });
      continue;
    }
    // Members of a group whose names are the user's own: each is judged as the others are.
    const shape =
      inner instanceof z.ZodRecord
        ? Object.fromEntries(Object.keys(given ?? {}).map((key) => [key, inner.valueType]))
        : unwrapped(group).shape;
    for (const [key, field] of Object.entries(shape)) {
      const parsed = (field as z.ZodType).safeParse((given as Record<string, unknown> | undefined)?.[key]);
      if (parsed.success) fields[key] = parsed.data;
    }
    result[name] = fields;
  }
  const more = workers.safeParse(values["workers"] ?? {});
  if (more.success) result["workers"] = more.data;
  return result as LenientSettings;
}
