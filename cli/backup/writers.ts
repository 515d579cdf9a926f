import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { WORKERS } from "../../config/roles.ts";
import type { Entry } from "../../contracts/entry.ts";
import { type ProxyHost, type Shown, show, switchOff, switchOn } from "../maintenance/proxy.ts";
import { type Maintenance, readState, wanted } from "../maintenance/state.ts";
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
const workersOf = ({ deployed }: WritersHost): string[] =>
  [...deployed.outputs.services, ...(deployed.unfinished?.others ?? [])]
    .filter(({ role }) => (WORKERS as readonly string[]).includes(role))
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

/** Workers and scheduler while they are away. */
export interface Workers {
  /** They have finished what they did; answers how the site was. */
  readonly stopped: Promise<Shown>;
  start(): Promise<void>;
}

/** Has workers and scheduler stop, and does not wait. Until they are started again, no signal ends this process. */
export function stopWorkers(host: WritersHost, log: (line: string) => void): Workers {
  const { docker } = host;
  const site = show(siteOf(host));
  site.catch(() => undefined); // said by whoever waits for it
  const workers = workersOf(host);
  if (workers.length === 0) return { stopped: site, start: async () => undefined };
  const release = hold();
  log("workers and scheduler finish what they do, and stop");
  // The containers' own stop signal and time: a job that runs is finished.
  const stopped = docker.run(["stop", ...workers]).then(async ({ code, stderr }) => {
    if (code !== 0)
      throw new CliError({ what: `workers and scheduler could not be stopped: ${stderr.trim()}; nothing was changed` });
    return await site;
  });
  stopped.catch(() => undefined); // said by whoever waits for it
  const start = async (): Promise<void> => {
    try {
      await stopped.catch(() => undefined);
      await startWorkers(host, log);
    } finally {
      release();
    }
  };
  return { stopped, start };
}

async function startWorkers(host: WritersHost, log: (line: string) => void): Promise<void> {
  // Each by itself: docker's client starts those of one command one after the other.
  const failed = (
    await Promise.all(workersOf(host).map(async (worker) => await host.docker.run(["start", worker])))
  ).filter(({ code }) => code !== 0);
  if (failed.length > 0)
    log(
      `workers and scheduler could not be started (./drydock up${select(host.session.stack)} does it): ` +
        `${failed.map(({ stderr }) => stderr.trim()).join("; ")}`,
    );
}

/** What visitors read while data is being restored. */
const MESSAGE = "Data is being restored.";
/** Where the lock keeps how the site was. */
export const SITE = "site.json";

export interface WithoutWritersOptions {
  /** Keeps how the site was, for whoever comes after this process has been killed. */
  readonly lock: HostLock;
  /** Where they are being stopped already. @default they are stopped here */
  readonly workers?: Workers | undefined;
}

/**
 * Does something while nobody writes: the site shows the page of maintenance mode, workers and scheduler are stopped.
 * Afterwards all is as it was, whether it went well or not, but where it is left unsettled. Answers when the site was
 * open again, in seconds since this process began.
 */
export async function withoutWriters(
  host: WritersHost,
  log: (line: string) => void,
  { lock, workers = stopWorkers(host, log) }: WithoutWritersOptions,
  work: () => Promise<void>,
): Promise<{ readonly opened: number }> {
  const site = siteOf(host);
  const who = { by: `${userInfo().username}@${hostname()}`, now: new Date(), random: () => hex(16) };
  const closed = wanted({ message: MESSAGE, allow: [], secret: false }, undefined, who);
  let reopen: (() => Promise<unknown>) | undefined;
  const release = hold();
  let opened = NaN;
  let unsettled = false;
  try {
    const { state: before } = await workers.stopped;
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
    else await open().finally(workers.start).finally(release);
  }
  return { opened };
}

/** Whether visitors read that data is being restored. */
async function isClosedForRestore(host: WritersHost): Promise<boolean> {
  return (await show(siteOf(host))).state?.message === MESSAGE;
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
  await startWorkers(host, log);
}
