import type { z } from "zod";
import { checkTogether, type LenientSettings } from "./checks.ts";
import { joinPath, removeCommand, secretCommand, setCommand, SettingsError, type Problem } from "./problems.ts";
import { nearest } from "./nearest.ts";
import { readRaw } from "./raw.ts";
import { resolveEnvironment, type Environment } from "./resolve.ts";
import { groups, settingsSchema, type Settings } from "./schema.ts";
import { at, children, docOf, unwrapped } from "./walk.ts";
import { show } from "./show.ts";

export { settingsSchema, SettingsError };
export type { Environment, Problem, Settings };

/** What a program needs to know of its stack. */
export interface Configuration {
  readonly settings: Settings;
  readonly environment: Environment;
}

/**
 * Reads a stack's whole configuration: the settings, and the variables that follow from them.
 *
 * @param raw the configuration keys without the `drydock:` prefix; each value is an object or its JSON text, as Pulumi
 *   gives it to a program.
 * @throws SettingsError with everything that is wrong, in settings and variables
 */
export function parseConfiguration(raw: Readonly<Record<string, unknown>>, stack: string): Configuration {
  const { settings, lenient, env, problems } = judgeSettings(raw, stack);
  const { environment, problems: more } = resolveEnvironment(env, { stack, settings: lenient });
  const found = new Set(problems.map(({ path }) => path));
  const all = [...problems, ...more.filter(({ path }) => !found.has(path))];
  if (settings === undefined || all.length > 0) throw new SettingsError(all, stack);
  return { settings, environment };
}

/**
 * Reads the settings only; nothing is said about the variables in `env` but that they are texts.
 *
 * @throws SettingsError with everything that is wrong
 */
export function parseSettings(raw: Readonly<Record<string, unknown>>, stack: string): Settings {
  const { settings, problems } = judgeSettings(raw, stack);
  if (settings === undefined || problems.length > 0) throw new SettingsError(problems, stack);
  return settings;
}

interface Judged {
  readonly settings: Settings | undefined;
  readonly lenient: LenientSettings;
  readonly env: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

function judgeSettings(raw: Readonly<Record<string, unknown>>, stack: string): Judged {
  const { values, env, problems: unreadable } = readRaw(raw, stack);
  const parsed = settingsSchema.safeParse({ ...values, env });
  const secrets = secretsIn(values, env);
  const issues = parsed.success ? [] : parsed.error.issues.flatMap((issue) => explain(issue, values, stack, secrets));
  const lenient = leniently(values);
  const problems = once([...unreadable, ...issues, ...checkTogether(lenient, env, stack)]);
  return { settings: parsed.data as Settings | undefined, lenient, env, problems };
}

/** One problem for each path, the first, which is the most basic one. */
function once(problems: readonly Problem[]): Problem[] {
  return [...new Map([...problems].reverse().map((problem) => [problem.path, problem])).values()].reverse();
}

/** Turns what zod found into our own words: where, what arrived, what is expected, what to do. */
function explain(issue: z.core.$ZodIssue, values: Readonly<Record<string, unknown>>, stack: string, secrets: readonly string[]): Problem[] {
  const path = issue.path.map((segment) => (typeof segment === "symbol" ? String(segment) : segment));
  if (issue.code === "unrecognized_keys") {
    const known = children(settingsSchema, path);
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      const hint = meant === undefined ? (known.length > 0 ? `expected one of ${known.join(", ")}` : "") : `is ${joinPath([...path, meant])} meant?`;
      return { path: joinPath([...path, key]), message: `is unknown: ${hint}`, remedy: removeCommand(joinPath([...path, key]), stack) };
    });
  }
  const { expects = "another value", secret, example, preset } = docOf(settingsSchema, path);
  const full = joinPath(path);
  const arrived = at(values, path);
  const remedy = secret ? secretCommand(full, "openssl rand -hex 24", stack) : example === undefined && preset === undefined ? undefined : setCommand(full, example ?? String(preset), stack);
  const message = arrived === undefined ? `is missing: expected ${expects}` : `is ${secret ? "not valid" : show(arrived, secrets)}, expected ${expects}`;
  return [{ path: full, message, ...(remedy === undefined ? {} : { remedy }) }];
}

/** Each setting that is right by itself, so that the rules between settings also speak when something else is wrong. */
function leniently(values: Readonly<Record<string, unknown>>): LenientSettings {
  const result: Record<string, Record<string, unknown>> = {};
  for (const [name, group] of Object.entries(groups)) {
    const given = values[name];
    const fields: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(unwrapped(group).shape)) {
      const parsed = (field as z.ZodType).safeParse((given as Record<string, unknown> | undefined)?.[key]);
      if (parsed.success) fields[key] = parsed.data;
    }
    result[name] = fields;
  }
  return result as LenientSettings;
}

function secretsIn(values: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>>): string[] {
  return [...Object.values(env), at(values, ["database", "rootPassword"]), at(values, ["docker", "registry", "password"])].filter((value) => typeof value === "string");
}
