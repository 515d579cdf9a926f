import { setTimeout as sleep } from "node:timers/promises";
import type { Docker } from "../shared/docker.ts";
import { CliError } from "../shared/errors.ts";
import type { BackupHost } from "./agent.ts";
import type { FilesPlace } from "./places.ts";
import { inFiles, swapFiles } from "./restoreFiles.ts";
import type { Say } from "./swap.ts";
import { Unsettled } from "./unsettled.ts";

/** A service's files that were put in place. */
export interface SwappedService {
  /** The folder that has what was there. */
  readonly previous: string;
  /** Puts that in place again. */
  undo(): Promise<void>;
}

type Host = Pick<BackupHost, "docker" | "agent" | "session">;

/**
 * Puts a service's files in place, while it is stopped. Where it doesn't become healthy on them, it gets back what it
 * had.
 */
export async function swapService(host: Host, place: FilesPlace, say: Say): Promise<SwappedService> {
  const { docker } = host;
  const { title, service = "" } = place;
  say(`${title} is stopped, and its files are put in place`);
  await stop(docker, service, title);
  const previous = await swapFiles(host, place).catch((error: CliError) => {
    throw new Unsettled(`${title}: its files could not be put in place: ${error.what}`);
  });
  const undo = async (): Promise<void> => {
    try {
      await stop(docker, service, title);
      await inFiles(host, place, "undo", previous);
      await docker.run(["start", service]);
    } catch (error) {
      throw new Unsettled(`${title}: what was live could not be put back: ${(error as Error).message}`);
    }
  };
  const problem = await startService(docker, service);
  if (problem === undefined) return { previous, undo };
  say(`${title} ${problem}: what was live is put in place again`, "warn");
  await undo();
  throw new CliError({
    what:
      `${title} ${problem} on what was restored, and has again what it had; its files of the backup may be of ` +
      "several moments",
    remedy: "choose another backup: ./drydock backup list; or restore without it: --db, --files, --folder",
  });
}

async function stop(docker: Docker, container: string, title: string): Promise<void> {
  const { code, stderr } = await docker.run(["stop", container]);
  if (code !== 0) throw new CliError({ what: `${title} could not be stopped: ${stderr.trim()}` });
}

interface State {
  readonly State: {
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly RestartCount: number;
}

/** Starts a service and waits for its health check, which has a limit of its own. Answers what is wrong, in words. */
export async function startService(docker: Docker, container: string): Promise<string | undefined> {
  const started = await docker.run(["start", container]);
  if (started.code !== 0) return `could not be started (${started.stderr.trim()})`;
  for (;;) {
    const { code, stdout, stderr } = await docker.run(["inspect", container]);
    if (code !== 0) return `can't be inspected (${stderr.trim()})`;
    const [{ State: state, RestartCount: restarts }] = JSON.parse(stdout) as [State];
    const health = state.Health?.Status ?? "healthy";
    if (state.Running && health === "healthy") return undefined;
    if (health === "unhealthy" || restarts > 2) {
      const { stdout: out, stderr: err } = await docker.run(["logs", "--tail", "5", container]);
      const said = (out + err).trim().replaceAll("\n", " | ");
      return `is not healthy${said === "" ? "" : ` ("${said}")`}`;
    }
    await sleep(300);
  }
}
