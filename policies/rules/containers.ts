import { z } from "zod";
import { cannotFail } from "../helpers/health.ts";
import { clean, isWithin } from "../helpers/mounts.ts";
import { isEveryInterface } from "../helpers/ports.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { isUnknown, items, joined, num, propertyAt, text } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import { inGroup, none, noSetting, onContainer } from "./shared.ts";

export const healthcheckRequired = resourceRule({
  name: "healthcheck-required",
  family: "containers",
  level: "mandatory",
  source: ["D5.27", "K698ed579", "CK_DOCKER_2"],
  summary: "A container has a health check.",
  why: "without one nobody can tell a container that serves from one that hangs, and no traffic can wait for it",
  remedy:
    'healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1/up"], interval: "5s", timeout: "5s", retries: 3 }',
  setting: noSetting.container,
  bad: 'no healthcheck, or tests: ["NONE"], or tests: ["CMD", "true"]',
  good: 'healthcheck: { tests: ["CMD", …] }',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    if (container.isOneOff) return;
    const { known, unknown } = container.healthTests;
    if (known[0]?.value === "NONE") report.violation(known[0].path, "the health check is switched off");
    else if (known.length === 0 && unknown.length === 0)
      report.violation(container.path("healthcheck"), "there is no health check");
    // One known word is a check already, whatever the others turn out to be; `NONE` stands alone.
    else if (known.length === 0) for (const path of unknown) report.undecided(path);
    else if (unknown.length === 0 && cannotFail(known.map(({ value }) => value))) {
      report.violation(container.path("healthcheck.tests"), "the health check can't fail");
    }
  }),
});

export const memoryLimit = resourceRule({
  name: "memory-limit",
  family: "containers",
  level: "mandatory",
  source: ["incidents, forty-eight hours", "D5.11", "Kbb9ac4f7"],
  summary: "A container has a memory limit.",
  why: "one container without a limit takes the memory of all the others",
  remedy: "memory: 256 (MiB); for a service taskSpec.resources.limits.memoryBytes",
  setting: (group) => inGroup(group, "memory", "512"),
  bad: "no memory",
  good: "memory: 256",
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) =>
    report.expect(container.memory, (value) => value !== undefined && value > 0, "there is no memory limit"),
  ),
});

export const cpuLimit = resourceRule({
  name: "cpu-limit",
  family: "containers",
  level: "advisory",
  source: ["D5.12", "K6b610c50"],
  summary: "A container has a limit or a share of the processors.",
  why: "one busy container slows all the others down",
  remedy: 'cpus: "1"; for a service taskSpec.resources.limits.nanoCpus',
  setting: (group) => inGroup(group, "cpus", "1"),
  bad: "no cpus",
  good: 'cpus: "1"',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    const paths = container.isService
      ? ["taskSpec.resources.limits.nanoCpus"]
      : ["cpus", "cpuShares", "cpuQuota", "cpuSet"];
    const values = paths.map((path) => ({ path, value: text(container.raw(path)) }));
    if (values.some(({ value }) => typeof value === "string" && value !== "" && value !== "0")) return;
    const open = values.find(({ value }) => isUnknown(value));
    if (open !== undefined) report.undecided(open.path);
    else report.violation(paths[0]!, "there is no limit for the processors");
  }),
});

export const boundInterface = resourceRule({
  name: "bound-interface",
  family: "containers",
  level: "advisory",
  source: ["D5.14", "K451d79dc"],
  summary: "A published port names the interface that it is published on.",
  why: "a port without an address is open on every interface, past the host's firewall",
  remedy: 'ports: [{ internal: 8080, external: 8080, ip: "127.0.0.1" }]',
  setting: () => ({ path: "proxy.interface", value: "127.0.0.1" }),
  bad: "ports: [{ internal: 8080, external: 8080 }]",
  good: 'ports: [{ internal: 8080, external: 8080, ip: "127.0.0.1" }]',
  // A service's port is the cluster's.
  types: ["docker:index/container:Container"],
  params: none,
  check: onContainer((container, report) => {
    for (const { value, path } of container.ports.known)
      report.expect(
        { path: `${path}.ip`, value: value.ip },
        (ip) => !isEveryInterface(ip),
        "the port is published on every interface",
      );
    for (const path of container.ports.unknown) report.undecided(path);
  }),
});

export const userDefinedNetwork = resourceRule({
  name: "user-defined-network",
  family: "containers",
  level: "mandatory",
  source: ["D5.30", "Kce14a68b"],
  summary: "A container is on a network of its own stack, not on Docker's default bridge.",
  why: "on the default bridge every container of the host reaches every other one, and no names resolve",
  remedy: 'networksAdvanced: [{ name: network.name, aliases: ["app"] }]',
  setting: noSetting.container,
  bad: 'no network, or networkMode: "bridge"',
  good: "networksAdvanced: [{ name: network.name }]",
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    const { known, unknown } = container.networks;
    const path = container.path("networksAdvanced", "taskSpec.networksAdvanceds");
    for (const {
      value: { name },
    } of known)
      if (name === "bridge" || name === "default") report.violation(path, "is on Docker's default bridge");
    if (known.length > 0 || (container.isService && unknown.length > 0)) return;
    const mode = text(container.raw("networkMode"));
    for (const open of [...unknown, ...(isUnknown(mode) ? [mode.path] : [])]) report.undecided(open);
    if (unknown.length > 0 || isUnknown(mode)) return;
    if (mode === undefined || mode === "" || mode === "bridge" || mode === "default")
      report.violation(path, "is on Docker's default bridge");
  }),
});

