import type { Docker } from "../shared/docker.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";
import type { Report } from "../shared/report.ts";
import type { Deployed } from "../shared/services.ts";
import type { Session } from "../shared/session.ts";
import { containerOf } from "./agent.ts";
import {
  type HostLock,
  heldByOther,
  holderOf,
  type LockHolder,
  type LockPlace,
  lockPlace,
  type Purpose,
  removeLeft,
  savedIn,
  takeHostLock,
} from "./hostLock.ts";
import { JOURNAL } from "./journal.ts";
import { type FilesPlace, filesPlaces } from "./places.ts";
import { companionName } from "./restoreCompanion.ts";
import { inFiles } from "./restoreFiles.ts";
import { start } from "./restorePhysical.ts";
import { startService } from "./restoreService.ts";
import { settlePhysical } from "./settlePhysical.ts";
import { type Database, databaseOf } from "./sql.ts";
import { type Say, settle } from "./swap.ts";
import { Unsettled } from "./unsettled.ts";
import { SITE, writersAgain } from "./writers.ts";

/** A stack with an agent, as far as a restore that was cut off has to be known. */
export interface RestoreHost {
  readonly session: Session;
  readonly deployed: Deployed;
  readonly docker: Docker;
  readonly agent: string;
}

export const restoreHost = (session: Session, deployed: Deployed): RestoreHost => ({
  session,
  deployed,
  docker: deployed.docker,
  agent: containerOf(deployed, "backup"),
});

/** What a restore has left, as the Docker host shows it; undefined: nothing. */
export interface Leftover {
  /** Its lock, where that is still there. */
  readonly holder: LockHolder | undefined;
  /** In words. */
  readonly what: string;
}

const LOOK = `cat /var/lib/mysql/.drydock/state 2>/dev/null; [ ! -d /var/lib/mysql/${JOURNAL} ] || echo tables`;

/**
 * Looks for a restore that was cut off: its lock, and what is written in the database's volume. A restore that is
 * at work is the holder of `at work`.
 */
export async function lookForRestores(
  docker: Docker,
  deployed: Deployed,
): Promise<{ readonly place: LockPlace | undefined; readonly atWork?: LockHolder; readonly left?: Leftover }> {
  const place = await lockPlace(docker, deployed.outputs);
  if (place === undefined) return { place };
  const database = isElsewhere(deployed) ? undefined : containerOf(deployed, "database");
  const [holder, state] = await Promise.all([
    holderOf(docker, place),
    database === undefined ? "" : restoreState(docker, database),
  ]);
  if (holder?.state === "held") return { place, atWork: holder };
  const left = holder !== undefined && holder.purpose !== "up";
  if (state === "" && !left) return { place };
  const what = left
    ? `${holder.about === "" ? "a restore" : holder.about} by ${holder.by}, since ${holder.since}, was cut off`
    : `a restore was cut off (${state.replaceAll("\n", ", ")})`;
  return { place, left: { holder, what } };
}

/** What is written in the database's volume, of files and tables; empty: nothing. */
async function restoreState(docker: Docker, database: string): Promise<string> {
  const marked = await docker.run(["exec", database, "sh", "-c", LOOK]);
  return marked.code === 0 ? marked.stdout.trim() : await stoppedState(docker, database);
}

/** The same of a server that doesn't run: Docker reads its volume all the same. */
async function stoppedState(docker: Docker, database: string): Promise<string> {
  const there = async (path: string): Promise<boolean> =>
    (await docker.run(["cp", `${database}:/var/lib/mysql/${path}`, "-"])).code === 0;
  const [files, tables] = await Promise.all([there(".drydock/state"), there(JOURNAL)]);
  return [...(files ? ["the server's files"] : []), ...(tables ? ["tables"] : [])].join("\n");
}

/**
 * Does something under the stack's lock on its Docker host, after what an earlier restore has left was brought to its
 * end.
 */
export async function underRestoreLock<T>(
  host: RestoreHost,
  {
    purpose,
    about,
    say,
    settleAlways = false,
  }: { readonly purpose: Purpose; readonly about: string; readonly say: Say; readonly settleAlways?: boolean },
  work: (lock: HostLock, settled: boolean) => Promise<T>,
): Promise<T> {
  const { docker, deployed, session } = host;
  const { place, atWork, left } = await lookForRestores(docker, deployed);
  if (place === undefined)
    throw new CliError({
      what: `the containers of stack ${session.stack} are not there`,
      remedy: `./drydock up${select(session.stack)}`,
    });
  if (atWork !== undefined) throw heldByOther(place, atWork);
  await refuseMigration(docker, place, session.stack);
  const holder = left?.holder ?? (await holderOf(docker, place));
  const saved = holder === undefined ? undefined : await savedIn(docker, holder, SITE);
  if (holder !== undefined) await removeLeft(docker, holder);
  const lock = await takeHostLock(docker, place, purpose, about);
  try {
    if (saved !== undefined && left !== undefined) await lock.save(SITE, saved);
    if (left !== undefined) say(`${left.what}: it is brought to an end first`, "warn");
    if (left !== undefined || settleAlways) await settleAll(host, saved, say);
    const result = await work(lock, left !== undefined);
    await lock.release();
    return result;
  } catch (error) {
    if (error instanceof Unsettled) await lock.leave();
    else await lock.release();
    throw error;
  }
}

