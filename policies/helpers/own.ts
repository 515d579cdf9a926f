import { SETTINGS_OF } from "../../config/roles.ts";
import type { Rule } from "../rule.ts";
import type { Settings } from "../settings.ts";
import { containerOf, isContainerType } from "./container.ts";
import { find } from "./env.ts";
import type { Resource } from "./resources.ts";
import { at, items, text } from "./values.ts";

/** Whether a resource belongs to production: by its stack, by the settings, or by its own APP_ENV. */
export function isProduction(resource: Resource, settings: Settings): boolean {
  if (settings.stageOf(resource.stack) === "production" && settings.facts !== undefined) return true;
  if (!isContainerType(resource.type)) return settings.stageOf(resource.stack) === "production";
  const own = find(containerOf(resource, settings).env, "APP_ENV");
  return settings.stageOf(resource.stack, own.is === "present" ? own.value : undefined) === "production";
}

/** Whether Drydock itself made a resource: it carries the stack's label. */
export function isOwn(resource: Resource): boolean {
  return items(at(resource.props, "labels"), "labels", (entry) => text(at(entry, "label"))).known.some(({ value }) => value === "drydock.stack");
}

/**
 * What to do: a setting where the resource is Drydock's own, because its user writes no Pulumi inputs; the rule's own words for every other
 * program.
 */
export function remedyFor(rule: Rule, resource: Resource, property: string, settings: Settings): string {
  if (!isOwn(resource)) return rule.remedy;
  const role = isContainerType(resource.type) ? containerOf(resource, settings).role : undefined;
  const setting = rule.setting?.(role === undefined ? "app" : SETTINGS_OF[role], property);
  if (setting !== undefined) return `pulumi config set --path drydock:${setting} --stack ${resource.stack}`;
  return `${rule.remedy}\nDrydock made this resource, and no setting leads here: look at what was changed in components/`;
}
