import type { z } from "zod";
import { at } from "../lib/paths.ts";
import { VARIABLES } from "./environment.ts";
import { nearest } from "./nearest.ts";
import { joinPath, type Problem, removeCommand, secretCommand, setCommand } from "./problems.ts";
import { settingsSchema } from "./schema.ts";
import { kind, show } from "./show.ts";
import { children, docOf } from "./walk.ts";

/** All paths in the order of the documents. */
const order = [
  ...Object.keys(settingsSchema.shape).flatMap((group) => [
    [group],
    ...children(settingsSchema, [group]).map((key) => [group, key]),
  ]),
  ...VARIABLES.map(({ name }) => ["env", name]),
].map(joinPath);

function rank({ path }: Problem): number {
  const index = order.findLastIndex(
    (known) => path === known || path.startsWith(`${known}.`) || path.startsWith(`${known}[`),
  );
  return index === -1 ? order.length : index;
}

/** The first problem of each path, in the order of the stack files; none below a path that is wrong as a whole. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const paths = new Set(problems.map(({ path }) => path));
  const above = (path: string) => [...path.matchAll(/[.[]/g)].some(({ index }) => paths.has(path.slice(0, index)));
  const first = new Map([...problems].reverse().map((problem) => [problem.path, problem]));
  return [...first.values()]
    .reverse()
    .filter(({ path }) => !above(path))
    .sort((a, b) => rank(a) - rank(b));
}

/** Turns what zod found into our own words: where, what arrived, what is expected, what to do. */
export function explain(
  issue: z.core.$ZodIssue,
  values: Readonly<Record<string, unknown>>,
  stack: string,
  secrets: readonly string[],
): Problem[] {
  const path = issue.path.map((segment) => (typeof segment === "symbol" ? String(segment) : segment));
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...path, key], stack));

  const full = joinPath(path);
  if (issue.code === "invalid_key")
    return [
      {
        path: full,
        message: `has a name that is not valid, expected ${docOf(settingsSchema, path.slice(0, -1)).expects}`,
        remedy: removeCommand(full, stack),
      },
    ];

  const { expects = "an object", secret, generator, example, preset, owner, composed } = docOf(settingsSchema, path);
  const written = listInText(values, path);
  const arrived = written === undefined ? at(values, path) : at(written.list, path.slice(written.path.length));
  const shown = secret ? "not valid" : composed ? kind(arrived) : show(arrived, secrets);
  const message = arrived === undefined ? `is missing, expected ${expects}` : `is ${shown}, expected ${expects}`;
  const value = preset === undefined ? example : typeof preset === "object" ? JSON.stringify(preset) : String(preset);
  if (secret) return [{ path: full, message, remedy: secretCommand(full, generator, stack) }];
  // Pulumi sets no element of a text: the list is set as a whole, as it was.
  const whole = written && docOf(settingsSchema, written.path).example;
  if (written !== undefined && whole !== undefined)
    return [{ path: full, message, remedy: setCommand(joinPath(written.path), whole, stack) }];
  const remedy =
    value === undefined || composed ? removeCommand(full, stack) : setCommand(joinPath(owner), value, stack);
  return [{ path: full, message, remedy }];
}

/** The list that a path leads into, where it was written as JSON text, and its own path. */
function listInText(
  values: Readonly<Record<string, unknown>>,
  path: readonly (string | number)[],
): { readonly list: unknown; readonly path: readonly (string | number)[] } | undefined {
  const end = path.findIndex(
    (segment, index) => typeof segment === "number" && isText(at(values, path.slice(0, index))),
  );
  if (end === -1) return undefined;
  const owner = path.slice(0, end);
  try {
    return { list: JSON.parse(at(values, owner) as string), path: owner };
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string";

function unknownKey(path: readonly (string | number)[], stack: string): Problem {
  const known = children(settingsSchema, path.slice(0, -1));
  const meant = nearest(String(path.at(-1)), known);
  const hint =
    meant === undefined
      ? `expected one of ${known.join(", ")}`
      : `is ${joinPath([...path.slice(0, -1), meant])} meant?`;
  return { path: joinPath(path), message: `is unknown: ${hint}`, remedy: removeCommand(joinPath(path), stack) };
}
