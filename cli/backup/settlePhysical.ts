import { BESIDE, FOLDERS } from "../../contracts/agent.ts";
import { CliError } from "../shared/errors.ts";
import { type BackupHost, containerOf, type Inspection, volumeAt } from "./agent.ts";
import { onVolume } from "./oneOff.ts";
import { type Files, noteReplaced, physicalScript, start, takeBack } from "./restorePhysical.ts";
import { type Database, databaseOf } from "./sql.ts";
import type { Say } from "./swap.ts";
import { Unsettled } from "./unsettled.ts";

/** Brings such a restore to its end: what is on the disk decides, not whether a server answers. */
export async function settlePhysical(host: BackupHost, say: Say): Promise<boolean> {
  const files = onDatabase(host);
  const [phase = "", name = ""] = (await files("left")).trim().split(" ");
  if (phase === "") return false;
  const database = databaseOf(host, "mariadb");
  try {
    if (phase === "proven") {
      await start(database);
      await files("keep");
      await noteReplaced(host, say);
      say(
        "a restore of the server's files was cut off when it was done; what was live before it is kept as " +
          `${BESIDE}/${name}`,
        "warn",
      );
    } else {
      say(
        "a restore of the server's files was cut off while they were put in place; what was live is put in place again",
        "warn",
      );
      const aside = await takeBack(database, files);
      if (aside !== "") say(`what had been put in place is kept as ${BESIDE}/${aside}`, "warn");
    }
    return true;
  } catch (error) {
    throw new Unsettled(
      `a restore of the server's files was cut off (${phase}), and could not be brought to an end: ` +
        `${(error as Error).message}`,
    );
  }
}

/** The script in a container of its own on the database's volume, as the database's user. */
function onDatabase({ docker, deployed, session }: Pick<BackupHost, "docker" | "deployed" | "session">): Files {
  return async (...args) => {
    const companion = containerOf(deployed, "restore");
    const { code: found, stdout: inspected } = await docker.run(["inspect", companion]);
    if (found !== 0)
      throw new CliError({ what: `the companion ${companion} is not there`, remedy: "./drydock status" });
    const [inspection] = JSON.parse(inspected) as [Inspection];
    const { code, stdout, stderr } = await docker.run(
      onVolume({
        like: inspection,
        stack: session.stack,
        volume: volumeAt(inspection, FOLDERS.database),
        at: FOLDERS.database,
        script: physicalScript(),
        args,
      }),
    );
    if (code !== 0) throw new CliError({ what: `the database's files: ${stderr.trim()}` });
    return stdout;
  };
}

/** What restores have kept in the database's volume, which is this stack's alone. */
export async function keptPhysical(database: Database): Promise<string[]> {
  return (await inDatabase(database, "kept")).split("\n").flatMap((name) => (name === "" ? [] : [`${BESIDE}/${name}`]));
}

export async function forgetPhysical(database: Database): Promise<void> {
  await inDatabase(database, "forget");
}

async function inDatabase({ docker, container }: Database, verb: string): Promise<string> {
  const { code, stdout, stderr } = await docker.run(["exec", container, "sh", "-c", physicalScript(), "restore", verb]);
  if (code !== 0) throw new CliError({ what: `the database's files: ${stderr.trim()}`, remedy: "./drydock status" });
  return stdout;
}
