import type { Docker } from "./docker.ts";
import type { ContainerReport } from "./report.ts";

/** From which part of a limit on it is told: what keeps sessions and jobs refuses to take more when it is full. */
const ALARM = 0.8;

/**
 * What Redis's container is asked: its own figures, and its limit, which is nowhere else to be obtained without another
 * question.
 */
export const MEMORY = `sh /run/drydock/redis-cli.sh info memory
echo "limit:$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)"`;

/**
 * Why the server of sessions and jobs may soon refuse them, or be killed; nothing where there is room.
 * @param values of INFO memory, in bytes, and the container's `limit`
 */
export function alarmOf(values: Readonly<Record<string, string>>): string[] {
  const share = (part: string, whole: string) => Number(values[part]) / Number(values[whole]);
  const percent = (value: number) => `${Math.floor(value * 100)} %`;
  const mebibytes = (name: string) => Math.round(Number(values[name]) / 2 ** 20);
  const full = Number(values["maxmemory"]) > 0 ? share("used_memory", "maxmemory") : 0;
  const resident = share("used_memory_rss", "limit");
  return [
    ...(full >= ALARM
      ? [
          `Redis has used ${percent(full)} of drydock:redis.maxmemory (${mebibytes("maxmemory")} MiB): full, ` +
            "it refuses sessions and jobs, and pages fail",
        ]
      : []),
    ...(resident >= ALARM
      ? [
          `Redis takes ${percent(resident)} of drydock:redis.memory (${mebibytes("limit")} MiB): ` +
            "at the limit it is killed, the sooner while it saves",
        ]
      : []),
  ];
}

/** `key:value` lines, as INFO writes them. */
export function readInfo(output: string): Readonly<Record<string, string>> {
  const pairs = output
    .split(/\r?\n/)
    .map((line) => /^([a-z_-]+):(.*)$/.exec(line))
    .filter((found) => found !== null);
  return Object.fromEntries(pairs.map(([, key = "", value = ""]) => [key, value]));
}

/** Asks the stack's Redis; one that does not answer says nothing here, for its health says that. */
export async function redisAlarms(docker: Docker, services: readonly ContainerReport[]): Promise<string[]> {
  const asked = services
    .filter(({ role, state }) => role === "redis" && state === "running")
    .map(async ({ container }) => {
      const { code, stdout } = await docker.run(["exec", container, "/bin/sh", "-c", MEMORY], { timeout: 10_000 });
      return code === 0 ? alarmOf(readInfo(stdout)) : [];
    });
  return (await Promise.all(asked)).flat();
}
