import { joinPath, type Problem, removeCommand, textCommand } from "./problems.ts";
import { kind } from "./show.ts";

/** Groups that are lists. */
const LISTS = ["domains"];

/** The configuration as objects, and the variables as texts. */
export interface Raw {
  readonly values: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/**
 * Undoes what the way through Pulumi does to values: objects arrive as JSON texts, and variables that look like numbers
 * or booleans as numbers and booleans. Texts that can't be read are never quoted: they may hold secrets.
 */
export function readRaw(raw: Readonly<Record<string, unknown>>, stack: string): Raw {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const object = typeof value === "string" ? fromJson(value) : value;
    if (isObject(object) || (LISTS.includes(key) && Array.isArray(object))) values[key] = object;
    // `drydock:logs:` with nothing below it says nothing.
    else if (object === null || object === undefined) continue;
    else
      problems.push({
        path: joinPath([key]),
        message: `is ${kind(value)}, expected an object`,
        remedy: removeCommand(joinPath([key]), stack),
      });
  }
  const { env: given = {}, ...settings } = values;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(given as object)) {
    const text = asText(value);
    if (text !== undefined) env[name] = text;
    else {
      const path = joinPath(["env", name]);
      problems.push({
        path,
        message: `is ${kind(value)}, expected ${whatText(value)}`,
        remedy: textCommand(path, "VALUE", stack),
      });
    }
  }
  return { values: settings, env, problems };
}

function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return String(value);
  return undefined;
}

function whatText(value: unknown): string {
  if (typeof value === "number") return "a text in quotes: as a number it may have lost digits on its way";
  return value === null ? 'a text, "" if it shall be empty' : "a text";
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
