import { z } from "zod";
import type { FieldDoc } from "./fields.ts";

type Path = readonly (string | number)[];

/** What is known of a setting from its schema and everything that wraps it. */
export interface Doc extends FieldDoc {
  /** The default, if it is a value. */
  readonly preset?: unknown;
  /** Where the described setting is: the path, or for an entry of a list or map the path of the whole. */
  readonly owner: Path;
  /** Whether it has parts, so that a text in its place could be anything. */
  readonly composed: boolean;
}

/** The schema inside `optional`, `default`, `prefault` and transformations. */
export function unwrapped(schema: z.core.$ZodType): z.ZodObject {
  let inner = schema;
  for (let next = inside(inner); next !== undefined; next = inside(inner)) inner = next;
  return inner as z.ZodObject;
}

function inside(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return schema.unwrap();
  // A preprocessing step keeps what is accepted in `out`, a transformation of the result in `in`.
  if (schema instanceof z.ZodPipe) return schema.in instanceof z.ZodTransform ? schema.out : schema.in;
  return undefined;
}

/** Description, expectation and default of the setting at a path. */
export function docOf(schema: z.ZodType, path: Path): Doc {
  let current: z.core.$ZodType = schema;
  let doc: Doc = { ...collect(current), owner: [], composed: true };
  for (const [index, segment] of path.entries()) {
    const next = step(current, segment);
    if (next === undefined) return doc;
    const inner: z.core.$ZodType = unwrapped(next);
    const found = {
      ...collect(next),
      owner: path.slice(0, index + 1),
      composed: inner instanceof z.ZodObject || inner instanceof z.ZodRecord,
    };
    // An entry of a list or a map that says nothing itself is described by the whole.
    doc = found.expects === undefined && !found.composed ? doc : found;
    current = next;
  }
  return doc;
}

function collect(schema: z.core.$ZodType): FieldDoc & { preset?: unknown } {
  const doc: Record<string, unknown> = {};
  for (let current: z.core.$ZodType | undefined = schema; current !== undefined; current = inside(current)) {
    if (current instanceof z.ZodDefault) doc["preset"] ??= current.def.defaultValue;
    for (const [key, value] of Object.entries((current as z.ZodType).meta() ?? {})) doc[key] ??= value;
  }
  return doc;
}

function step(schema: z.core.$ZodType, segment: string | number): z.core.$ZodType | undefined {
  const inner: z.core.$ZodType = unwrapped(schema);
  if (inner instanceof z.ZodObject) return Object.hasOwn(inner.shape, segment) ? inner.shape[segment] : undefined;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  if (inner instanceof z.ZodArray) return inner.element;
  return undefined;
}

/** The keys that an object at this path may have; none where they are free. */
export function children(schema: z.ZodType, path: Path): string[] {
  let current: z.core.$ZodType | undefined = schema;
  for (const segment of path) current = current && step(current, segment);
  const inner: z.core.$ZodType | undefined = current && unwrapped(current);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}
