import { z } from "zod";
import { cite } from "./evaluate.ts";
import type { Rule } from "./rule.ts";

/** A rule's parameter, as its schema says. */
export interface Parameter {
  readonly name: string;
  readonly fallback: string;
  /** What it takes, in short: `list of text`, `text by name (app, horizon, …)`. */
  readonly form: string;
}

export function parametersOf(rule: Rule): Parameter[] {
  const { properties = {} } = z.toJSONSchema(rule.params as z.ZodType, { io: "input" });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    fallback: JSON.stringify((schema as { default?: unknown }).default) ?? "none",
    form: formOf(schema as Schema),
  }));
}

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly propertyNames?: Schema;
}

function formOf({ type, enum: words, items, additionalProperties, propertyNames }: Schema): string {
  if (words !== undefined) return `one of ${words.join(", ")}`;
  if (items !== undefined) return `list of: ${formOf(items)}`;
  if (typeof additionalProperties === "object")
    return `{ NAME: ${formOf(additionalProperties)} }, NAME ${formOf(propertyNames ?? {})}`;
  return (
    ({ string: "text", integer: "whole number" } as Readonly<Record<string, string>>)[type ?? ""] ?? type ?? "anything"
  );
}

/** One rule for the terminal: what, why, an example of each kind, the remedy, and how a stack changes it. */
export function explain(rule: Rule): string {
  const parameters = parametersOf(rule).map(({ name, fallback, form }) => `  ${name} (default ${fallback}): ${form}`);
  const change = {
    [rule.name]: {
      enforcementLevel: rule.level === "advisory" ? "mandatory" : "advisory",
      exclude: [{ resource: "NAME", reason: "why this one may" }],
    },
  };
  return [
    `${rule.name}: ${rule.summary}`,
    "",
    `why      ${rule.why}`,
    `source   ${cite(rule)}`,
    `level    ${rule.level}${rule.level === "remediate" ? ": repaired by the pack, refused by the guard" : ""}`,
    "scope    " +
      (rule.scope === "resource" ? "one resource, before it is created" : "the whole stack, at the end of a preview"),
    "",
    `bad      ${rule.bad}`,
    `good     ${rule.good}`,
    ...(rule.production === undefined ? [] : [`in production, besides: ${rule.production}`]),
    `remedy   ${rule.remedy}`,
    "",
    ...(parameters.length === 0 ? [] : ["parameters", ...parameters, ""]),
    "in policies/config/<stack>.json",
    `  ${JSON.stringify(change)}`,
    "",
  ].join("\n");
}
