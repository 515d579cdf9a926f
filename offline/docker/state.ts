import type Docker from "dockerode";
import type { Values } from "../plugin/values.ts";
import { any, canonical } from "../plugin/schema.ts";
import { containerSchema, labelsOf, limits } from "./spec.ts";

type Inspected = Docker.ContainerInspectInfo;
const MiB = 1024 * 1024;

/** Outputs of a container: its inputs, and what only Docker knows. */
export function outputsOf(inputs: Values, found: Inspected): Values {
  const { State, Config, HostConfig, NetworkSettings } = found as any;
  return {
    ...inputs,
    name: found.Name.replace(/^\//, ""),
    bridge: NetworkSettings.Bridge ?? "",
    networkDatas: Object.entries(NetworkSettings.Networks ?? {}).map(([networkName, network]: [string, any]) => ({
      networkName,
      ipAddress: network.IPAddress,
      ipPrefixLength: network.IPPrefixLen,
      gateway: network.Gateway,
      globalIpv6Address: network.GlobalIPv6Address,
      globalIpv6PrefixLength: network.GlobalIPv6PrefixLen,
      ipv6Gateway: network.IPv6Gateway,
      macAddress: network.MacAddress,
    })),
    ...(State.Running ? {} : { exitCode: State.ExitCode }),
    command: inputs.command ?? Config.Cmd ?? [],
    entrypoints: inputs.entrypoints ?? Config.Entrypoint ?? [],
    hostname: inputs.hostname ?? Config.Hostname,
    init: inputs.init ?? HostConfig.Init ?? false,
    ipcMode: inputs.ipcMode ?? HostConfig.IpcMode,
    logDriver: inputs.logDriver ?? HostConfig.LogConfig.Type,
    runtime: inputs.runtime ?? HostConfig.Runtime,
    shmSize: inputs.shmSize ?? Math.round(HostConfig.ShmSize / MiB),
    stopSignal: inputs.stopSignal ?? Config.StopSignal ?? "",
    stopTimeout: inputs.stopTimeout ?? Config.StopTimeout ?? 0,
    __meta: JSON.stringify({ schema_version: "2" }), // lets the official plugin take the state over
  };
}

/**
 * The inputs as the live container has them. Only those that somebody can change from outside differ: the name, limits,
 * networks, whether it runs. The rest is compared as well, for a container that was made again behind the engine's back.
 */
export function drifted(inputs: Values, found: Inspected): Values {
  const { Config, HostConfig, NetworkSettings, State } = found as any;
  const now: Values = { ...inputs, name: found.Name.replace(/^\//, ""), image: Config.Image };
  const want = limits(inputs) as any;
  if (HostConfig.RestartPolicy.Name !== want.RestartPolicy.Name) now.restart = HostConfig.RestartPolicy.Name === "" ? "no" : HostConfig.RestartPolicy.Name;
  if (inputs.maxRetryCount !== undefined) now.maxRetryCount = HostConfig.RestartPolicy.MaximumRetryCount;
  if (inputs.memory !== undefined) now.memory = Math.round(HostConfig.Memory / MiB);
  if (inputs.memorySwap !== undefined) now.memorySwap = HostConfig.MemorySwap > 0 ? Math.round(HostConfig.MemorySwap / MiB) : HostConfig.MemorySwap;
  if (inputs.cpuShares !== undefined) now.cpuShares = HostConfig.CpuShares;
  if (inputs.cpuSet !== undefined) now.cpuSet = HostConfig.CpusetCpus;
  if (inputs.cpus !== undefined && Math.round(Number(inputs.cpus) * 1e9) !== HostConfig.NanoCpus) now.cpus = String(HostConfig.NanoCpus / 1e9);
  if (inputs.mustRun === true && inputs.start === true && !State.Running) now.mustRun = false;

  const live = new Set<string>(Config.Env ?? []);
  if (inputs.envs !== undefined) now.envs = (inputs.envs as string[]).filter((entry) => live.has(entry));
  const labels: Record<string, string> = Config.Labels ?? {};
  if (inputs.labels !== undefined) now.labels = Object.keys(labelsOf(inputs.labels)).filter((key) => key in labels).map((label) => ({ label, value: labels[label]! }));
  const names = new Set(Object.entries(NetworkSettings.Networks ?? {}).flatMap(([name, network]: [string, any]) => [name, network.NetworkID]));
  // A container that has stopped keeps its networks, but Docker then doesn't know their ids.
  if (inputs.networksAdvanced !== undefined && State.Running) now.networksAdvanced = (inputs.networksAdvanced as Values[]).filter(({ name }) => names.has(name as string));
  return sameOrNew(inputs, now);
}

/** Keeps what is equal as the program wrote it (order included), so that only real differences show. */
function sameOrNew(inputs: Values, now: Values): Values {
  return Object.fromEntries(Object.entries(now).map(([key, value]) => {
    const same = canonical(containerSchema[key] ?? any, value) === canonical(containerSchema[key] ?? any, inputs[key]);
    return [key, same ? inputs[key]! : value];
  }));
}
