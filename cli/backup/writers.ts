import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { WORKERS } from "../../config/roles.ts";
import { CliError, Exit } from "../errors.ts";
import { show, switchOff, switchOn, type ProxyHost, type Shown } from "../maintenance/proxy.ts";
import { readState, wanted } from "../maintenance/state.ts";
import type { Entry } from "../../backup/protocol.ts";
import { hold, interruption } from "../pulumi.ts";
import { ask, containerOf, type BackupHost } from "./agent.ts";
import { select } from "./words.ts";

const hex = (bytes: number): string => randomBytes(bytes).toString("hex");

const siteOf = ({ docker, deployed, session }: BackupHost): ProxyHost => ({ docker, container: containerOf(deployed, "proxy"), stack: session.stack });

/** Closes the site again where it was closed when the backup was made. */
export async function restoreMaintenance(host: BackupHost, entry: Entry): Promise<boolean> {
  const { state } = await ask(host, "state", [entry.id]);
  if (state?.maintenance === null || state?.maintenance === undefined) return false;
  await switchOn(siteOf(host), readState(JSON.stringify(state.maintenance), `the backup ${entry.id}`), `g-${hex(6)}`, 60);
  return true;
}

/** Workers and scheduler while they are away. */
export interface Workers {
  /** They have finished what they did; answers how the site was. */
  readonly stopped: Promise<Shown>;
  start(): Promise<void>;
}

/** Has workers and scheduler stop, and does not wait. Until they are started again, no signal ends this process. */
export function stopWorkers(host: BackupHost, log: (line: string) => void): Workers {
  const { docker, deployed, session } = host;
  const site = show(siteOf(host));
  site.catch(() => undefined); // said by whoever waits for it
  const workers = [...deployed.outputs.services, ...(deployed.unfinished?.others ?? [])].filter(({ role }) => (WORKERS as readonly string[]).includes(role)).map(({ container }) => container);
  if (workers.length === 0) return { stopped: site, start: async () => undefined };
  const release = hold();
  log("workers and scheduler finish what they do, and stop");
  // The containers' own stop signal and time: a job that runs is finished.
  const stopped = docker.run(["stop", ...workers]).then(async ({ code, stderr }) => {
    if (code !== 0) throw new CliError({ what: `workers and scheduler could not be stopped: ${stderr.trim()}; nothing was changed` });
    return await site;
  });
  stopped.catch(() => undefined); // said by whoever waits for it
  const start = async (): Promise<void> => {
    try {
      await stopped.catch(() => undefined);
      // Each by itself: docker's client starts those of one command one after the other.
      const failed = (await Promise.all(workers.map(async (worker) => await docker.run(["start", worker])))).filter(({ code }) => code !== 0);
      if (failed.length > 0) log(`workers and scheduler could not be started (./drydock up${select(session.stack)} does it): ${failed.map(({ stderr }) => stderr.trim()).join("; ")}`);
    } finally {
      release();
    }
  };
  return { stopped, start };
}

/**
 * Does something while nobody writes: the site shows the page of maintenance mode, workers and scheduler are stopped. Afterwards all is as it was,
 * whether it went well or not. Answers when the site was open again, in seconds since this process began.
 * @param workers where they are being stopped already
 */
export async function withoutWriters(host: BackupHost, log: (line: string) => void, work: () => Promise<void>, workers = stopWorkers(host, log)): Promise<{ readonly opened: number }> {
  const site = siteOf(host);
  const who = { by: `${userInfo().username}@${hostname()}`, now: new Date(), random: () => hex(16) };
  const closed = wanted({ message: "Data is being restored.", allow: [], secret: false }, undefined, who);
  let reopen: (() => Promise<unknown>) | undefined;
  const release = hold();
  let opened = NaN;
  try {
    const { state: before } = await workers.stopped;
    const signal = interruption();
    if (signal !== undefined) throw new CliError({ what: "interrupted; nothing was changed", code: signal === "SIGINT" ? Exit.interrupted : Exit.terminated });
    reopen = async () => await (before === undefined ? switchOff(site, 0) : switchOn(site, before, `g-${hex(6)}`, 0));
    log("closing the site");
    await switchOn(site, closed, `g-${hex(6)}`, 60);
    await work();
  } finally {
    // Visitors first: what starts takes the processors.
    const open = async (): Promise<void> => {
      await reopen?.();
      opened = process.uptime();
      log("the site is as it was");
    };
    await open().finally(workers.start).finally(release);
  }
  return { opened };
}
