import { writeFileSync } from "node:fs";
import { CliError, Exit } from "../shared/errors.ts";
import { openSession, type Session } from "../shared/session.ts";
import { makeKeys } from "./admission.ts";
import { exportOf } from "./document.ts";
import { pageFiles } from "./files.ts";
import { Checks } from "./findings.ts";
import { Poller } from "./poller.ts";
import { Changes } from "./release/changes.ts";
import { listen } from "./server.ts";
import { activity } from "./sources/activity.ts";
import { backups } from "./sources/backups.ts";
import { certificates } from "./sources/certificates.ts";
import { containers } from "./sources/containers.ts";
import { measured } from "./sources/measured.ts";
import { releases } from "./sources/releases.ts";
import { Target } from "./target.ts";

export interface DashboardOptions {
  readonly stack?: string;
  readonly port?: string;
  readonly export?: string;
}

/** Serves the page until it is interrupted, or writes it into a file. Returns the exit code. */
export async function dashboard(options: DashboardOptions): Promise<number> {
  const port = portOf(options.port);
  const session = await openSession({ stack: options.stack, brief: true });
  const target = new Target(session);
  // What is wrong with all of it, such as a stack that is not deployed, is said here and not in the page.
  const [files] = await Promise.all([pageFiles(), target.now()]);
  const poller = pollerFor(session, target);
  const checks = new Checks(session);
  if (options.export !== undefined) {
    const state = await poller.readOnce();
    write(options.export, exportOf(state, { ...files, findings: [...checks.last.values()] }));
    process.stdout.write(`${options.export}\n`);
    return Exit.ok;
  }
  // The first look finds something, and charts are asked for by who looks.
  await poller.readOnce(["containers", "activity"]);
  const { url } = await listen({ keys: makeKeys(), poller, checks, files }, port);
  process.stdout.write(`${url}\n`);
  process.stderr.write(`→ stack ${session.stack}; Ctrl-C ends it\n`);
  return await ended();
}

function pollerFor(session: Session, target: Target): Poller {
  const changes = new Changes();
  return new Poller(session.stack, [
    containers(target),
    activity(target, changes),
    releases(target, changes),
    measured(target),
    backups(target),
    certificates(target),
  ]);
}

/** @returns 0 where any will do @throws CliError (usage) */
export function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new CliError({
    what: `--port is "${text}", expected a number from 1 to 65535`,
    remedy: "./drydock dashboard --port 8900",
    code: Exit.usage,
  });
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliError({ what: `the page was not written: ${(error as Error).message}`, remedy: "name another file" });
  }
}

/** Interrupted or terminated: a question that is on its way is left to itself. */
function ended(): Promise<number> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve(Exit.interrupted));
    process.once("SIGTERM", () => resolve(Exit.terminated));
  });
}
