/** What a Docker engine says of the limits that it can hold, as `docker info` and its API have it. */
export interface EngineLimits {
  readonly MemoryLimit?: boolean;
  readonly PidsLimit?: boolean;
  readonly CPUCfsQuota?: boolean;
  readonly CgroupVersion?: string;
  readonly SecurityOptions?: readonly string[] | null;
}

const LIMITS = { MemoryLimit: "memory", PidsLimit: "processes", CPUCfsQuota: "processors" } as const;

/**
 * Which limits of containers the engine takes and does not hold, and how to have them; undefined where it holds all. An
 * engine without root holds none before it has a part of the second version of control groups
 * (https://docs.docker.com/engine/security/rootless/).
 */
export function judgeLimits(
  where: string,
  info: EngineLimits,
): { readonly what: string; readonly remedy: string } | undefined {
  const missing = (Object.keys(LIMITS) as (keyof typeof LIMITS)[]).filter((name) => info[name] === false);
  if (missing.length === 0) return undefined;
  const names = missing.map((name) => LIMITS[name]).join(", ");
  return {
    what: `Docker at ${where} does not hold limits of ${names}: one container can take all that the host has`,
    remedy: info.SecurityOptions?.some((option) => option.startsWith("name=rootless"))
      ? `an engine without root needs systemd and control groups v2, and a part of them ` +
        `(there they are v${info.CgroupVersion ?? "1"}): ` +
        "https://docs.docker.com/engine/security/rootless/#limiting-resources"
      : "boot the host's kernel with cgroup_enable=memory swapaccount=1",
  };
}
