import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Facts } from "../config/facts.ts";
import { parseConfig } from "./evaluate.ts";
import { SETTINGS_POLICY } from "./names.ts";
import type { Level, Rule } from "./rule.ts";
import { parseSettings, type Settings } from "./settings.ts";

/**
 * A rule's entry in a `--policy-pack-config` file: a level, or an object with `enforcementLevel`, `exclude` and the
 * rule's parameters.
 */
type Entry = string | Readonly<Record<string, unknown>>;

const LEVELS = ["mandatory", "advisory", "remediate", "disabled"] as const;

/** What a stack's file says, judged as the engine and the rules will judge it. */
export interface StackConfiguration {
  readonly settings: Settings;
  levelOf(rule: Rule): Level | "disabled";
  configOf(rule: Rule): Readonly<Record<string, unknown>>;
}

/** The file of a stack, for `--policy-pack-config`; nothing where it has none. */
export function configurationFile(stack: string, folder = join(import.meta.dirname, "config")): string | undefined {
  const file = join(folder, `${stack}.json`);
  return /^[\w.-]+$/.test(stack) && existsSync(file) ? file : undefined;
}

export function readConfiguration(
  stack: string,
  rules: readonly Rule[],
  folder?: string,
  facts?: Facts,
): StackConfiguration {
  const file = configurationFile(stack, folder);
  const entries = file === undefined ? {} : (JSON.parse(readFileSync(file, "utf8")) as Record<string, Entry>);
  return judgeConfiguration(entries, rules, file ?? "", facts);
}

/**
 * Checks a whole file. The engine itself takes unknown names without a word, so a typo would switch nothing off and
 * nobody would know.
 * @throws Error with file, key and remedy
 */
export function judgeConfiguration(
  entries: Readonly<Record<string, Entry>>,
  rules: readonly Rule[],
  file: string,
  facts?: Facts,
): StackConfiguration {
  for (const [name, entry] of Object.entries(entries)) {
    const level = typeof entry === "string" ? entry : entry["enforcementLevel"];
    const rule = rules.find((one) => one.name === name);
    if (rule === undefined && ![SETTINGS_POLICY, "all"].includes(name))
      throw new Error(`${file}: no rule is called ${name}. See the names with ./drydock policies`);
    if (level !== undefined && !LEVELS.some((known) => known === level))
      throw new Error(`${file}: ${name} has a level that does not exist. Use one of ${LEVELS.join(", ")}`);
    if (level === "remediate" && rule !== undefined && rule.level !== "remediate")
      throw new Error(`${file}: ${name} can't repair anything. Use mandatory, advisory or disabled`);
    if (rule !== undefined) parseConfig(rule, parametersOf(entry));
  }
  const all = entries["all"];
  const settings = entries[SETTINGS_POLICY];
  return {
    settings: parseSettings(settings === undefined ? {} : parametersOf(settings), facts),
    levelOf: (rule) => (levelOf(entries[rule.name]) ?? levelOf(all) ?? rule.level) as Level | "disabled",
    configOf: (rule) => parametersOf(entries[rule.name] ?? {}),
  };
}

function levelOf(entry: Entry | undefined): unknown {
  return typeof entry === "string" ? entry : entry?.["enforcementLevel"];
}

function parametersOf(entry: Entry): Readonly<Record<string, unknown>> {
  if (typeof entry === "string") return {};
  const { enforcementLevel: _, ...parameters } = entry;
  return parameters;
}