export const restartPolicy = resourceRule({
  name: "restart-policy",
  family: "containers",
  level: "mandatory",
  source: ["D5.15", "K2fc99041"],
  summary: "A container comes back after a crash and after a reboot: unless-stopped, or on-failure with a count.",
  why: "without a policy one crash is an outage until somebody looks",
  remedy: 'restart: "unless-stopped"',
  setting: noSetting.container,
  bad: 'no restart, or restart: "no"',
  good: 'restart: "unless-stopped"',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    if (container.isOneOff) return;
    if (container.isService)
      return report.expect(
        { path: "taskSpec.restartPolicy.condition", value: text(container.raw("taskSpec.restartPolicy.condition")) },
        (value) => value !== "none",
        "nothing restarts it",
      );
    const [restart, count] = [text(container.raw("restart")), num(container.raw("maxRetryCount"))];
    if (restart === "on-failure" && isUnknown(count)) report.undecided("maxRetryCount");
    else if (restart === "on-failure")
      report.expect(
        { path: "maxRetryCount", value: count },
        (value) => (value ?? 0) > 0,
        "on-failure has no count, so it would restart for ever",
      );
    else
      report.expect(
        { path: "restart", value: restart },
        (value) => value === "unless-stopped",
        "is neither unless-stopped nor on-failure with a count",
      );
  }),
});

export const readonlyRootfs = resourceRule({
  name: "readonly-rootfs",
  family: "containers",
  level: "advisory",
  source: ["D5.13"],
  summary: "The root file system is read-only.",
  why: "an attacker who can't write can't leave anything behind",
  remedy: "readOnly: true, with tmpfs for what the program writes",
  setting: noSetting.container,
  bad: "no readOnly",
  good: 'readOnly: true, tmpfs: { "/tmp": "" }',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    // Docker delivers no file into a read-only root, but into a volume: a container that gets one elsewhere can't be
    // read-only.
    const volumes = container.mounts.known
      .filter(({ value }) => value.type === "volume")
      .map(({ value }) => value.target);
    const elsewhere = container.uploads.known.some(
      ({ value: { file } }) =>
        typeof file === "string" &&
        !volumes.some((target) => typeof target === "string" && isWithin(clean(file), target)),
    );
    if (!elsewhere) report.expect(container.readOnly, (value) => value === true, "the root file system is writable");
  }),
});

export const noDevices = resourceRule({
  name: "no-devices",
  family: "containers",
  level: "mandatory",
  source: ["D5.18"],
  summary: "No device of the host is given to a container.",
  why: "a device is reached without any of the host's permissions",
  remedy: "delete `devices`",
  setting: noSetting.container,
  bad: 'devices: [{ hostPath: "/dev/sda" }]',
  good: "no devices",
  production: "Which devices it gets is known in the preview.",
  types: CONTAINERS,
  params: z.strictObject({
    /** Devices of the host, by path, that may be given; `gpus` for those. */
    allowed: z.array(z.string()).default([]),
  }),
  check: onContainer((container, report, { params }) => {
    const generic = "taskSpec.resources.reservation.genericResources";
    const lists = container.isService
      ? [`${generic}.namedResourcesSpecs`, `${generic}.discreteResourcesSpecs`]
      : ["devices", "deviceRequests", "deviceCgroupRules"];
    const { known, unknown } = joined(...lists.map((path) => items(container.raw(path), path, (entry) => entry)));
    for (const { value, path } of known) {
      const host = text(propertyAt(value, "hostPath"));
      if (isUnknown(host)) report.mustKnow(host.path);
      else if (host === undefined || !params.allowed.includes(clean(host)))
        report.violation(path, "a device of the host is given to the container");
    }
    for (const path of unknown) report.mustKnow(path);
    const gpus = container.isService ? undefined : text(container.raw("gpus"));
    if (isUnknown(gpus)) report.mustKnow("gpus");
    else if (gpus !== undefined && gpus !== "" && !params.allowed.includes("gpus"))
      report.violation("gpus", "a device of the host is given to the container");
  }),
});

export const noCgroupParent = resourceRule({
  name: "no-cgroup-parent",
  family: "containers",
  level: "mandatory",
  source: ["D5.25"],
  summary: "A container says nothing of another cgroup than Docker's own.",
  why: "in another cgroup other limits apply than those that are written here",
  remedy: "delete `cgroupParent`",
  setting: noSetting.container,
  bad: 'cgroupParent: "/"',
  good: "no cgroupParent",
  production: "It does.",
  types: ["docker:index/container:Container"],
  params: none,
  check: onContainer((container, report) => {
    const value = text(container.raw("cgroupParent"));
    if (isUnknown(value)) report.mustKnow("cgroupParent");
    else if (value !== undefined && value !== "")
      report.inProduction("cgroupParent", "is in another cgroup than Docker's");
  }),
});

export const noLowHostPort = resourceRule({
  name: "no-low-host-port",
  family: "containers",
  level: "advisory",
  source: ["D5.8"],
  summary: "No published port is below 1024, but 80 and 443.",
  why: "the ports below 1024 belong to the host's own services",
  remedy: "ports: [{ internal: 25, external: 2525 }]",
  setting: () => ({ path: "proxy.port", value: "8080" }),
  bad: "ports: [{ internal: 22, external: 22 }]",
  good: "ports: [{ internal: 8080, external: 443 }]",
  types: CONTAINERS,
  params: z.strictObject({ allowed: z.array(z.number().int()).default([80, 443]) }),
  check: onContainer((container, report, { params }) => {
    for (const {
      value: { external },
      path,
    } of container.ports.known) {
      const field = container.isService ? "publishedPort" : "external";
      report.expect(
        { path: `${path}.${field}`, value: external },
        (port) => port === undefined || port === 0 || port >= 1024 || params.allowed.includes(port),
        "the host's port is below 1024",
      );
    }
    for (const path of container.ports.unknown) report.undecided(path);
  }),
});
