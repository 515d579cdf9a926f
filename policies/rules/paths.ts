import { existsSync } from "node:fs";
import { isAbsolute, join, win32 } from "node:path";
import { z } from "zod";
import { located } from "../helpers/files.ts";
import { isGateSocket } from "../helpers/gate.ts";
import { clean, isWithin } from "../helpers/mounts.ts";
import { CONTAINERS, IMAGE, REMOTE_IMAGE } from "../helpers/resources.ts";
import { isUnknown, propertyAt, text } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import { none, noSetting, onContainer, onMounts } from "./shared.ts";

/** A folder with one of these is the root of a project. */
const MARKS = ["composer.json", "artisan", "package.json", ".git"];

export const buildContextRoot = resourceRule({
  name: "build-context-root",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "An image is built from the root of its project.",
  why: "an image built from a subfolder lacked the new files, and the build did not say so",
  remedy: 'build: { context: ".", dockerfile: "docker/Dockerfile" }, or name the folder in the rule\'s roots',
  setting: () => ({ path: "app.build.context", value: "." }),
  bad: 'build: { context: "PR-work" }',
  good: 'build: { context: "." }',
  types: [IMAGE, REMOTE_IMAGE],
  params: z.strictObject({
    /** Folders that are roots although no file shows it, relative to the program. */
    roots: z.array(z.string()).default(["."]),
  }),
  check(resource, report, { params }) {
    const build = propertyAt(resource.props, "build");
    if (isUnknown(build)) report.undecided("build");
    if (typeof build !== "object" || build === null || isUnknown(build)) return;
    report.expect(
      { path: "build.context", value: text(propertyAt(build, "context")) },
      (value) => isRoot(value ?? ".", params.roots),
      "is not the root of a project",
    );
  },
});

function isRoot(context: string, roots: readonly string[]): boolean {
  // A URL is a whole repository, unless it names a folder in it (#branch:folder).
  if (/^(https?|git|ssh):\/\/|^git@/.test(context)) return !/#[^:]*:./.test(context);
  if (roots.some((root) => clean(root) === clean(context))) return true;
  const folder = located(context);
  return folder !== undefined && MARKS.some((mark) => existsSync(join(folder, mark)));
}

export const absoluteHostPath = resourceRule({
  name: "absolute-host-path",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "Paths of the host are absolute.",
  why:
    "./config meant another folder from every place the deployment was started, " +
    "and the application found no configuration",
  remedy: 'volumes: [{ hostPath: "/srv/shop/config", … }]',
  setting: noSetting.mounts,
  bad: 'volumes: [{ hostPath: "./config", containerPath: "/app/config" }]',
  good: 'volumes: [{ hostPath: "/srv/shop/config", containerPath: "/app/config" }]',
  types: CONTAINERS,
  params: none,
  check: onMounts(({ type, source }, path, report) => {
    if (type !== "bind") return;
    report.expect(
      { path, value: source },
      (value) => value !== undefined && (isAbsolute(value) || win32.isAbsolute(value)),
      "the host's path is not absolute",
    );
  }),
});

export const noSingleFileDbBind = resourceRule({
  name: "no-single-file-db-bind",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "No single file of a database is mounted from the host.",
  why: "a database writes files beside its own (journal, lock): with one file mounted it was locked or read-only",
  remedy: 'mount the folder or, better, a volume: mounts: [{ type: "volume", source: volume.name, target: "/data" }]',
  setting: noSetting.mounts,
  bad: 'volumes: [{ hostPath: "/srv/app.sqlite", containerPath: "/data/app.sqlite" }]',
  good: 'volumes: [{ volumeName: data.name, containerPath: "/data" }]',
  types: CONTAINERS,
  params: none,
  check: onMounts(({ type, source, target }, path, report) => {
    if (type !== "bind") return;
    const isFile = [source, target].some(
      (end) => typeof end === "string" && /\.(db|db3|sqlite3?|s3db|rdb|aof|mdb)(-wal|-shm|-journal)?$/i.test(end),
    );
    if (isFile) report.violation(path, "a single file of a database is mounted");
    else if (isUnknown(source) && isUnknown(target)) report.undecided(path);
  }),
});

const SENSITIVE = [
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/lib",
  "/lib64",
  "/proc",
  "/root",
  "/run",
  "/sbin",
  "/sys",
  "/usr",
  "/var/lib/containerd",
  "/var/lib/docker",
  "/var/log",
  "/var/run",
];
/** Folders of which a container needs a part at most. */
const WHOLE = ["/home", "/media", "/mnt", "/opt", "/srv", "/snap", "/host"];

/** Whether a path is a system folder, stands below one, or holds one: /var holds /var/run/docker.sock. */
export function isSystem(host: string): boolean {
  return WHOLE.includes(host) || SENSITIVE.some((folder) => isWithin(host, folder) || isWithin(folder, host));
}

export const noSensitiveMount = resourceRule({
  name: "no-sensitive-mount",
  family: "containers",
  level: "mandatory",
  source: ["D5.6", "D5.20", "K1c1325ff"],
  summary: "No system folder of the host is mounted, and no mount is propagated to the host.",
  why: "who can write /etc or /var/lib/docker from a container is root of the host",
  remedy: "use a volume, or a folder that holds only what the container needs",
  setting: noSetting.mounts,
  production: "Where a mount comes from is known in the preview.",
  bad: 'volumes: [{ hostPath: "/etc", containerPath: "/host/etc" }]',
  good: 'volumes: [{ volumeName: data.name, containerPath: "/data" }]',
  types: CONTAINERS,
  params: z.strictObject({ allowed: z.array(z.string()).default(["/etc/localtime", "/etc/timezone"]) }),
  check: onContainer((container, report, { params }) => {
    for (const { value, path } of container.mounts.known) {
      const { type, source, propagation } = value;
      if (type !== "bind" || isGateSocket(container, value)) continue;
      if (isUnknown(source)) report.mustKnow(source.path);
      else if (source !== undefined) {
        const host = clean(source.trim());
        if (isSystem(host) && !params.allowed.includes(host))
          report.violation(path, "a system folder of the host is mounted");
      }
      if (isUnknown(propagation)) report.mustKnow(propagation.path);
      else if (propagation !== undefined && /shared|slave/i.test(propagation))
        report.violation(path, "the mount is propagated between host and container");
    }
    for (const path of container.mounts.unknown) report.mustKnow(path);
  }),
});

export const noDockerSocket = resourceRule({
  name: "no-docker-socket",
  family: "containers",
  level: "mandatory",
  source: ["D5.32", "Kd6355c88"],
  summary: "The engine's socket is not mounted, but by Drydock's own gate, which lets four questions pass.",
  why: "who reaches the socket starts a container with the host's root in it",
  remedy: "delete the mount; for what needs the engine, use a proxy for the socket that allows single calls",
  setting: noSetting.mounts,
  bad: 'volumes: [{ hostPath: "/var/run/docker.sock", containerPath: "/var/run/docker.sock" }]',
  good: "no such mount",
  types: CONTAINERS,
  params: none,
  check: onMounts((mount, path, report, container) => {
    const { type, source, target } = mount;
    if (isGateSocket(container, mount)) return;
    const isSocket = [source, target].some(
      (end) =>
        typeof end === "string" &&
        /(^|\/)(docker|containerd|podman|crio|buildkitd|docker-cli)(\.\w+)?\.sock$/.test(end),
    );
    if (isSocket) report.violation(path, "the engine's socket is mounted");
    else if (type === "bind" && isUnknown(source)) report.undecided(source.path);
  }),
});
