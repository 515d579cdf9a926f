import type { Schema } from "../plugin/schema.ts";
import { any, canonical } from "../plugin/schema.ts";
import type { Value, Values } from "../plugin/values.ts";

/** Names that the SDK spells in its own way; all others only have another first letter. */
const SPELT: Readonly<Record<string, string>> = {
  id: "ID",
  sseAlgorithm: "SSEAlgorithm",
  kmsMasterKeyId: "KMSMasterKeyID",
  replicaKmsKeyId: "ReplicaKmsKeyID",
};
const READ = Object.fromEntries(Object.entries(SPELT).map(([ours, theirs]) => [theirs, ours]));

/** Pulumi's property names to those of the SDK, all the way down. */
export function toSdk(value: Value): any {
  return walk(value, (key) => SPELT[key] ?? key[0]!.toUpperCase() + key.slice(1));
}

export function fromSdk(value: unknown): Value {
  return walk(value, (key) => READ[key] ?? key[0]!.toLowerCase() + key.slice(1)) as Value;
}

function walk(value: unknown, name: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, name));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== undefined && key !== "$metadata")
      .map(([key, item]) => [name(key), walk(item, name)]),
  );
}

/** The live values, but as the program wrote them where they mean the same: so only real differences show. */
export function asWritten(schema: Schema, inputs: Values, live: Values): Values {
  return Object.fromEntries(
    Object.entries(live)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => {
        const before = inputs[key];
        const same =
          before !== undefined &&
          (canonical(schema[key] ?? any, before) === canonical(schema[key] ?? any, value) ||
            (typeof before === "string" && typeof value === "string" && sameJson(before, value)));
        return [key, same ? before : value];
      }),
  );
}

/**
 * Whether two policies are the same document: order of keys and of lists, and a list of one in place of its element,
 * don't count.
 */
export function sameJson(a: string, b: string): boolean {
  try {
    return meaning(JSON.parse(a)) === meaning(JSON.parse(b));
  } catch {
    return a === b;
  }
}

function meaning(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? meaning(value[0]) : `[${value.map(meaning).sort().join(",")}]`;
  if (typeof value !== "object" || value === null)
    return JSON.stringify(typeof value === "boolean" || typeof value === "number" ? String(value) : value);
  return `{${Object.entries(value)
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${meaning(item)}`)
    .join(",")}}`;
}
