import type Docker from "dockerode";
import { defined } from "../../lib/defined.ts";
import type { Schema } from "../plugin/schema.ts";
import { bool, computed, inPlace, int, list, map, object, required, set, str, withDefault } from "../plugin/schema.ts";
import type { Value, Values } from "../plugin/values.ts";

const MiB = 1024 * 1024;
const label = object({ label: required(str), value: required(str) });
const duration = withDefault({ ...str, pattern: /^\d+(\.\d+)?(ms|s|m|h)(\d+(\.\d+)?(ms|s|m))*$|^0$/ }, "0s");

/**
 * Inputs of docker.Container with the official defaults. What the official plugin says it changes in place is marked
 * so. Of those it changes limits and the restart policy in the container; of `healthcheck`, `init`, `mounts` and
 * `tmpfs` it changes nothing but the state.
 */
export const containerSchema: Schema = {
  attach: inPlace(withDefault(bool, false)),
  capabilities: object({ adds: set(str), drops: set(str) }),
  command: computed(list(str)),
  containerReadRefreshTimeoutMilliseconds: inPlace(withDefault(int, 15_000)),
  cpuSet: inPlace({ ...str, pattern: /^\d+([,-]\d+)*$/ }),
  cpuShares: inPlace(int),
  cpus: { ...str, pattern: /^\d+(\.\d*)?$/ },
  destroyGraceSeconds: inPlace(int),
  devices: set(object({ hostPath: required(str), containerPath: str, permissions: withDefault(str, "rwm") })),
  dns: set(str),
  dnsOpts: set(str),
  dnsSearches: set(str),
  domainname: str,
  entrypoints: computed(list(str)),
  envs: computed(set(str)),
  groupAdds: set(str),
  healthcheck: inPlace(
    computed(
      object({
        tests: required(list(str)),
        interval: duration,
        timeout: duration,
        startPeriod: duration,
        startInterval: duration,
        retries: withDefault(int, 0),
      }),
    ),
  ),
  hostname: computed(str),
  hosts: set(object({ host: required(str), ip: required(str) })),
  image: required(str),
  init: inPlace(computed(bool)),
  ipcMode: computed(str),
  labels: computed(set(label)),
  logDriver: computed(str),
  logOpts: map(str),
  logs: inPlace(withDefault(bool, false)),
  maxRetryCount: inPlace(int),
  memory: inPlace(int),
  memorySwap: inPlace(int),
  mounts: {
    ...set(
      object({
        target: required(str),
        type: required({ ...str, oneOf: ["bind", "volume", "tmpfs"] }),
        source: str,
        readOnly: bool,
        bindOptions: object({ propagation: str }),
        tmpfsOptions: object({ mode: int, sizeBytes: int }),
        volumeOptions: object({ driverName: str, driverOptions: map(str), labels: set(label), noCopy: bool }),
      }),
    ),
    inPlace: "same count",
  },
  mustRun: inPlace(withDefault(bool, true)),
  name: required(str),
  networkMode: withDefault(str, "bridge"),
  networksAdvanced: set(object({ name: required(str), aliases: set(str), ipv4Address: str, ipv6Address: str })),
  pidMode: str,
  ports: set(
    object({
      internal: required(int),
      external: int,
      ip: withDefault(str, "0.0.0.0"),
      protocol: withDefault(str, "tcp"),
    }),
  ),
  privileged: bool,
  publishAllPorts: bool,
  readOnly: withDefault(bool, false),
  removeVolumes: inPlace(withDefault(bool, true)),
  restart: inPlace(withDefault({ ...str, oneOf: ["no", "on-failure", "always", "unless-stopped"] }, "no")),
  rm: inPlace(withDefault(bool, false)),
  runtime: computed(str),
  securityOpts: computed(set(str)),
  shmSize: computed(int),
  start: inPlace(withDefault(bool, true)),
  stdinOpen: withDefault(bool, false),
  stopSignal: computed(str),
  stopTimeout: computed(int),
  sysctls: map(str),
  tmpfs: inPlace(map(str)),
  tty: withDefault(bool, false),
  ulimits: set(object({ name: required(str), soft: required(int), hard: required(int) })),
  uploads: set(
    object({
      file: required(str),
      content: str,
      contentBase64: str,
      source: str,
      sourceHash: str,
      executable: withDefault(bool, false),
      permissions: { ...str, pattern: /^0[0-7]{3}$/ },
      owner: str,
      group: str,
    }),
  ),
  user: computed(str),
  usernsMode: str,
  volumes: set(object({ containerPath: str, fromContainer: str, hostPath: str, readOnly: bool, volumeName: str })),
  wait: inPlace(withDefault(bool, false)),
  waitTimeout: inPlace(withDefault(int, 60)),
  workingDir: computed(str),
};

