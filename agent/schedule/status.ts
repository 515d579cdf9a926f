import { statfsSync } from "node:fs";
import { FOLDERS, PORTS, type Results, type Status, titleOf } from "../../contracts/agent.ts";
import { type Entry, sizesOf } from "../../contracts/entry.ts";
import { many } from "../../lib/many.ts";
import { type Agent, type Place, placeOf } from "../agent.ts";
import { askReader, companionSpace, keptBackups } from "../companion/client.ts";
import { withDatabase } from "../database/connection.ts";
import { messageOf } from "../shared/errors.ts";
import type { Live } from "../shared/live.ts";
import { holderOf, LOCK } from "../shared/lock.ts";
import { nextTime } from "./cron.ts";

async function askLive(): Promise<Live | undefined> {
  const response = await fetch(`http://127.0.0.1:${PORTS.agent}/live`, { signal: AbortSignal.timeout(5_000) }).catch(
    () => undefined,
  );
  return response?.ok === true ? ((await response.json()) as Live) : undefined;
}

/** What lies in the future is as far away as what lies in the past: nobody knows which of the two clocks was wrong. */
export const hoursSince = (time: string, now: number): number => Math.abs(now - Date.parse(time)) / 3_600_000;

/** The newest verified backup, with the database if there is one: files alone are no stack. */
const newestProven = (entries: readonly Entry[]): Entry | undefined =>
  entries.find(({ verified, database }) => verified && database !== undefined) ??
  entries.find(({ verified }) => verified);

/**
 * Why the newest proven backup is too old, in words; undefined where it isn't.
 * @param since ISO 8601: from when on a stack without any should have had one
 * @param maxAge hours
 */
export function tooOld(
  entries: readonly Entry[],
  { since, maxAge }: { readonly since: string; readonly maxAge: number },
  now: number,
): string | undefined {
  const verified = newestProven(entries);
  const age = hoursSince(verified?.started ?? since, now);
  if (age <= maxAge) return undefined;
  return verified === undefined
    ? "there is no verified backup"
    : `the newest verified backup is ${many(Math.round(age), "hour")} old`;
}

export function statusFrom(
  agent: Pick<Agent, "configuration">,
  entries: readonly Entry[],
  live: Live | undefined,
  now: Date,
): Status {
  const { schedule, s3, left = [] } = agent.configuration;
  const newestVerified = newestProven(entries) ?? null;
  const holder = holderOf(LOCK);
  return {
    newest: entries[0] ?? null,
    newestVerified,
    ageHours: newestVerified === null ? null : hoursSince(newestVerified.started, now.getTime()),
    rpoSeconds: live?.rpoSeconds ?? null,
    rtoSeconds: newestVerified?.verification?.seconds ?? null,
    binlog: live?.binlog ?? { streaming: false, position: null, reached: null },
    s3: live?.s3 ?? { configured: s3 !== undefined, lagSeconds: null, error: null },
    running: holder === undefined ? null : { type: holder.what, since: holder.since, pid: holder.pid },
    next: Object.fromEntries(
      Object.entries(schedule).map(([name, pattern]) => [name, nextTime(pattern, now)?.toISOString() ?? null]),
    ),
    left,
    alarms: live?.alarms ?? [],
  };
}

export async function statusOf(agent: Agent): Promise<Status> {
  return statusFrom(agent, (await agent.local.catalogue.list()).entries, await askLive(), new Date());
}

/** Looks at everything that a backup needs. */
export async function healthOf(agent: Agent): Promise<Results["health"]> {
  const status = await statusOf(agent);
  const { maxAge } = agent.configuration;
  const check = async (
    name: string,
    look: () => Promise<string> | string,
  ): Promise<Results["health"]["checks"][number]> => {
    try {
      return { name, ok: true, message: await look() };
    } catch (error) {
      return { name, ok: false, message: messageOf(error) };
    }
  };
  const fail = (message: string): never => {
    throw new Error(message);
  };
  const checks = [
    await check("database", async () => await withDatabase(async () => "answers")),
    await check("companion", async () => {
      const [free, kept] = await Promise.all([companionSpace(), keptBackups()]);
      return (
        `${Math.round(free / 2 ** 20)} MiB for restores` +
        `${kept.length === 0 ? "" : `, backup ${kept[0]} is kept restored`}`
      );
    }),
    ...(await Promise.all(
      (agent.configuration.volumes ?? [])
        .filter(({ kind }) => kind === "service")
        .map((volume) =>
          check(titleOf(volume), async () => {
            await askReader(volume, "/healthz", AbortSignal.timeout(5_000));
            return "its volume can be read";
          }),
        ),
    )),
    await check("disk", () => {
      const { bavail, bsize, blocks } = statfsSync(FOLDERS.backups);
      return bavail / blocks < 0.05
        ? fail("less than 5 % of the disk for backups is free")
        : `${Math.round((bavail * bsize) / 2 ** 20)} MiB free`;
    }),
    await check("backup", () =>
      status.newestVerified === null
        ? fail("there is no verified backup")
        : status.ageHours! > maxAge
          ? fail(`the newest verified backup is ${many(Math.round(status.ageHours!), "hour")} old`)
          : `${status.newestVerified.id}, ${status.ageHours!.toFixed(1)} hours old, ` +
            `restored in ${status.rtoSeconds!.toFixed(1)} s`,
    ),
    ...(agent.configuration.external === true
      ? []
      : [
          await check("binlog", () =>
            status.rpoSeconds === null
              ? fail("the binary log is not in the repository yet")
              : status.rpoSeconds > 60
                ? fail(`the binary log in the repository is ${status.rpoSeconds.toFixed(0)} s behind`)
                : `${status.rpoSeconds.toFixed(1)} s behind`,
          ),
        ]),
    ...(status.s3.configured
      ? [await check("s3", () => (status.s3.error === null ? "up to date" : fail(status.s3.error)))]
      : []),
  ];
  return { healthy: checks.every(({ ok }) => ok), checks };
}

/** Where the backups of a list are read from: after a disaster all of them, or the older ones, are in S3 alone. */
export const placesOf = (agent: Agent, entries: readonly Entry[]): readonly Place[] =>
  entries.length === 0 ? [agent.local] : [...new Set(entries.map((entry) => placeOf(agent, entry)))];

export async function statsOf(agent: Agent): Promise<Results["stats"]> {
  const { entries } = await agent.local.catalogue.list();
  const places = placesOf(agent, entries);
  const sizes = await Promise.all(
    places.map(
      async ({ restic }) =>
        JSON.parse(await restic.run(["stats", "--mode", "raw-data", "--json"]).catch(() => "{}")) as {
          total_size?: number;
        },
    ),
  );
  const archived = (await Promise.all(places.map(async ({ binlogs }) => await binlogs.files()))).flat();
  const segments = archived.flatMap(({ segments }) => segments);
  const { bavail, bsize } = statfsSync(FOLDERS.backups);
  return {
    backups: entries.length,
    verified: entries.filter(({ verified }) => verified).length,
    repositoryBytes: sizes.reduce((sum, { total_size = 0 }) => sum + total_size, 0),
    restoreBytes: entries.reduce((sum, entry) => sum + sizesOf(entry).bytes, 0),
    binlogBytes: segments.reduce((sum, { size }) => sum + size, 0),
    binlogSegments: segments.length,
    freeBytes: bavail * bsize,
  };
}
