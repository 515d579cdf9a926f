import { z } from "zod";
import { CONTAINERS } from "../helpers/resources.ts";
import { flag, text } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import { none, onContainer } from "./shared.ts";

export const noPrivileged = resourceRule({
  id: 45, name: "no-privileged", family: "containers", level: "mandatory", source: ["D5.5", "Kae5b6871"],
  summary: "No container is privileged.",
  why: "a privileged container is root of the host",
  remedy: "delete `privileged`, and add single capabilities if it really needs some",
  bad: "privileged: true", good: "capabilities: { drops: [\"ALL\"], adds: [\"NET_BIND_SERVICE\"] }",
  types: CONTAINERS, params: none,
  check: onContainer((container, report) => report.expect(container.privileged, (value) => value !== true, "the container is privileged")),
});

const capability = (name: string): string => name.toUpperCase().replace(/^CAP_/, "");

export const dropCapabilities = resourceRule({
  id: 46, name: "drop-capabilities", family: "containers", level: "advisory", source: ["PX", "D5.4", "Kce76b7d0"],
  summary: "A container drops all capabilities and adds only listed ones.",
  why: "Docker's default leaves fourteen, and PHP needs none of them",
  remedy: "capabilities: { drops: [\"ALL\"] }",
  bad: "no capabilities", good: "capabilities: { drops: [\"ALL\"], adds: [\"NET_BIND_SERVICE\"] }",
  types: CONTAINERS,
  params: z.strictObject({ allowed: z.array(z.string()).default(["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID"]) }),
  check: onContainer((container, report, { params }) => {
    const { capDrops, capAdds } = container;
    const path = container.path("capabilities.drops", "taskSpec.containerSpec.capDrops");
    if (!capDrops.known.some(({ value }) => capability(value) === "ALL")) {
      if (capDrops.unknown.length > 0) for (const unknown of capDrops.unknown) report.undecided(unknown);
      else report.violation(path, "not all capabilities are dropped");
    }
    const allowed = params.allowed.map(capability);
    for (const { value, path: added } of capAdds.known) if (!allowed.includes(capability(value))) report.violation(added, "adds a capability that is not allowed");
    for (const unknown of capAdds.unknown) report.undecided(unknown);
  }),
});

const NO_NEW_PRIVILEGES = /^no-new-privileges([:=]true)?$/;

export const noNewPrivileges = resourceRule({
  id: 47, name: "no-new-privileges", family: "containers", level: "remediate", source: ["D5.26", "K27fcc7d6"],
  summary: "No process of a container gains privileges.",
  why: "a setuid program in the image would make root of any process",
  remedy: "securityOpts: [\"no-new-privileges:true\"]",
  bad: "no securityOpts", good: "securityOpts: [\"no-new-privileges:true\"]",
  // A service has no such property.
  types: ["docker:index/container:Container"], params: none,
  check: onContainer((container, report) => {
    const { known, unknown } = container.securityOpts;
    if (known.some(({ value }) => NO_NEW_PRIVILEGES.test(value))) return;
    if (unknown.length > 0) for (const path of unknown) report.undecided(path);
    else report.violation("securityOpts", "processes may gain privileges");
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
    for (let i = 0; i < list.length; i++) {
      try {
        if (NO_NEW_PRIVILEGES.test(String(list[i]))) return false;
      } catch {
        return false;
      }
    }
    list[list.length] = "no-new-privileges:true";
    return true;
  },
});

export const noUnconfinedProfile = resourceRule({
  id: 48, name: "no-unconfined-profile", family: "containers", level: "mandatory", source: ["D5.2", "D5.22", "K404fde2c"],
  summary: "No seccomp, AppArmor or SELinux profile is switched off.",
  why: "the profiles keep a taken-over process from the kernel's rarely used, and rarely safe, calls",
  remedy: "delete the entry, or give a profile of your own: \"seccomp=profile.json\"",
  bad: "securityOpts: [\"seccomp=unconfined\"]", good: "securityOpts: [\"no-new-privileges:true\"]",
  types: CONTAINERS, params: none,
  check: onContainer((container, report) => {
    for (const { value, path } of container.securityOpts.known) {
      if (/^(seccomp|apparmor|systempaths)[:=]unconfined$|^label[:=]disable$/.test(value)) report.violation(path, "a security profile is switched off");
    }
    for (const path of container.securityOpts.unknown) report.undecided(path);
    const path = "taskSpec.containerSpec.privileges.seLinuxContext.disable";
    if (container.isService) report.expect({ path, value: flag(container.raw(path)) }, (value) => value !== true, "a security profile is switched off");
  }),
});

export const noHostNamespaces = resourceRule({
  id: 51, name: "no-host-namespaces", family: "containers", level: "mandatory", source: ["D5.10", "D5.16", "D5.17", "D5.31"],
  summary: "A container shares no namespace with the host.",
  why: "with the host's network or processes a container sees, and reaches, all of them",
  remedy: "delete the line; use a network of your own and publish single ports",
  bad: "networkMode: \"host\"", good: "networksAdvanced: [{ name: network.name }]",
  types: CONTAINERS, params: none,
  check: onContainer((container, report) => {
    if (container.isService) {
      for (const { value: { name } } of container.networks.known) if (name === "host") report.violation("taskSpec.networksAdvanceds", "shares the host's namespace");
      for (const path of container.networks.unknown) report.undecided(path);
      return;
    }
    for (const path of ["networkMode", "ipcMode", "pidMode", "usernsMode"]) report.expect({ path, value: text(container.raw(path)) }, (value) => value !== "host", "shares the host's namespace");
    for (const { value: { name } } of container.networks.known) if (name === "host") report.violation("networksAdvanced", "shares the host's namespace");
  }),
});
