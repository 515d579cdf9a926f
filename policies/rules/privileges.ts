import { z } from "zod";
import { CONTAINER, CONTAINERS } from "../helpers/resources.ts";
import { flag, isUnknown, text } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import { none, noSetting, onContainer } from "./shared.ts";

export const noPrivileged = resourceRule({
  name: "no-privileged",
  family: "containers",
  level: "mandatory",
  source: ["D5.5", "Kae5b6871"],
  summary: "No container is privileged.",
  why: "a privileged container is root of the host",
  remedy: "delete `privileged`, and add single capabilities if it really needs some",
  setting: noSetting.container,
  bad: "privileged: true",
  good: 'capabilities: { drops: ["ALL"], adds: ["NET_BIND_SERVICE"] }',
  types: CONTAINERS,
  params: none,
  production: "Whether it is privileged is known in the preview.",
  check: onContainer((container, report) => {
    if (isUnknown(container.privileged.value)) report.mustKnow(container.privileged.path);
    else if (container.privileged.value === true)
      report.violation(container.privileged.path, "the container is privileged");
  }),
});

const capability = (name: string): string => name.trim().toUpperCase().replace(/^CAP_/, "");

export const dropCapabilities = resourceRule({
  name: "drop-capabilities",
  family: "containers",
  level: "mandatory",
  source: ["incidents, forty-eight hours", "D5.4", "Kce76b7d0"],
  summary: "A container adds only listed capabilities.",
  why: "Docker's default leaves fourteen, and PHP needs none of them; with SYS_ADMIN a process is root of the host",
  remedy: 'capabilities: { drops: ["ALL"] }',
  setting: noSetting.container,
  bad: 'capabilities: { adds: ["SYS_ADMIN"] }',
  good: 'capabilities: { drops: ["ALL"], adds: ["NET_BIND_SERVICE"] }',
  production: "All others are dropped.",
  types: CONTAINERS,
  params: z.strictObject({
    allowed: z.array(z.string()).default(["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID"]),
  }),
  check: onContainer((container, report, { params }) => {
    const { capDrops, capAdds } = container;
    const path = container.path("capabilities.drops", "taskSpec.containerSpec.capDrops");
    if (!capDrops.known.some(({ value }) => capability(value) === "ALL")) {
      if (capDrops.unknown.length > 0) for (const unknown of capDrops.unknown) report.mustKnow(unknown);
      else report.inProduction(path, "not all capabilities are dropped");
    }
    const allowed = params.allowed.map(capability);
    for (const { value, path: added } of capAdds.known)
      if (!allowed.includes(capability(value))) report.violation(added, "adds a capability that is not allowed");
    for (const unknown of capAdds.unknown) report.mustKnow(unknown);
  }),
});

const NO_NEW_PRIVILEGES = /^no-new-privileges(?:\s*[:=]\s*(.*))?$/i;

/**
 * Whether an option says that no process gains privileges, or that each may; nothing where it speaks of something else.
 */
function forbidsPrivileges(option: string): boolean | undefined {
  const match = NO_NEW_PRIVILEGES.exec(option.trim());
  return match === null ? undefined : match[1] === undefined || /^(1|t|true)$/i.test(match[1].trim());
}

export const noNewPrivileges = resourceRule({
  name: "no-new-privileges",
  family: "containers",
  level: "remediate",
  source: ["D5.26", "K27fcc7d6"],
  summary: "No process of a container gains privileges.",
  why: "a setuid program in the image would make root of any process",
  remedy: 'securityOpts: ["no-new-privileges:true"]',
  setting: noSetting.container,
  bad: "no securityOpts",
  good: 'securityOpts: ["no-new-privileges:true"]',
  // A service has no such property.
  types: [CONTAINER],
  params: none,
  check: onContainer((container, report) => {
    const { known, unknown } = container.securityOpts;
    // Docker takes the last one, so what is not known may undo what is.
    const last = known.findLast(({ value }) => forbidsPrivileges(value) !== undefined);
    const open = unknown.filter((path) => last === undefined || position(path) > position(last.path));
    if (open.length > 0) for (const path of open) report.mustKnow(path);
    else if (last === undefined || forbidsPrivileges(last.value) !== true)
      report.violation(last?.path ?? "securityOpts", "processes may gain privileges");
  }),
  fix(props) {
    let options: unknown;
    try {
      options = props["securityOpts"];
    } catch {
      return false; // Not known yet; the check says so.
    }
    if (options === undefined || options === null) {
      props["securityOpts"] = ["no-new-privileges:true"];
      return true;
    }
    if (!Array.isArray(options)) return false;
    const list: unknown[] = options;
    let last: boolean | undefined;
    for (let i = 0; i < list.length; i++) {
      try {
        last = forbidsPrivileges(String(list[i])) ?? last;
      } catch {
        return false;
      }
    }
    if (last === true) return false;
    list[list.length] = "no-new-privileges:true";
    return true;
  },
});

const position = (path: string): number => Number(/\[(\d+)\]$/.exec(path)?.[1] ?? Infinity);

const OFF =
  /^((seccomp|apparmor|systempaths)[:=]unconfined|label[:=](disable|type:(spc_t|unconfined_t))|apparmor[:=])$/;
