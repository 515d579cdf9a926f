import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { CliError } from "../errors.ts";
import { show, switchOff, switchOn, type ProxyHost } from "../maintenance/proxy.ts";
import { readState, wanted } from "../maintenance/state.ts";
import type { Entry } from "../../backup/protocol.ts";
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

/**
 * Does something while nobody writes: the site shows the page of maintenance mode, workers and scheduler are stopped. Afterwards all is as it was,
 * whether it went well or not.
 */
export async function withoutWriters<T>(host: BackupHost, log: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const { docker, deployed, session } = host;
  const site = siteOf(host);
  const before = await show(site);
  const who = { by: `${userInfo().username}@${hostname()}`, now: new Date(), random: () => hex(16) };
  const closed = wanted({ message: "Data is being restored.", allow: [], secret: false }, undefined, who);
  const workers = deployed.outputs.services.filter(({ role }) => role === "horizon" || role === "scheduler").map(({ container }) => container);
  log("closing the site, and stopping workers and scheduler");
  try {
    await switchOn(site, closed, `g-${hex(6)}`, 60);
    if (workers.length > 0) {
      // The containers' own stop signal and time: a job that runs is finished.
      const { code, stderr } = await docker.run(["stop", ...workers]);
      if (code !== 0) throw new CliError({ what: `workers and scheduler could not be stopped: ${stderr.trim()}; nothing was changed` });
    }
    return await work();
  } finally {
    if (workers.length > 0) {
      const { code, stderr } = await docker.run(["start", ...workers]);
      if (code !== 0) log(`workers and scheduler could not be started (./drydock up${select(session.stack)} does it): ${stderr.trim()}`);
    }
    if (before.state === undefined) await switchOff(site, 0);
    else await switchOn(site, before.state, `g-${hex(6)}`, 0);
    log("the site is as it was");
  }
}
