import { z } from "zod";
import type { Container } from "../helpers/container.ts";
import { isGate, isGateSocket } from "../helpers/gate.ts";
import { clean, type Driver, isWithin } from "../helpers/mounts.ts";
import { CONTAINER, CONTAINERS, VOLUME } from "../helpers/resources.ts";
import { entries, isUnknown, items, num, propertyAt, text } from "../helpers/values.ts";
import { type Report, resourceRule } from "../rule.ts";
import { inGroup, none, noSetting, onContainer } from "./shared.ts";

export const hostPathAllowed = resourceRule({
  name: "host-path-allowed",
  family: "containers",
  level: "mandatory",
  source: ["D5.6"],
  summary: "No container mounts what another one has mounted, and no mount is of a kind that these rules don't know.",
  why:
    "a folder of the host has other names (links, mounts), so only a list of what is allowed keeps the engine's " +
    "socket out",
  remedy:
    'use a volume: mounts: [{ type: "volume", source: volume.name, target: "/data" }]; ' +
    "or name the folder in the rule's paths",
  setting: noSetting.mounts,
  bad: 'volumes: [{ hostPath: "/srv/engine", containerPath: "/engine" }]',
  good: 'mounts: [{ type: "volume", source: data.name, target: "/data" }]',
  production: "Only listed folders of the host are mounted.",
  types: CONTAINERS,
  params: z.strictObject({
    /** Folders of the host that may be mounted, with what is below them. */
    paths: z.array(z.string().startsWith("/")).default([]),
    /** Files of the host that may be mounted read-only. */
    files: z.array(z.string().startsWith("/")).default(["/etc/localtime", "/etc/timezone"]),
  }),
  check: onContainer((container, report, { params }) => {
    const folders = params.paths.map(clean);
    for (const { value, path } of container.mounts.known) {
      const { type, source, readOnly } = value;
      if (isGateSocket(container, value)) continue;
      if (isUnknown(type)) report.mustKnow(type.path);
      else if (type === "from") report.violation(path, "mounts whatever another container has mounted");
      else if (type === "other") report.violation(path, "is a mount of an unknown kind");
      else if (type !== "bind") continue;
      else if (isUnknown(source)) report.mustKnow(source.path);
      else {
        const host = clean(source ?? "");
        const allowed =
          folders.some((folder) => isWithin(host, folder)) || (params.files.includes(host) && readOnly === true);
        if (!allowed) report.inProduction(path, "a folder of the host is mounted that is not listed");
      }
    }
    for (const path of container.mounts.unknown) report.mustKnow(path);
  }),
});

const BIND = /(^|[\s,])r?bind([\s,]|$)/i;

export const volumeDriver = resourceRule({
  name: "volume-driver",
  family: "containers",
  level: "mandatory",
  source: ["D5.6"],
  summary: "No volume is a folder or a device of the host in disguise.",
  why: "the driver local with the options type=none, o=bind, device=/ is the host's root under the name of a volume",
  remedy: "new docker.Volume(name), without driver and driverOpts; or list the driver or the option in this rule",
  setting: noSetting.mounts,
  bad: 'new docker.Volume("data", { driverOpts: { type: "none", o: "bind", device: "/" } })',
  good: 'new docker.Volume("data")',
  production: "Only listed drivers, with listed options, make volumes.",
  types: [VOLUME, ...CONTAINERS],
  params: z.strictObject({
    /** Drivers that may make volumes. */
    drivers: z.array(z.string()).default(["local"]),
    /** Options, as `key` or `key=value`, that they may get. */
    options: z.array(z.string()).default([]),
  }),
  check(resource, report, { params, settings }) {
    const judge = ({ name, options }: Driver, path: string) => {
      if (isUnknown(name)) report.mustKnow(name.path);
      else if (name !== undefined && name !== "" && !params.drivers.includes(name))
        report.inProduction(path, "is made by a driver that is not listed");
      for (const unknown of options.unknown) report.mustKnow(unknown);
      for (const {
        value: [key, raw],
        path: here,
      } of options.known) {
        const value = text(raw);
        if (params.options.includes(key) || (typeof value === "string" && params.options.includes(`${key}=${value}`)))
          continue;
        if (isUnknown(value)) report.mustKnow(here);
        else if (isHost(key, value ?? "")) report.violation(here, "makes a folder or a device of the host a volume");
        else report.inProduction(here, "is an option of a volume's driver that is not listed");
      }
    };
    if (resource.type === VOLUME) {
      judge(
        {
          name: text(propertyAt(resource.props, "driver")),
          options: entries(propertyAt(resource.props, "driverOpts"), "driverOpts"),
        },
        "driver",
      );
      const cluster = propertyAt(resource.props, "cluster");
      if (cluster !== undefined) report.inProduction("cluster", "is made by a driver that is not listed");
      return;
    }
    onContainer((container: Container) => {
      for (const {
        value: { driver },
        path,
      } of container.mounts.known)
        judge(driver, path);
    })(resource, report, { params, settings, on: () => report });
  },
});

/** Whether an option of a driver names something of the host. */
function isHost(key: string, value: string): boolean {
  const name = key.trim().toLowerCase();
  if (name === "o") return BIND.test(value);
  return ["device", "mountpoint", "mount", "path", "source"].includes(name) && /^[/\\.~]/.test(value.trim());
}

/** Groups that own the host's files, devices or the engine's socket, in one distribution or another. */
const ROOTLIKE = /^(0+|root|docker|sudo|wheel|adm|disk|kmem|shadow|kvm|lxd|libvirt|systemd-journal)$/i;

