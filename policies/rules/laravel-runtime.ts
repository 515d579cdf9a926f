import { z } from "zod";
import type { Container } from "../helpers/container.ts";
import { isWithin } from "../helpers/mounts.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { isUnknown, num } from "../helpers/values.ts";
import { resourceRule, stackRule } from "../rule.ts";
import { LARAVEL, ROLES } from "../settings.ts";
import { inGroup, none, noSetting, onContainer, onRoles, rolesParam } from "./shared.ts";

export const codeFromImageOnly = resourceRule({
  name: "code-from-image-only",
  family: "laravel",
  level: "mandatory",
  source: ["incident 6"],
  summary: "The application's code comes from the image: nothing is mounted over it.",
  why: "code in a volume stays old after a deployment, and OPcache keeps the old code even when the files change",
  remedy: "delete the mount and COPY the code in the Dockerfile; only storage and bootstrap/cache may be mounted",
  setting: () => ({ path: 'app.persistent["FOLDER"]', removed: true }),
  bad: 'volumes: [{ hostPath: "/srv/shop", containerPath: "/var/www/html" }]',
  good: 'volumes: [{ volumeName: storage.name, containerPath: "/var/www/html/storage/app" }]',
  types: CONTAINERS,
  params: z.strictObject({
    roles: rolesParam(LARAVEL),
    writable: z.array(z.string()).default(["storage", "bootstrap/cache"]),
  }),
  check: onRoles((container, report, { params }) => {
    const folders = codeFolders(container);
    const kept = (container.settings.facts?.persistent ?? []).filter((path) => !CODE.has(path.split("/")[0]!));
    const open = folders.flatMap((folder) => [...params.writable, ...kept].map((path) => `${folder}/${path}`));
    for (const {
      value: { target },
      path,
    } of container.mounts.known) {
      if (isUnknown(target)) report.undecided(target.path);
      if (typeof target !== "string" || open.some((folder) => isWithin(target, folder))) continue;
      if (folders.some((folder) => isWithin(target, folder) || isWithin(folder, target)))
        report.violation(path, "is mounted over the application's code");
    }
    for (const path of container.mounts.unknown) report.undecided(path);
  }),
});

/** Folders of a Laravel application that hold code: none of them is kept over a release, whatever the settings say. */
const CODE = new Set(["app", "bootstrap", "config", "database", "lang", "resources", "routes", "vendor"]);

/** Where a container's code can be: the working directory, if it is said, else the usual places. */
function codeFolders(container: Container): readonly string[] {
  const { value } = container.workingDir;
  return typeof value === "string" && value !== "/" && value !== ""
    ? [value, ...container.settings.appPaths]
    : container.settings.appPaths;
}

export const nonRootUid = resourceRule({
  name: "non-root-uid",
  family: "laravel",
  level: "mandatory",
  source: ["incident 9", "incidents, forty-eight hours", "D4.1", "CK_DOCKER_8"],
  summary:
    "A container runs as a user that is named and not root: the configured one, where Drydock's settings or this " +
    "rule's say it.",
  why: "the container ran as one uid and the files belonged to another: permission denied on every compiled view",
  remedy: 'user: "1000:1000" (the uid that owns the files), or set the rule\'s uids',
  setting: (group) => inGroup(group, "uid", "1000"),
  bad: 'no user, or user: "root"',
  good: 'user: "1000:1000"',
  production: "The user is known in the preview.",
  types: CONTAINERS,
  params: z.strictObject({
    /** uid by role; left out, those of Drydock's settings, or any. */
    uids: z.partialRecord(z.enum(ROLES), z.number().int().positive()).default({}),
  }),
  check: onContainer((container, report, { params, settings: { facts } }) => {
    const { value, path } = container.user;
    if (isUnknown(value)) return report.mustKnow(path);
    const user = (value ?? "").split(":")[0]!.trim();
    if (user === "") return report.violation(path, "no user is set, and an image's own may be root");
    if (user.toLowerCase() === "root" || Number(user) === 0) return report.violation(path, "runs as root");
    const expected = container.role === undefined ? undefined : { ...facts?.uids, ...params.uids }[container.role];
    if (expected !== undefined && num(user) !== expected)
      report.violation(path, `is not the uid of role ${container.role}, ${expected}`);
  }),
});

