import { joinPath, removeCommand, type Problem } from "./problems.ts";

/** The configuration as objects, and the variables as texts. */
export interface Raw {
  readonly values: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/**
 * Undoes what the way through Pulumi does to values: objects arrive as JSON texts, and variables that look like numbers or
 * booleans as numbers and booleans. Texts that can't be read are never quoted: they may hold secrets.
 */
export function readRaw(raw: Readonly<Record<string, unknown>>, stack: string): Raw {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const object = typeof value === "string" ? fromJson(value) : value;
    if (isObject(object)) values[key] = object;
    // `drydock:logs:` with nothing below it says nothing.
    else if (object === null || object === undefined) continue;
    else problems.push({ path: joinPath([key]), message: `is ${kind(value)}, expected an object`, remedy: removeCommand(joinPath([key]), stack) });
  }
  const { env: given = {}, ...settings } = values;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(given as object)) {
    const text = asText(value);
    if (text !== undefined) env[name] = text;
    else problems.push({ path: joinPath(["env", name]), message: `is ${kind(value)}, expected a text: ${whyText(value)}`, remedy: "Write it in quotes in the stack's file, or use `pulumi config set --type string`." });
  }
  return { values: settings, env, problems };
}

function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return String(value);
  return undefined;
}

function whyText(value: unknown): string {
  return typeof value === "number" ? "a fraction or a long number may have lost digits on its way" : "variables are texts";
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kind(value: unknown): string {
  if (value === null) return "nothing (null)";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : typeof value === "string" ? "a text" : `a ${typeof value}`;
}
