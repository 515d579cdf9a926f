import type Docker from "dockerode";
import { processors } from "../../lib/processors.ts";
import { any, canonical, followed } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { containerSchema } from "./spec.ts";

type Inspected = Docker.ContainerInspectInfo;
const MiB = 1024 * 1024;
const UNITS = [
  ["h", 3600e9],
  ["m", 60e9],
] as const;

/**
 * Outputs of a container as the official plugin has them: its inputs, and in place of those what Docker says, as far as
 * that plugin asks. It never reads variables, labels, networks and files.
 */
export function outputsOf(inputs: Values, found: Inspected): Values {
  // lets the official plugin take the state over
  return { ...inputs, ...read(inputs, found), __meta: JSON.stringify({ schema_version: "2" }) };
}

function read(inputs: Values, found: Inspected): Values {
  const { State, Config, HostConfig, NetworkSettings } = found as any;
  const given = (key: string): boolean => canonical(containerSchema[key] ?? any, inputs[key]) !== "";
  const mebibytes = (bytes: number): number => (bytes > 0 ? Math.trunc(bytes / MiB) : (bytes ?? 0));
  const { CapAdd, CapDrop } = HostConfig;
  const values: { [key: string]: unknown } = {
    name: found.Name.replace(/^\//, ""),
    bridge: NetworkSettings.Bridge ?? "",
    networkDatas: networksOf(NetworkSettings.Networks),
    ...(given("ports") && (State.Running || inputs.mustRun === true) ? { ports: portsOf(NetworkSettings.Ports) } : {}),
    ...(State.Running ? {} : { exitCode: State.ExitCode, ...(inputs.mustRun === true ? { mustRun: false } : {}) }),
    rm: HostConfig.AutoRemove ?? false,
    readOnly: HostConfig.ReadonlyRootfs ?? false,
    image: String(inputs.image).startsWith("sha256:") ? found.Image : Config.Image,
    hostname: Config.Hostname,
    domainname: Config.Domainname ?? "",
    command: Config.Cmd ?? [],
    entrypoints: Config.Entrypoint ?? [],
    user: Config.User ?? "",
    workingDir: Config.WorkingDir ?? "",
    tty: Config.Tty ?? false,
    stdinOpen: Config.OpenStdin ?? false,
    stopSignal: Config.StopSignal ?? "",
    stopTimeout: Config.StopTimeout ?? 0,
    dns: HostConfig.Dns ?? [],
    dnsOpts: HostConfig.DnsOptions ?? [],
    dnsSearches: HostConfig.DnsSearch ?? [],
    hosts: (HostConfig.ExtraHosts ?? []).map((entry: string) => ({
      host: entry.split(":")[0],
      ip: entry.split(":")[1],
    })),
    securityOpts: HostConfig.SecurityOpt ?? [],
    publishAllPorts: HostConfig.PublishAllPorts ?? false,
    restart: HostConfig.RestartPolicy?.Name ?? "",
    maxRetryCount: HostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
    init: HostConfig.Init ?? false,
    ...(CapAdd?.length > 0 || CapDrop?.length > 0
      ? { capabilities: { adds: CapAdd ?? [], drops: CapDrop ?? [] } }
      : {}),
    runtime: HostConfig.Runtime ?? "",
    mounts: (HostConfig.Mounts ?? []).map(mountOf),
    tmpfs: HostConfig.Tmpfs ?? {},
    ...(given("ulimits")
      ? {
          ulimits: (HostConfig.Ulimits ?? []).map((limit: any) => ({
            name: limit.Name,
            soft: limit.Soft,
            hard: limit.Hard,
          })),
        }
      : {}),
    privileged: HostConfig.Privileged ?? false,
    memory: mebibytes(HostConfig.Memory),
    memorySwap: mebibytes(HostConfig.MemorySwap),
    shmSize: mebibytes(HostConfig.ShmSize),
    ...(HostConfig.NanoCpus > 0 ? { cpus: processors(HostConfig.NanoCpus / 1e9) } : {}),
    cpuShares: HostConfig.CpuShares ?? 0,
    cpuSet: HostConfig.CpusetCpus ?? "",
    logDriver: HostConfig.LogConfig?.Type ?? "",
    ...(given("logOpts") ? { logOpts: HostConfig.LogConfig?.Config ?? {} } : {}),
    networkMode: HostConfig.NetworkMode ?? "",
    ...(given("pidMode") ? { pidMode: HostConfig.PidMode } : {}),
    usernsMode: HostConfig.UsernsMode ?? "",
    ipcMode: HostConfig.IpcMode ?? "",
    sysctls: HostConfig.Sysctls ?? {},
    groupAdds: HostConfig.GroupAdd ?? [],
    ...(Config.Healthcheck ? { healthcheck: healthcheckOf(Config.Healthcheck) } : {}),
  };
  return values as Values;
}

function networksOf(networks: Record<string, any> | undefined): object[] {
  return Object.entries(networks ?? {}).map(([networkName, network]) => ({
    networkName,
    ipAddress: network.IPAddress,
    ipPrefixLength: network.IPPrefixLen,
    gateway: network.Gateway,
    globalIpv6Address: network.GlobalIPv6Address,
    globalIpv6PrefixLength: network.GlobalIPv6PrefixLen,
    ipv6Gateway: network.IPv6Gateway,
    macAddress: network.MacAddress,
  }));
}

function portsOf(ports: Record<string, { HostIp: string; HostPort: string }[] | null> | undefined): object[] {
  const number = (key: string): number => Number.parseInt(key, 10);
  return Object.keys(ports ?? {})
    .sort((a, b) => number(a) - number(b))
    .flatMap((key) =>
      (ports![key] ?? []).map(({ HostIp, HostPort }) => ({
        internal: number(key),
        external: Number(HostPort),
        ip: HostIp,
        protocol: key.split("/")[1],
      })),
    );
}

function mountOf({ Type, Source, Target, ReadOnly, BindOptions, VolumeOptions, TmpfsOptions }: any): object {
  return {
    type: Type,
    source: Source ?? "",
    target: Target,
    readOnly: ReadOnly ?? false,
    ...(BindOptions ? { bindOptions: { propagation: BindOptions.Propagation ?? "" } } : {}),
    // Of a volume's labels the official plugin reads the names alone.
    ...(VolumeOptions
      ? {
          volumeOptions: {
            noCopy: VolumeOptions.NoCopy ?? false,
            labels: Object.keys(VolumeOptions.Labels ?? {}).map((label) => ({ label, value: "" })),
            ...(VolumeOptions.DriverConfig
              ? {
                  driverName: VolumeOptions.DriverConfig.Name ?? "",
                  driverOptions: VolumeOptions.DriverConfig.Options ?? {},
                }
              : {}),
          },
        }
      : {}),
    ...(TmpfsOptions ? { tmpfsOptions: { sizeBytes: TmpfsOptions.SizeBytes ?? 0, mode: TmpfsOptions.Mode ?? 0 } } : {}),
  };
}

function healthcheckOf({ Test, Interval, Timeout, StartPeriod, StartInterval, Retries }: any): object {
  return {
    tests: Test ?? [],
    interval: duration(Interval ?? 0),
    timeout: duration(Timeout ?? 0),
    startPeriod: duration(StartPeriod ?? 0),
    startInterval: duration(StartInterval ?? 0),
    retries: Retries ?? 0,
  };
}

/** Nanoseconds as Go prints a duration: "1m30s", "250ms", "0s". */
export function duration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  let rest = nanoseconds;
  let text = "";
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (text !== "" || count > 0) text += `${count}${unit}`;
  }
  return `${text}${rest / 1e9}s`;
}

/** The inputs as the live container has them. */
export function drifted(inputs: Values, found: Inspected): Values {
  return followed(containerSchema, inputs, read(inputs, found));
}

/**
 * The state that new inputs are compared with. One that was written before it was read as the official plugin does says
 * so by what it lacks.
 */
export function compared(state: Values): Values {
  if (state.memorySwap !== undefined || state.memory === undefined) return state;
  return {
    ...state,
    memorySwap: 2 * Number(state.memory),
    ...(state.cpus === undefined ? {} : { cpus: processors(Number(state.cpus)) }),
  };
}
