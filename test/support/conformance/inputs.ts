import type { Field, Schema } from "../../../offline/plugin/schema.ts";
import { UNKNOWN, type Value, type Values } from "../../../offline/plugin/values.ts";
import type { Shape, Shapes } from "./sdk.ts";

/** What the SDK would not take of a resource's inputs. */
export function refused(values: Values, shapes: Shapes, path = ""): string[] {
  const missing = Object.entries(shapes)
    .filter(([key, { required }]) => required && values[key] === undefined)
    .map(([key]) => `${path}${key} is required, and not given`);
  return [
    ...missing,
    ...Object.entries(values).flatMap(([key, value]) => {
      const shape = shapes[key];
      return shape === undefined ? [`${path}${key} is no input of the SDK's`] : wrong(value, shape, path + key);
    }),
  ];
}

function wrong(value: Value, shape: Shape, path: string): string[] {
  if (value === UNKNOWN || shape.kind === "any") return [];
  const found = Array.isArray(value) ? "list" : typeof value;
  const wanted = shape.kind === "map" ? "object" : shape.kind;
  if (found !== wanted) return [`${path} is a ${found}, the SDK takes a ${shape.kind}`];
  if (shape.kind === "list") return (value as Value[]).flatMap((item, i) => wrong(item, shape.of!, `${path}[${i}]`));
  if (shape.kind === "map")
    return Object.entries(value as Values).flatMap(([key, item]) => wrong(item, shape.of!, `${path}.${key}`));
  return shape.kind === "object" ? refused(value as Values, shape.fields!, `${path}.`) : [];
}

const KINDS: Readonly<Record<Field["kind"], Shape["kind"]>> = {
  string: "string",
  integer: "number",
  boolean: "boolean",
  any: "any",
  list: "list",
  set: "list",
  map: "map",
  object: "object",
};

/** Inputs that a plugin adds when it checks a program's: Pulumi's own does, too, and no SDK has them. */
const ADDED = new Set(["build.contextDigest"]);

/** In what a stand-in's schema is another than the SDK's types and documentation, for the inputs that it has. */
export function differences(schema: Schema, shapes: Shapes, path = ""): string[] {
  return Object.entries(schema).flatMap(([key, field]) => {
    const shape = shapes[key];
    if (ADDED.has(path + key)) return [];
    if (shape === undefined) return [`${path}${key} is no input of the SDK's`];
    return [...defaults(field, shape, path + key), ...unlike(field, shape, path + key)];
  });
}

function unlike(field: Field, shape: Shape, path: string): string[] {
  const kind = KINDS[field.kind];
  if (kind === "any" || shape.kind === "any") return [];
  if (kind !== shape.kind) return [`${path} is a ${kind}, in the SDK a ${shape.kind}`];
  if (shape.required && field.required !== true) return [`${path} may be left out, in the SDK it may not`];
  if (field.of !== undefined && shape.of !== undefined)
    return unlike({ ...field.of, required: true }, shape.of, `${path}[]`);
  return kind === "object" ? differences(field.fields!, shape.fields!, `${path}.`) : [];
}

/** One that says nothing (false, 0) makes no difference where it is written out; a computed one is Docker's. */
function defaults({ default: value, computed }: Field, shape: Shape, path: string): string[] {
  if (computed === true && value === undefined) return [];
  const said = (one: unknown): string => (["false", "0", "", "undefined"].includes(String(one)) ? "" : String(one));
  if (shape.default === undefined || said(value) === said(shape.default)) return [];
  return [`${path} has the default ${value ?? "none"}, in the SDK's documentation ${shape.default}`];
}

/** An input in the schema that a plugin answers, in the notation of Pulumi's package schema. */
export interface Property {
  readonly default?: unknown;
  readonly replaceOnChanges?: boolean;
  readonly willReplaceOnChanges?: boolean;
}

/**
 * In what a stand-in's schema is another than the plugin's own: the defaults, and which change replaces the resource.
 * @param replaces whether the plugin's schema says anything of replacements
 */
export function disagreements(
  schema: Schema,
  properties: Readonly<Record<string, Property>>,
  replaces: boolean,
): string[] {
  return Object.entries(schema).flatMap(([key, field]) => {
    const property = properties[key];
    if (property === undefined) return [`${key} is no input of the plugin's`];
    const theirs = property.replaceOnChanges === true || property.willReplaceOnChanges === true;
    // Of a set's elements Pulumi's own says, too, that a change replaces; it does where their number changes.
    const ours = field.inPlace !== true;
    const own = property.default === undefined ? {} : { default: String(property.default) };
    return [
      ...defaults(field, { kind: "any", required: false, ...own }, key),
      ...(replaces && theirs !== ours ? [`a change of ${key} replaces: ${ours}, with the plugin ${theirs}`] : []),
    ];
  });
}