/** A migration that runs would write into what is being swapped. */
async function refuseMigration(docker: Docker, { name }: LockPlace, stack: string): Promise<void> {
  const migration = name.replace(/-restore$/, "-migrate");
  const { code, stdout } = await docker.run(["container", "inspect", "--format", "{{.State.Running}}", migration]);
  if (code === 0 && stdout.trim() === "true")
    throw new CliError({
      what: `a migration of stack ${stack} is running (${migration}); nothing was changed`,
      remedy: `wait until it has ended (docker wait ${migration}), then run the command again`,
      code: Exit.refused,
    });
}

/** Brings everything that a restore has left to one of its two ends, and lets visitors in and jobs run again. */
async function settleAll(host: RestoreHost, saved: string | undefined, say: Say): Promise<void> {
  const { docker, deployed } = host;
  // Of the command line that was killed: it goes on by itself for a while.
  await docker.run(["rm", "--force", "--volumes", companionName(deployed)]);
  if (!isElsewhere(deployed)) {
    await settlePhysical(host, say);
    await settle(await serving(host), say);
  }
  for (const place of await filesPlaces(host)) await settleFiles(host, place, say);
  await writersAgain(host, saved, say);
}

/** Each place by itself: what its own volume says of it decides. */
async function settleFiles(host: RestoreHost, place: FilesPlace, say: Say): Promise<void> {
  const { docker } = host;
  const { service, of, title } = place;
  const which = of === undefined ? "files" : title;
  const kept = await (async () => {
    // It may have been started by hand since.
    if (service !== undefined && (await inFiles(host, place, "left")) !== "") await docker.run(["stop", service]);
    return await inFiles(host, place, "settle");
  })().catch((error: Error) => {
    throw new Unsettled(`a restore of ${which} was cut off, and could not be brought to an end: ${error.message}`);
  });
  const [undone] = /(?<=^undone ).*/.exec(kept) ?? [];
  if (undone !== undefined)
    say(`a restore of ${which} was cut off while it was taken back; what was live before is live again`, "warn");
  else if (kept !== "")
    say(
      `a restore of ${which} was cut off while they were put in place; it is finished, ` +
        `and what was there is kept as ${kept}`,
      "warn",
    );
  if (service === undefined) return;
  // It may have been stopped for the swap that never came.
  const problem = await startService(docker, service);
  if (problem !== undefined) say(`${title} ${problem}`, "warn");
}

/** The database's server, which may have been stopped for a restore. */
async function serving({ docker, deployed }: RestoreHost): Promise<Database> {
  const container = containerOf(deployed, "database");
  const { code, stderr } = await docker.run(["start", container]);
  if (code !== 0) throw new Unsettled(`the database ${container} could not be started: ${stderr.trim()}`);
  const database = databaseOf({ docker, deployed }, await engineOf(docker, container));
  await start(database);
  return database;
}

/** Whose client is in a database's container. */
export async function engineOf(docker: Docker, container: string): Promise<Database["client"]> {
  const { stdout } = await docker.run([
    "exec",
    container,
    "sh",
    "-c",
    "command -v mariadb >/dev/null 2>&1 && echo mariadb || echo mysql",
  ]);
  return stdout.trim() === "mariadb" ? "mariadb" : "mysql";
}

/** Refuses where data is being restored or imported. */
export async function refuseDuringRestore(docker: Docker, deployed: Deployed): Promise<void> {
  const place = await lockPlace(docker, deployed.outputs);
  const holder = place === undefined ? undefined : await holderOf(docker, place);
  if (place !== undefined && holder?.state === "held" && holder.purpose !== "up") throw heldByOther(place, holder);
}

/** What `status` says of restores. */
export async function restoreReport(deployed: Deployed): Promise<Report["restore"]> {
  const { atWork, left } = await lookForRestores(deployed.docker, deployed);
  if (left !== undefined) return { state: "cut off", what: left.what };
  return atWork === undefined || atWork.purpose === "up"
    ? undefined
    : { state: "at work", what: `${atWork.about} by ${atWork.by}, since ${atWork.since}` };
}

/** Whether the stack's database is a server that is not the stack's. */
export const isElsewhere = ({ outputs: { services } }: Pick<Deployed, "outputs">): boolean =>
  !services.some(({ role }) => role === "database");

/**
 * Refuses to put anything into a server elsewhere, which is restored with its operator's tools.
 * @param files the command that does what is asked of the files alone
 * @throws CliError (refused)
 */
export function refuseElsewhere(target: Pick<Deployed, "outputs">, files: string): void {
  if (!isElsewhere(target)) return;
  const { stack, services } = target.outputs;
  const agent = services.find(({ role }) => role === "backup")?.container ?? "AGENT";
  throw new CliError({
    what:
      `the database of stack ${stack} is a server elsewhere (drydock:database.external): nothing is put into it, ` +
      "or beside it, from here; nothing was changed",
    remedy: [
      `files alone: ${files}${select(stack)}`,
      "what a backup holds of the database, to be loaded with that server's own tools:",
      `docker exec ${agent} agent dump ID > database.sql`,
    ].join("\n"),
    code: Exit.refused,
  });
}