const HARMLESS = new RegExp(
  String.raw`^(no-new-privileges([:=]\w*)?|seccomp[:=]builtin|apparmor[:=][\w.-]+|label[:=](user|role|type|` +
    String.raw`level|filetype):[\w.:,-]+)$`,
);

/** Whether a profile that is written inline lets everything through, or one of the calls that lead to the host. */
function allowsAll(profile: string): boolean {
  try {
    const { defaultAction, syscalls } = JSON.parse(profile) as { defaultAction?: unknown; syscalls?: unknown };
    const mounts = (one: { names?: unknown; action?: unknown }) =>
      one.action === "SCMP_ACT_ALLOW" && Array.isArray(one.names) && one.names.includes("mount");
    return (
      !/^SCMP_ACT_(ERRNO|KILL(_PROCESS|_THREAD)?|TRAP)$/.test(String(defaultAction)) ||
      (Array.isArray(syscalls) && syscalls.some(mounts))
    );
  } catch {
    return false;
  }
}

export const noUnconfinedProfile = resourceRule({
  name: "no-unconfined-profile",
  family: "containers",
  level: "mandatory",
  source: ["D5.2", "D5.22", "K404fde2c"],
  summary: "No seccomp, AppArmor or SELinux profile is switched off, nor made one that lets everything through.",
  why: "the profiles keep a taken-over process from the kernel's rarely used, and rarely safe, calls",
  remedy: "delete the entry",
  setting: noSetting.container,
  bad: 'securityOpts: ["seccomp=unconfined"]',
  good: 'securityOpts: ["no-new-privileges:true"]',
  production: "Only listed options are given.",
  types: CONTAINERS,
  params: z.strictObject({
    /** Options that may be given besides, as they are written. */
    allowed: z.array(z.string()).default([]),
  }),
  check: onContainer((container, report, { params }) => {
    for (const { value: raw, path } of container.securityOpts.known) {
      const [, profile] = /^\s*seccomp\s*[:=]\s*(\{[\s\S]*)$/i.exec(raw) ?? [];
      const value = raw
        .trim()
        .toLowerCase()
        .replace(/\s*([:=])\s*/, "$1");
      if (OFF.test(value) || (profile !== undefined && allowsAll(profile)))
        report.violation(path, "a security profile is switched off");
      else if (!HARMLESS.test(value) && !params.allowed.includes(raw))
        report.inProduction(path, "is an option that is not listed");
    }
    for (const path of container.securityOpts.unknown) report.mustKnow(path);
    if (!container.isService) return;
    const context = "taskSpec.containerSpec.privileges.seLinuxContext";
    const off = flag(container.raw(`${context}.disable`));
    if (isUnknown(off)) report.mustKnow(`${context}.disable`);
    else if (off === true) report.violation(`${context}.disable`, "a security profile is switched off");
    const type = text(container.raw(`${context}.type`));
    if (isUnknown(type)) report.mustKnow(`${context}.type`);
    else if (/^(spc_t|unconfined_t)$/.test(type?.trim() ?? ""))
      report.violation(`${context}.type`, "a security profile is switched off");
    const credentials = "taskSpec.containerSpec.privileges.credentialSpec";
    if (container.raw(credentials) !== undefined) report.inProduction(credentials, "is an option that is not listed");
  }),
});

/** What each kind of namespace may be; anything else is another container's, or the host's. */
const NAMESPACES: Readonly<Record<string, RegExp>> = {
  networkMode: /^([a-z0-9][\w.-]*)?$/i,
  ipcMode: /^(private|none|shareable)?$/,
  pidMode: /^(private)?$/,
  usernsMode: /^$/,
  cgroupnsMode: /^(private)?$/,
};

export const noHostNamespaces = resourceRule({
  name: "no-host-namespaces",
  family: "containers",
  level: "mandatory",
  source: ["D5.10", "D5.16", "D5.17", "D5.31"],
  summary: "A container shares no namespace with the host, nor with another container.",
  why: "with the host's network or processes a container sees, and reaches, all of them",
  remedy: "delete the line; use a network of your own and publish single ports",
  setting: noSetting.container,
  bad: 'networkMode: "host"',
  good: "networksAdvanced: [{ name: network.name }]",
  production: "The namespaces are known in the preview.",
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    for (const [path, allowed] of container.isService ? [] : Object.entries(NAMESPACES)) {
      const value = text(container.raw(path));
      const mode = isUnknown(value) ? "" : (value ?? "").trim();
      if (isUnknown(value)) report.mustKnow(path);
      else if (mode.toLowerCase() === "host") report.violation(path, "shares the host's namespace");
      else if (/^container:/i.test(mode)) report.violation(path, "shares another container's namespace");
      else if (!allowed.test(mode)) report.violation(path, "is a namespace that is not listed");
    }
    const path = container.path("networksAdvanced", "taskSpec.networksAdvanceds");
    for (const {
      value: { name },
    } of container.networks.known) {
      if (typeof name !== "string") continue;
      if (name.trim().toLowerCase() === "host") report.violation(path, "shares the host's namespace");
      else if (/^container:/i.test(name.trim())) report.violation(path, "shares another container's namespace");
    }
    for (const open of container.networks.unknown) report.undecided(open);
  }),
});
