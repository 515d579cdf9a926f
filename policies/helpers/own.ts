import { SETTINGS_OF } from "../../config/roles.ts";
import type { Rule, SettingFix } from "../rule.ts";
import type { Settings } from "../settings.ts";
import { containerOf, isContainerType } from "./container.ts";
import { find } from "./env.ts";
import type { Resource } from "./resources.ts";
import { items, propertyAt, text } from "./values.ts";

/** Whether a resource belongs to production: by its stack, by the settings, or by its own APP_ENV. */
export function isProduction(resource: Resource, settings: Settings): boolean {
  if (settings.stageOf(resource.stack) === "production" && settings.facts !== undefined) return true;
  if (!isContainerType(resource.type)) return settings.stageOf(resource.stack) === "production";
  const own = find(containerOf(resource, settings).env, "APP_ENV");
  return settings.stageOf(resource.stack, own.is === "present" ? own.value : undefined) === "production";
}

/** Whether Drydock itself made a resource: it carries the stack's label. */
function isOwn(resource: Resource): boolean {
  return items(propertyAt(resource.props, "labels"), "labels", (entry) => text(propertyAt(entry, "label"))).known.some(
    ({ value }) => value === "drydock.stack",
  );
}

/**
 * What to do: a setting where the resource is Drydock's own, because its user writes no Pulumi inputs; the rule's own
 * words for every other program.
 */
export function remedyFor(rule: Rule, resource: Resource, property: string, settings: Settings): string {
  if (!isOwn(resource)) return rule.remedy;
  const role = isContainerType(resource.type) ? containerOf(resource, settings).role : undefined;
  const { setting } = rule;
  const fix =
    typeof setting === "function" ? setting(role === undefined ? "app" : SETTINGS_OF[role], property) : undefined;
  if (fix !== undefined) return commandOf(fix, resource.stack);
  const why = typeof setting === "function" ? "look at what was changed in components/" : setting.none;
  return `${rule.remedy}\nDrydock made this resource, and no setting leads here: ${why}`;
}

/** The command that fixes a setting. */
export function commandOf(fix: SettingFix, stack: string): string {
  const path = /["[]/.test(fix.path) ? `'drydock:${fix.path}'` : `drydock:${fix.path}`;
  if ("removed" in fix) return `pulumi config rm --path ${path} --stack ${stack}`;
  // A secret goes on no command line.
  if ("from" in fix) return `${fix.from} | pulumi config set --secret --path ${path} --stack ${stack}`;
  return `pulumi config set --path ${path} ${fix.value} --stack ${stack}`;
}
