import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { BACKGROUND } from "../../config/roles.ts";
import type { Entry } from "../../contracts/entry.ts";
import { type ProxyHost, type Shown, show, switchOff, switchOn } from "../maintenance/proxy.ts";
import { type Maintenance, RESTORING, readState, wanted } from "../maintenance/state.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";
import { hold, interruption } from "../shared/signals.ts";
import { ask, type BackupHost, containerOf } from "./agent.ts";
import type { HostLock } from "./hostLock.ts";
import { Unsettled } from "./unsettled.ts";

/** What is needed of a stack to have nobody write. */
export type WritersHost = Pick<BackupHost, "docker" | "deployed" | "session">;

const hex = (bytes: number): string => randomBytes(bytes).toString("hex");

const siteOf = ({ docker, deployed, session }: WritersHost): ProxyHost => ({
  docker,
  container: containerOf(deployed, "proxy"),
  stack: session.stack,
});
const backgroundOf = ({ deployed }: WritersHost): string[] =>
  [...deployed.outputs.services, ...(deployed.unfinished?.others ?? [])]
    .filter(({ role }) => (BACKGROUND as readonly string[]).includes(role))
    .map(({ container }) => container);

/** Closes the site again where it was closed when the backup was made. */
export async function restoreMaintenance(host: BackupHost, entry: Entry): Promise<boolean> {
  const { state } = await ask(host, "state", [entry.id]);
  if (state?.maintenance === null || state?.maintenance === undefined) return false;
  await switchOn(
    siteOf(host),
    readState(JSON.stringify(state.maintenance), `the backup ${entry.id}`),
    `g-${hex(6)}`,
    60,
  );
  return true;
}

/** Horizon, workers and the scheduler while they are away. */
export interface Background {
  /** They have finished what they did; answers how the site was. */
  readonly stopped: Promise<Shown>;
  start(): Promise<void>;
}

/**
 * Has Horizon, workers and the scheduler stop, and does not wait. Until they are started again, no signal ends this
 * process.
 */
export function stopBackground(host: WritersHost, log: (line: string) => void): Background {
  const { docker } = host;
  const site = show(siteOf(host));
  site.catch(() => undefined); // said by whoever waits for it
  const background = backgroundOf(host);
  if (background.length === 0) return { stopped: site, start: async () => undefined };
  const release = hold();
  log("Horizon, workers and the scheduler finish what they do, and stop");
  // The containers' own stop signal and time: a job that runs is finished.
  const stopped = docker.run(["stop", ...background]).then(async ({ code, stderr }) => {
    if (code !== 0)
      throw new CliError({
        what: `Horizon, workers and the scheduler could not be stopped: ${stderr.trim()}; nothing was changed`,
      });
    return await site;
  });
  stopped.catch(() => undefined); // said by whoever waits for it
  const start = async (): Promise<void> => {
    try {
      await stopped.catch(() => undefined);
      await startBackground(host, log);
    } finally {
      release();
    }
  };
  return { stopped, start };
}

async function startBackground(host: WritersHost, log: (line: string) => void): Promise<void> {
  // Each by itself: docker's client starts those of one command one after the other.
  const failed = (
    await Promise.all(backgroundOf(host).map(async (container) => await host.docker.run(["start", container])))
  ).filter(({ code }) => code !== 0);
  if (failed.length > 0)
    log(
      `Horizon, workers and the scheduler could not be started (./drydock up${select(host.session.stack)} does it): ` +
        `${failed.map(({ stderr }) => stderr.trim()).join("; ")}`,
    );
}

/** Where the lock keeps how the site was. */
export const SITE = "site.json";

export interface WithoutWritersOptions {
  /** Keeps how the site was, for whoever comes after this process has been killed. */
  readonly lock: HostLock;
  /** Where they are being stopped already. @default they are stopped here */
  readonly background?: Background | undefined;
}

/**
 * Does something while nobody writes: the site shows the page of maintenance mode, Horizon, workers and the scheduler
 * are stopped. Afterwards all is as it was, whether it went well or not, but where it is left unsettled. Answers when
 * the site was open again, in seconds since this process began.
 */
export async function withoutWriters(
  host: WritersHost,
  log: (line: string) => void,
  { lock, background = stopBackground(host, log) }: WithoutWritersOptions,
  work: () => Promise<void>,
): Promise<{ readonly opened: number }> {
  const site = siteOf(host);
  const who = { by: `${userInfo().username}@${hostname()}`, now: new Date(), random: () => hex(16) };
  const closed = wanted({ message: RESTORING, allow: [], secret: false }, undefined, who);
  let reopen: (() => Promise<unknown>) | undefined;
  const release = hold();
  let opened = NaN;
  let unsettled = false;
  try {
    const { state: before } = await background.stopped;
    const signal = interruption();
    if (signal !== undefined)
      throw new CliError({
        what: "interrupted; nothing was changed",
        code: signal === "SIGINT" ? Exit.interrupted : Exit.terminated,
      });
    await lock.save(SITE, JSON.stringify({ before: before ?? null }));
    reopen = async () => await (before === undefined ? switchOff(site, 0) : switchOn(site, before, `g-${hex(6)}`, 0));
    log("closing the site");
    await switchOn(site, closed, `g-${hex(6)}`, 60);
    await work();
  } catch (error) {
    unsettled = error instanceof Unsettled;
    throw error;
  } finally {
    // Visitors first: what starts takes the processors.
    const open = async (): Promise<void> => {
      await reopen?.();
      opened = process.uptime();
      log("the site is as it was");
    };
    if (unsettled) release();
    else await open().finally(background.start).finally(release);
  }
  return { opened };
}

/** Whether visitors read that data is being restored. */
async function isClosedForRestore(host: WritersHost): Promise<boolean> {
  return (await show(siteOf(host))).state?.message === RESTORING;
}

/**
 * What `withoutWriters` would have done at its end, after its process was killed.
 * @param saved what its lock has kept of how the site was; undefined where that is gone: the site is opened
 */
export async function writersAgain(
  host: WritersHost,
  saved: string | undefined,
  log: (line: string) => void,
): Promise<void> {
  const site = siteOf(host);
  // Somebody may have opened or closed it by hand since then.
  if (await isClosedForRestore(host)) {
    const { before } = saved === undefined ? { before: null } : (JSON.parse(saved) as { before: Maintenance | null });
    if (before === null) await switchOff(site, 0);
    else await switchOn(site, readState(JSON.stringify(before), "what the restore has kept"), `g-${hex(6)}`, 0);
    log("the site is as it was before that restore");
  }
  await startBackground(host, log);
}