/** The body of Docker's "create container" for checked inputs. */
export function createOptions(inputs: Values): Docker.ContainerCreateOptions {
  const text = (key: string): string | undefined => inputs[key] as string | undefined;
  const texts = (key: string): string[] | undefined => inputs[key] as string[] | undefined;
  const objects = (key: string): any[] => (inputs[key] as any[] | undefined) ?? [];
  const ports = objects("ports");
  const portKey = (port: any): string => `${port.internal}/${port.protocol}`;
  const volumes = objects("volumes");
  const health = inputs.healthcheck as any;
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports)
    (bindings[portKey(port)] ??= []).push({
      HostIp: port.ip,
      HostPort: port.external === undefined ? "" : String(port.external),
    });
  return {
    name: text("name")!,
    Image: text("image")!,
    Hostname: text("hostname"),
    Domainname: text("domainname"),
    User: text("user"),
    WorkingDir: text("workingDir"),
    Cmd: texts("command"),
    Entrypoint: texts("entrypoints"),
    Env: texts("envs"),
    Tty: inputs.tty === true,
    OpenStdin: inputs.stdinOpen === true,
    Labels: labelsOf(inputs.labels),
    StopSignal: text("stopSignal"),
    StopTimeout: inputs.stopTimeout as number | undefined,
    ExposedPorts: Object.fromEntries(ports.map((port) => [portKey(port), {}])),
    Volumes: Object.fromEntries(
      volumes
        .filter(({ containerPath, hostPath, volumeName }) => containerPath && !hostPath && !volumeName)
        .map(({ containerPath }) => [containerPath, {}]),
    ),
    ...(health === undefined
      ? {}
      : {
          Healthcheck: {
            Test: health.tests,
            Interval: nanoseconds(health.interval),
            Timeout: nanoseconds(health.timeout),
            StartPeriod: nanoseconds(health.startPeriod),
            ...(nanoseconds(health.startInterval) > 0 ? { StartInterval: nanoseconds(health.startInterval) } : {}),
            Retries: health.retries,
          },
        }),
    HostConfig: {
      ...limits(inputs),
      ...(text("cpus") === undefined ? {} : { NanoCpus: Math.round(Number(text("cpus")) * 1e9) }),
      AutoRemove: inputs.rm === true,
      Binds: volumes
        .filter(({ hostPath, volumeName }) => hostPath ?? volumeName)
        .map(
          ({ hostPath, volumeName, containerPath, readOnly }) =>
            `${hostPath ?? volumeName}:${containerPath}:${readOnly ? "ro" : "rw"}`,
        ),
      CapAdd: (inputs.capabilities as any)?.adds,
      CapDrop: (inputs.capabilities as any)?.drops,
      Devices: objects("devices").map((device) => ({
        PathOnHost: device.hostPath,
        PathInContainer: device.containerPath ?? device.hostPath,
        CgroupPermissions: device.permissions,
      })),
      Dns: texts("dns"),
      DnsOptions: texts("dnsOpts"),
      DnsSearch: texts("dnsSearches"),
      ExtraHosts: objects("hosts").map(({ host, ip }) => `${host}:${ip}`),
      GroupAdd: texts("groupAdds"),
      Init: inputs.init as boolean | undefined,
      IpcMode: text("ipcMode"),
      LogConfig: { Type: text("logDriver") ?? "", Config: inputs.logOpts ?? {} },
      Mounts: objects("mounts").map(mountOf),
      NetworkMode: text("networkMode"),
      PidMode: text("pidMode"),
      PortBindings: bindings,
      Privileged: inputs.privileged === true,
      PublishAllPorts: inputs.publishAllPorts === true,
      ReadonlyRootfs: inputs.readOnly === true,
      Runtime: text("runtime"),
      SecurityOpt: texts("securityOpts"),
      ShmSize: inputs.shmSize === undefined ? undefined : Number(inputs.shmSize) * MiB,
      Sysctls: inputs.sysctls as any,
      Tmpfs: inputs.tmpfs as any,
      Ulimits: objects("ulimits").map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
      UsernsMode: text("usernsMode"),
      VolumesFrom: volumes
        .filter(({ fromContainer }) => fromContainer)
        .map(({ fromContainer, readOnly }) => `${fromContainer}:${readOnly ? "ro" : "rw"}`),
    },
  } as unknown as Docker.ContainerCreateOptions;
}

/** What Docker can change in a running container. */
export function limits(inputs: Values): { [key: string]: unknown } {
  const memory = inputs.memory === undefined ? undefined : Number(inputs.memory) * MiB;
  const swap = inputs.memorySwap === undefined ? undefined : Number(inputs.memorySwap);
  return {
    RestartPolicy: { Name: inputs.restart, MaximumRetryCount: Number(inputs.maxRetryCount ?? 0) },
    ...defined({ Memory: memory }),
    ...(swap === undefined ? {} : { MemorySwap: swap > 0 ? swap * MiB : swap }),
    ...defined({ CpuShares: inputs.cpuShares, CpusetCpus: inputs.cpuSet }),
  };
}

function mountOf(mount: any): { [key: string]: unknown } {
  const { type, target, source, readOnly, bindOptions, volumeOptions, tmpfsOptions } = mount;
  return {
    Type: type,
    Target: target,
    Source: source ?? "",
    ReadOnly: readOnly === true,
    ...(type === "bind" && bindOptions ? { BindOptions: { Propagation: bindOptions.propagation } } : {}),
    ...(type === "tmpfs" && tmpfsOptions
      ? { TmpfsOptions: { SizeBytes: tmpfsOptions.sizeBytes, Mode: tmpfsOptions.mode } }
      : {}),
    ...(type === "volume" && volumeOptions
      ? {
          VolumeOptions: {
            NoCopy: volumeOptions.noCopy === true,
            Labels: labelsOf(volumeOptions.labels),
            ...(volumeOptions.driverName
              ? { DriverConfig: { Name: volumeOptions.driverName, Options: volumeOptions.driverOptions ?? {} } }
              : {}),
          },
        }
      : {}),
  };
}

export function labelsOf(labels: Value | undefined): Record<string, string> {
  return Object.fromEntries(
    ((labels ?? []) as { label: string; value: string }[]).map(({ label, value }) => [label, value]),
  );
}

/** A Go duration ("1m30s", "250ms") in nanoseconds. */
export function nanoseconds(duration: string): number {
  const unit: Record<string, number> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
  return [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, number, name]) => sum + Number(number) * unit[name!]!,
    0,
  );
}