export const noExtraGroups = resourceRule({
  name: "no-extra-groups",
  family: "containers",
  level: "mandatory",
  source: ["D5.31"],
  summary: "No container is in the group root, or in one that owns the engine's socket or the host's devices.",
  why: "the group of the engine's socket is as good as root",
  remedy: 'delete `groupAdds`, and give the user a group of its own: user: "1000:1000"',
  setting: (group) => inGroup(group, "gid", "1000"),
  bad: 'groupAdds: ["docker"], or user: "1000:0"',
  good: 'user: "1000:1000"',
  production: "Only listed groups are added; those that Drydock's settings give to a role are.",
  types: CONTAINERS,
  params: z.strictObject({
    /** Groups, as gids or names, that may be added. */
    allowed: z.array(z.string()).default([]),
  }),
  check: onContainer((container, report, { params, settings: { facts } }) => {
    // The socket's group is known on the Docker host alone, and what the gate does with it is known to the letter.
    if (isGate(container)) return;
    const ours = container.role === undefined ? [] : (facts?.groups[container.role] ?? []);
    const allowed = [...params.allowed, ...ours.map(String)];
    const path = container.path("groupAdds", "taskSpec.containerSpec.groups");
    const { known, unknown } = items(container.raw(path), path, text);
    const { value: user, path: userPath } = container.user;
    const [, group] = typeof user === "string" ? user.split(":") : [];
    const all = group === undefined ? known : [{ path: userPath, value: group }, ...known];
    for (const { value, path: here } of all) {
      if (allowed.includes(value.trim())) continue;
      if (ROOTLIKE.test(value.trim()) || Number(value) === 0)
        report.violation(here, "is in a group with the host's rights");
      else if (here !== userPath) report.inProduction(here, "is in a group that is not listed");
    }
    for (const here of unknown) report.mustKnow(here);
  }),
});

export const runtimeAllowed = resourceRule({
  name: "runtime-allowed",
  family: "containers",
  level: "mandatory",
  source: ["D5.31"],
  summary: "A container runs in a runtime that isolates, within Docker's own cgroup.",
  why: "a runtime is a program of the host that runs as root, and decides what the other rules are worth",
  remedy: "delete `runtime`; or list it in this rule",
  setting: noSetting.container,
  bad: 'runtime: "nvidia"',
  good: 'no runtime, or runtime: "runc"',
  production: "The runtime is a listed one.",
  types: CONTAINERS,
  params: z.strictObject({
    allowed: z.array(z.string()).default(["runc", "crun", "runsc", "kata", "io.containerd.runc.v2"]),
  }),
  check: onContainer((container, report, { params }) => {
    const path = container.path("runtime", "taskSpec.runtime");
    const value = text(container.raw(path));
    if (isUnknown(value)) report.mustKnow(path);
    // Of a service it is the kind of what runs: plugins have all rights of the host.
    else if (container.isService && value !== undefined && !["", "container"].includes(value))
      report.violation(path, "is no container, but a plugin of the engine");
    else if (!container.isService && value !== undefined && value !== "" && !params.allowed.includes(value))
      report.inProduction(path, "runs in a runtime that is not listed");
  }),
});

export const noCoreDumps = resourceRule({
  name: "no-core-dumps",
  family: "containers",
  level: "mandatory",
  source: ["D5.18"],
  summary: "No process of a container leaves a core dump, and none has a limit that is no limit.",
  why: "a crash writes the process's memory, APP_KEY and passwords among it, to wherever the host's core_pattern says",
  remedy: 'ulimits: [{ name: "core", soft: 0, hard: 0 }]',
  setting: noSetting.container,
  bad: "no ulimits",
  good: 'ulimits: [{ name: "core", soft: 0, hard: 0 }]',
  production: "The limit for core dumps is written out as 0, and swap is limited.",
  // A service has no such property.
  types: [CONTAINER],
  params: none,
  check: onContainer((container, report) => {
    const limits = items(container.raw("ulimits"), "ulimits", (entry, path) => ({
      path,
      name: text(propertyAt(entry, "name")),
      soft: num(propertyAt(entry, "soft")),
      hard: num(propertyAt(entry, "hard")),
    }));
    for (const path of limits.unknown) report.mustKnow(path);
    let core = limits.unknown.length > 0;
    for (const {
      value: { name, soft, hard },
      path,
    } of limits.known) {
      if (isUnknown(name)) report.mustKnow(name.path);
      else if (name?.trim().toLowerCase() === "core") core = judgeCore(report, path, [soft, hard]);
      else if (
        ["nproc", "nofile", "memlock", "as", "fsize"].includes(name ?? "") &&
        [soft, hard].some((limit) => typeof limit === "number" && limit < 0)
      ) {
        report.inProduction(path, "is a limit that is no limit");
      }
    }
    if (!core) report.inProduction("ulimits", "core dumps are not switched off");
    const swap = num(container.raw("memorySwap"));
    if (isUnknown(swap)) report.mustKnow(swap.path);
    else if (swap !== undefined && swap < 0)
      report.inProduction("memorySwap", "may swap without a limit, so the memory limit is none");
  }),
});

function judgeCore(report: Report, path: string, limits: readonly ReturnType<typeof num>[]): true {
  for (const limit of limits) {
    if (isUnknown(limit)) report.mustKnow(limit.path);
    else if (limit !== 0) report.violation(path, "core dumps are on");
  }
  return true;
}