export const laravelUidIdentical = stackRule({
  name: "laravel-uid-identical",
  family: "laravel",
  level: "mandatory",
  source: ["incident 9"],
  summary: "All roles of the application run as one user.",
  why: "they share storage: what one of them writes, the others must be able to read and to delete",
  remedy: 'give every role the same user: user: "1000:1000"',
  setting: () => ({ path: "app.uid", value: "1000" }),
  bad: 'app: user "1000", horizon: user "33"',
  good: 'app and horizon: user "1000:1000"',
  params: z.strictObject({ roles: rolesParam(LARAVEL) }),
  check(stack, { params, on }) {
    let first: { readonly title: string; readonly user: string } | undefined;
    for (const container of stack.withRole(...params.roles)) {
      const { value, path } = container.user;
      if (isUnknown(value)) on(container.resource).undecided(path);
      // Whether there is a user at all is another rule's question.
      if (isUnknown(value) || value === undefined || value === "") continue;
      const user = value.split(":")[0]!;
      first ??= { title: container.resource.title, user };
      if (user !== first.user) on(container.resource).violation(path, `is another user than that of ${first.title}`);
    }
  },
});

export const storageWritable = resourceRule({
  name: "storage-writable",
  family: "laravel",
  level: "mandatory",
  source: ["incident 9"],
  summary: "Where the root is read-only, storage and bootstrap/cache are volumes or tmpfs.",
  why: "Laravel writes compiled views, logs and caches; without a place for them every page is an error 500",
  remedy:
    'tmpfs: { "/var/www/html/storage/framework": "uid=1000", "/var/www/html/storage/logs": "uid=1000", ' +
    '"/var/www/html/bootstrap/cache": "uid=1000" }',
  setting: noSetting.container,
  bad: "readOnly: true and no mounts",
  good: "readOnly: true with tmpfs for storage and bootstrap/cache",
  types: CONTAINERS,
  params: z.strictObject({
    roles: rolesParam(LARAVEL),
    folders: z.array(z.string()).default(["storage/framework", "storage/logs", "bootstrap/cache"]),
  }),
  check: onRoles((container, report, { params }) => {
    if (isUnknown(container.readOnly.value)) return report.undecided(container.readOnly.path);
    if (container.readOnly.value !== true) return;
    const { known, unknown } = container.mounts;
    const targets = known
      .filter(({ value }) => value.readOnly !== true && value.type !== "bind")
      .map(({ value }) => value.target);
    const missing = params.folders.filter(
      (folder) =>
        !codeFolders(container).some((code) =>
          targets.some(
            (target) => typeof target === "string" && target !== "/" && isWithin(`${code}/${folder}`, target),
          ),
        ),
    );
    const open = [...unknown, ...targets.filter(isUnknown).map(({ path }) => path)];
    if (missing.length > 0 && open.length > 0) for (const path of open) report.undecided(path);
    else if (missing.length > 0)
      report.violation(container.readOnly.path, `the root is read-only, and not writable: ${missing.join(", ")}`);
  }),
});

export const knownRole = resourceRule({
  name: "known-role",
  family: "laravel",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "The role in a container's label is one that these rules know.",
  why: "with a misspelt role (apps) no rule for Laravel applied any more, and nothing said so",
  remedy: 'labels: [{ label: "drydock.role", value: "app" }]; or list a role of your own in pack-settings.ownRoles',
  setting: noSetting.container,
  bad: 'labels: [{ label: "drydock.role", value: "apps" }]',
  good: 'labels: [{ label: "drydock.role", value: "app" }]',
  production: "It is known in the preview.",
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report, { settings }) => {
    const value = container.label(settings.roleLabel);
    if (isUnknown(value)) report.mustKnow("labels");
    else if (value !== undefined && ![...ROLES, ...settings.ownRoles].includes(value))
      report.violation("labels", `${settings.roleLabel} is none of ${[...ROLES, ...settings.ownRoles].join(", ")}`);
    const { known, unknown } = container.labels;
    for (const { path } of known.filter(({ value: [key] }) => key === settings.roleLabel).slice(1))
      report.violation(path, `${settings.roleLabel} is there twice`);
    if (value === undefined) for (const path of unknown) report.mustKnow(path);
  }),
});
