import { z } from "zod";
import { isOptional } from "./optional.ts";
import { settingsSchema } from "./schema.ts";
import { docOf, unwrapped } from "./walk.ts";

/** What a setting may be, in the terms that TypeScript and Pulumi's schemas share. */
export type Kind =
  | { readonly is: "string" | "number" | "integer" | "boolean" }
  | { readonly is: "choice"; readonly of: readonly string[] }
  | { readonly is: "list" | "map"; readonly of: Kind }
  | { readonly is: "object"; readonly name: string };

/** A setting, as a property of the group that it is in. */
export interface Property {
  readonly name: string;
  readonly kind: Kind;
  /** One sentence, without a full stop. */
  readonly description: string;
  /** What is accepted. */
  readonly expects: string | undefined;
  /** The default in words, if it has one. */
  readonly fallback: string | undefined;
  readonly required: boolean;
  readonly secret: boolean;
}

/** A group of settings, or an object inside one. */
export interface ObjectType {
  readonly name: string;
  readonly description: string;
  readonly properties: readonly Property[];
}

/** Groups that no application's stack has: a machine's edge is a stack of its own. */
const ELSEWHERE: readonly string[] = ["edge"];

/** All objects that settings consist of; the first one is the whole. */
export function objectTypes(): readonly ObjectType[] {
  const types: ObjectType[] = [];
  add("Stack", [], settingsSchema, "A whole stack's settings");
  return types;

  function add(name: string, path: readonly string[], schema: z.ZodObject, description: string): void {
    const index = types.push({ name, description, properties: [] }) - 1;
    const properties = Object.entries(schema.shape)
      .filter(([key]) => !(path.length === 0 && ELSEWHERE.includes(key)))
      .map(([key, field]) => property(name, [...path, key], field));
    types[index] = { name, description, properties };
  }

  function property(owner: string, path: readonly string[], field: z.core.$ZodType): Property {
    const doc = docOf(settingsSchema, path);
    const name = path.at(-1)!;
    const preset = doc.preset === undefined ? doc.computed?.replace(/\*\*/g, "") : JSON.stringify(doc.preset);
    const prefix = owner === "Stack" ? "" : owner;
    return {
      name,
      kind: kindOf(`${prefix}${name[0]!.toUpperCase()}${name.slice(1)}`, path, field, doc.description ?? ""),
      description: doc.description ?? "",
      expects: doc.expects,
      fallback: preset,
      required: preset === undefined && !isOptional(path),
      secret: doc.secret === true,
    };
  }

  function kindOf(name: string, path: readonly string[], schema: z.core.$ZodType, description: string): Kind {
    const inner: z.core.$ZodType = unwrapped(schema);
    if (inner instanceof z.ZodObject) {
      add(name, path, inner, description);
      return { is: "object", name };
    }
    const one = name.replace(/s$/, "");
    if (inner instanceof z.ZodRecord)
      return { is: "map", of: kindOf(one, [...path, "name"], inner.valueType, description) };
    if (inner instanceof z.ZodArray) return { is: "list", of: kindOf(one, [...path, "0"], inner.element, description) };
    if (inner instanceof z.ZodEnum) return { is: "choice", of: inner.options.map(String) };
    if (inner instanceof z.ZodString) return { is: "string" };
    if (inner instanceof z.ZodNumber) return { is: inner.isInt ? "integer" : "number" };
    if (inner instanceof z.ZodBoolean) return { is: "boolean" };
    // What arrives as text as well: the first of its forms is meant.
    if (inner instanceof z.ZodUnion) return kindOf(name, path, inner.options[0]!, description);
    throw new Error(`${path.join(".")} is of a kind that no type is known for: ${inner.constructor.name}`);
  }
}
