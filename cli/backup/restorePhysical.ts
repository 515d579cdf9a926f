import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Entry } from "../../backup/protocol.ts";
import { CliError } from "../errors.ts";
import { ROOT } from "../project.ts";
import { ask, containerOf, volumeAt, type BackupHost, type Inspection } from "./agent.ts";
import type { Progress } from "./progress.ts";
import { stamp } from "./restoreDatabase.ts";
import { databaseOf, differences, query, type Database } from "./sql.ts";
import { withoutWriters } from "./writers.ts";

const KEPT = "drydock.kept=before-restore";
/** How long the server may take to start on the restored files, in ms. */
const START = 180_000;

/** Puts a server's files in the place of the live ones: as fast as the disk, with the server stopped for two renames. */
export async function restorePhysical(host: BackupHost, entry: Entry, toTime: string | undefined, progress: Progress): Promise<{ readonly reached: string; readonly live: number; readonly previous: string }> {
  if (entry.database?.format !== "physical") {
    throw new CliError({ what: `backup ${entry.id} holds no files of a server`, remedy: `./drydock backup restore ${entry.id} (table by table)`, code: 3 });
  }
  const database = databaseOf(host, entry.database.engine);
  const { docker } = host;
  progress.say("preparing the server's files, checked in a throwaway server");
  const prepared = await ask(host, "prepare", [entry.id, ...(toTime === undefined ? [] : ["--to-time", toTime])], { on: progress.on });
  const mounts = await mountsOf(host, database);
  const run = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await docker.run(oneOff(mounts, host.session.stack, args));
    if (code !== 0) throw new CliError({ what: `the database's files: ${stderr.trim() || `exit code ${code}`}` });
  };
  const previous = `${mounts.data}-before-${stamp().replace("_", "-")}`;
  try {
    progress.say(`prepared and compared in ${prepared.seconds.toFixed(1)} s; copying them beside the live ones`);
    const copying = Date.now();
    await run("copy", prepared.folder);
    progress.say(`copied in ${((Date.now() - copying) / 1000).toFixed(1)} s`);
    // Meanwhile the site is closed and workers finish.
    const synced = run("sync");
    synced.catch(() => undefined);
    await withoutWriters(host, (line) => progress.say(line), async () => {
      await synced;
      const began = Date.now();
      await stop(host, database);
      try {
        await run("swap");
        await start(host, database);
        const problems = await differences(database, entry.database!.schema, prepared.sums, "rows");
        if (problems.length > 0) throw new CliError({ what: `what was restored is not what was backed up: ${problems.join("; ")}`, code: 4 });
      } catch (error) {
        progress.say("taking it back: what was live is put in place again", "warn");
        await stop(host, database);
        await run("back");
        await start(host, database);
        throw error;
      }
      progress.say(`swapped in; the database was away for ${((Date.now() - began) / 1000).toFixed(1)} s`);
    });
    const live = process.uptime();
    await docker.run(["volume", "create", "--label", `drydock.stack=${host.session.stack}`, "--label", KEPT, previous]);
    await docker.run(["run", "--rm", "--network", "none", "--user", "0", "--cap-drop", "ALL", "--cap-add", "CHOWN", "--mount", `type=volume,source=${previous},target=/previous`, "--entrypoint", "chown", mounts.image, mounts.user, "/previous"]);
    const { code, stderr } = await docker.run(oneOff({ ...mounts, previous }, host.session.stack, ["keep"]));
    if (code !== 0) progress.say(`what was live stays in the database's own volume, in .drydock-before: ${stderr.trim()}`, "warn");
    return { reached: prepared.reached, live, previous };
  } finally {
    await ask(host, "release", [prepared.folder]).catch(() => undefined);
  }
}

interface Mounts {
  readonly image: string;
  readonly user: string;
  /** Names of volumes. */
  readonly data: string;
  readonly restore: string;
  readonly previous?: string;
}

async function mountsOf({ docker, deployed }: BackupHost, { container }: Database): Promise<Mounts> {
  const { code, stdout, stderr } = await docker.run(["inspect", container, containerOf(deployed, "restore")]);
  if (code !== 0) throw new CliError({ what: `the containers of the database and of its restores can't be inspected: ${stderr.trim()}` });
  const [server, companion] = JSON.parse(stdout) as [Inspection, Inspection];
  return { image: server.Config.Image, user: server.Config.User, data: volumeAt(server, "/var/lib/mysql"), restore: volumeAt(companion, "/restore") };
}

function oneOff({ image, user, data, restore, previous }: Mounts, stack: string, args: readonly string[]): string[] {
  const script = readFileSync(join(ROOT, "commands", "restore-physical.sh"), "utf8");
  return [
    "run", "--rm", "--network", "none", "--user", user, "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--label", `drydock.stack=${stack}`,
    "--mount", `type=volume,source=${data},target=/data`, "--mount", `type=volume,source=${restore},target=/restore,readonly`,
    ...(previous === undefined ? [] : ["--mount", `type=volume,source=${previous},target=/previous`]), "--entrypoint", "sh", image, "-c", script, "restore", ...args,
  ];
}

async function stop({ docker }: BackupHost, { container }: Database): Promise<void> {
  const { code, stderr } = await docker.run(["stop", container]);
  if (code !== 0) throw new CliError({ what: `the database could not be stopped: ${stderr.trim()}` });
}

async function start({ docker }: BackupHost, database: Database): Promise<void> {
  const { container } = database;
  await docker.run(["start", container]);
  for (const end = Date.now() + START; Date.now() < end; await sleep(200)) {
    // Sooner than the health check says it.
    if (await query(database, "SELECT 1").then(() => true, () => false)) return;
    const { stdout } = await docker.run(["inspect", "--format", "{{.State.Status}}", container]);
    if (stdout.trim() === "exited") break;
  }
  const { stdout, stderr } = await docker.run(["logs", "--tail", "8", container]);
  throw new CliError({ what: `the database does not answer on the restored files:\n${(stdout + stderr).trim()}` });
}

/** The volumes that hold what was live before a physical restore. */
export async function keptPhysical({ docker, session }: BackupHost): Promise<string[]> {
  const { stdout } = await docker.run(["volume", "ls", "--quiet", "--filter", `label=${KEPT}`, "--filter", `label=drydock.stack=${session.stack}`]);
  return stdout.split("\n").filter((name) => name !== "");
}

export async function forgetPhysical({ docker }: BackupHost, volumes: readonly string[]): Promise<void> {
  if (volumes.length > 0) await docker.run(["volume", "rm", ...volumes]);
}
