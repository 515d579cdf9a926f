import type { Value, Values } from "./values.ts";
import { UNKNOWN } from "./values.ts";

/** The shape of an input: what is accepted, its default, and what a change of it means. */
export interface Field {
  readonly kind: "string" | "integer" | "boolean" | "any" | "list" | "set" | "map" | "object";
  /** Element of a list, set or map. */
  readonly of?: Field;
  readonly fields?: Schema;
  readonly required?: true;
  readonly default?: Value;
  readonly oneOf?: readonly string[];
  readonly pattern?: RegExp;
  /**
   * Changed in place; "same count": where a set has as many elements as before. @default a change replaces the resource
   */
  readonly inPlace?: true | "same count";
  /** Where no value is given, the one that was read holds; so does it for an empty text. */
  readonly computed?: true;
}
export type Schema = { readonly [name: string]: Field };

export const str: Field = { kind: "string" };
export const int: Field = { kind: "integer" };
export const bool: Field = { kind: "boolean" };
export const any: Field = { kind: "any" };
export const list = (of: Field): Field => ({ kind: "list", of });
/** A list whose order means nothing. */
export const set = (of: Field): Field => ({ kind: "set", of });
export const map = (of: Field): Field => ({ kind: "map", of });
export const object = (fields: Schema): Field => ({ kind: "object", fields });
export const required = (field: Field): Field => ({ ...field, required: true });
export const withDefault = (field: Field, value: Value): Field => ({ ...field, default: value });
export const inPlace = (field: Field): Field => ({ ...field, inPlace: true });
export const computed = (field: Field): Field => ({ ...field, computed: true });

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/**
 * Checks inputs against a schema and fills in defaults. An input that the schema doesn't have is a failure that names
 * it.
 */
export function check(schema: Schema, inputs: Values, path = ""): { values: Values; failures: Failure[] } {
  const failures: Failure[] = [];
  const values: Values = {};
  for (const key of Object.keys(inputs)) {
    if (key.startsWith("__")) continue; // the engine's and the official plugins' own marks
    if (schema[key] === undefined) {
      failures.push({
        property: path + key,
        reason:
          `the offline stand-in does not implement the input "${path + key}"; leave it out, ` +
          "or install the official plugin",
      });
    }
  }
  for (const [key, field] of Object.entries(schema)) {
    const value = inputs[key] ?? field.default;
    if (value === undefined || value === null) {
      if (field.required)
        failures.push({ property: path + key, reason: `"${path + key}" is required and was not given` });
      continue;
    }
    values[key] = checkField(field, value, path + key, failures);
  }
  return { values, failures };
}

function checkField(field: Field, value: Value, path: string, failures: Failure[]): Value {
  if (value === UNKNOWN || field.kind === "any") return value;
  const wrong = (expected: string): Value => {
    failures.push({
      property: path,
      reason: `"${path}" should be ${expected}, but is ${Array.isArray(value) ? "a list" : `of type ${typeof value}`}`,
    });
    return value;
  };
  switch (field.kind) {
    case "string":
      if (typeof value === "object") return wrong("a string");
      if (field.oneOf && !field.oneOf.includes(String(value))) return wrong(`one of ${field.oneOf.join(", ")}`);
      if (field.pattern && !field.pattern.test(String(value)))
        return wrong(`a string that matches ${field.pattern.source}`);
      return String(value);
    case "integer": {
      const number = typeof value === "string" && value !== "" ? Number(value) : value;
      return typeof number === "number" && Number.isInteger(number) ? number : wrong("a whole number");
    }
    case "boolean":
      return typeof value === "boolean"
        ? value
        : value === "true"
          ? true
          : value === "false"
            ? false
            : wrong("true or false");
    case "list":
    case "set":
      if (!Array.isArray(value)) return wrong("a list");
      return value.map((item, i) => checkField(field.of ?? any, item, `${path}[${i}]`, failures));
    case "map":
      if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong("a map");
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          checkField(field.of ?? any, item, `${path}.${key}`, failures),
        ]),
      );
    case "object": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong("an object");
      const inner = check(field.fields ?? {}, value, `${path}.`);
      failures.push(...inner.failures);
      return inner.values;
    }
  }
}

export interface Change {
  readonly key: string;
  readonly kind: "add" | "update" | "delete";
  readonly replace: boolean;
}

/** What has changed between a state, or checked inputs, and new checked inputs: one entry for each top-level input. */
export function changes(schema: Schema, olds: Values, news: Values): Change[] {
  const found: Change[] = [];
  for (const [key, field] of Object.entries(schema)) {
    const before = canonical(field, olds[key]);
    const after = canonical(field, news[key]);
    if (before === after || (field.computed && isOpen(news[key]))) continue;
    const count = (value: Value | undefined): number => (Array.isArray(value) ? value.length : 0);
    const replace =
      field.inPlace === undefined || (field.inPlace === "same count" && count(olds[key]) !== count(news[key]));
    found.push({ key, kind: before === "" ? "add" : after === "" ? "delete" : "update", replace });
  }
  return found;
}

/** No value is given: zero and false are values, an empty text or list is none. */
const isOpen = (value: Value | undefined): boolean => value !== 0 && value !== false && canonical(any, value) === "";

/** The inputs with live values in place of what was given, order and all kept where it is the same. */
export function followed(schema: Schema, inputs: Values, live: Values): Values {
  const same = (key: string): boolean =>
    canonical(schema[key] ?? any, live[key]) === canonical(schema[key] ?? any, inputs[key]);
  return Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => [key, key in live && !same(key) ? live[key]! : value]),
  );
}

/** One text for all spellings of the same value: sets sorted, and empty, zero and false the same as absent. */
export function canonical(field: Field, value: Value | undefined): string {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return "";
  if (value === UNKNOWN) return UNKNOWN;
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(field.of ?? any, item));
    return items.length === 0 ? "" : `[${(field.kind === "set" ? items.sort() : items).join(",")}]`;
  }
  if (typeof value === "object") {
    const entries = Object.keys(value)
      .sort()
      .map((key) => [key, canonical(field.fields?.[key] ?? field.of ?? any, value[key])] as const)
      .filter(([key, text]) => text !== "" && !key.startsWith("__"));
    return entries.length === 0 ? "" : `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
