import { z } from "zod";
import { commandTexts, type When } from "../helpers/commands.ts";
import { type Container, containerOf } from "../helpers/container.ts";
import { type Found, find } from "../helpers/env.ts";
import type { Mount } from "../helpers/mounts.ts";
import type { Resource } from "../helpers/resources.ts";
import type { Context, Report, ResourceRule, SettingFix } from "../rule.ts";
import { ROLES, type Role } from "../settings.ts";

/** Parameters of a rule that has none of its own. */
export const none = z.strictObject({});

export const rolesParam = (roles: readonly Role[]) => z.array(z.enum(ROLES)).default([...roles]);

/** A check of a container or a service. */
export function onContainer<P>(
  check: (container: Container, report: Report, context: Context<P>) => void,
): ResourceRule<P>["check"] {
  return (resource, report, context) => check(containerOf(resource, context.settings), report, context);
}

/** The same for containers of the roles in the rule's parameters. */
export function onRoles<P extends { readonly roles: readonly Role[] }>(
  check: (container: Container, report: Report, context: Context<P>) => void,
): ResourceRule<P>["check"] {
  return onContainer((container, report, context) => {
    if (container.role !== undefined && context.params.roles.includes(container.role))
      check(container, report, context);
  });
}

/** A check of each mount of a container; undecided by those that the preview doesn't know. */
export function onMounts<P>(
  check: (mount: Mount, path: string, report: Report, container: Container) => void,
): ResourceRule<P>["check"] {
  return onContainer((container, report) => {
    for (const { value, path } of container.mounts.known) check(value, path, report, container);
    for (const path of container.mounts.unknown) report.undecided(path);
  });
}

/**
 * A check of each command line of a resource; undecided by those that the preview doesn't know.
 * @param which of a command resource; all of them when left out
 */
export function onCommands<P>(
  check: (line: string, path: string, report: Report) => void,
  which?: readonly When[],
): ResourceRule<P>["check"] {
  return (resource, report, { settings }) => {
    const texts = commandTexts(resource, settings, which);
    for (const { value, path } of texts.known) check(value, path, report);
    for (const path of texts.unknown) report.undecided(path);
  };
}

/** Where a variable that is missing would be written. */
export function envPath(container: Container): string {
  return container.path("envs", "taskSpec.containerSpec.env");
}

/** Demands a variable: a violation where it is certainly absent, undecided where it can't be said. */
export function demand(
  container: Container,
  report: Report,
  key: string,
  missing: string,
): (Found & { is: "present" }) | undefined {
  const found = find(container.env, key);
  if (found.is === "absent") report.violation(envPath(container), missing);
  else if (found.is === "undecided") report.undecided(found.path);
  return found.is === "present" ? found : undefined;
}

export function titles(resources: readonly Resource[]): string {
  return resources.map((resource) => resource.title).join(", ");
}

/** Why no setting fixes what a rule finds in a resource of Drydock's own: what would have to be changed instead. */
export const noSetting = {
  container: { none: "components/ writes it for every container" },
  commands: { none: "the commands are Drydock's, in commands/" },
  environment: { none: "every role is given one block, which components/laravel.ts makes" },
  mounts: { none: "Drydock mounts volumes alone, which components/ makes" },
  ports: { none: "the proxy alone publishes a port, which components/proxy.ts says" },
  bucket: { none: "components/privateBucket.ts and its like write it for every bucket" },
} as const;

/** Commands that print a new secret. */
export const PASSWORD = "openssl rand -hex 24";
export const APP_KEY = 'echo "base64:$(openssl rand -base64 32)"';

/**
 * A key in the group of settings of a container's role: a worker and a service have names of their own, the companion
 * of the agent keys.
 */
export function inGroup(group: string, key: string, value: string): SettingFix {
  // What a second Redis is beside its memory is the first one's.
  if (group.startsWith("redis") && ["uid", "gid", "image"].includes(key)) return { path: `redis.${key}`, value };
  // Whom the application's own run as is its to say, and the database's and the proxy's are theirs.
  if (["uid", "gid"].includes(key) && !["database", "proxy", "services", "monitoring"].includes(group))
    return { path: `app.${key}`, value };
  if (group === "monitoring" && key === "memory") return { path: "monitoring.memory.prometheus", value };
  if (group === "workers" || group === "services") return { path: `${group}.NAME.${key}`, value };
  return { path: `${group}.${key}`, value };
}
