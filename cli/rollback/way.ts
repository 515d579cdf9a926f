import type { Results } from "../../contracts/agent.ts";
import { defined } from "../../lib/defined.ts";
import { type Judged, judgeMigrations } from "../../migrations/plan.ts";
import { keptTag } from "../../records/images.ts";
import { findRelease, parseMigrations, parseReleases, previousRelease, type Release } from "../../records/release.ts";
import { rollbackSteps, type Situation, type Steps, situation } from "../../records/rollback.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { askMigrations } from "../shared/migrations.ts";
import { select } from "../shared/project.ts";
import { type Records, readRecords } from "../shared/records.ts";
import { type Deployed, deployed } from "../shared/services.ts";
import type { Session } from "../shared/session.ts";
import { notDeployed, readDeployment } from "../shared/stack.ts";

/** Everything that a way back is decided from. */
export interface Way {
  readonly target: Release;
  readonly current: Release;
  readonly found: Situation;
  readonly applied: Readonly<Record<string, number>>;
  readonly records: Records;
  readonly deployed: Deployed;
  /** The input of the deployed steps `backup` and `migrate`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly lockName: string;
  /** What migrations run with and rehearsals don't: storage to write to, and a way out. */
  readonly more: Readonly<Record<string, string>>;
  readonly replica: string;
}

/** Reads the records, and asks the database through the running image what has run. */
export async function look(session: Session, id: string | undefined): Promise<Way> {
  const { stack, env, pulumi, paths } = session;
  const target = await deployed(session);
  const { records } = target;
  if (records === undefined)
    throw new CliError({
      what: `stack ${stack} has no records of its releases yet`,
      remedy: `records start with the next release: ./drydock up${select(stack)}`,
    });
  const [files, deployment] = [
    await readRecords(records, env, ["releases.jsonl", "migrations.jsonl"]),
    await readDeployment(pulumi, stack),
  ];
  const releases = parseReleases(files["releases.jsonl"]);
  const complete = releases.at(-1);
  if (complete === undefined) throw notDeployed(stack);
  const { unfinished } = target;
  const started = unfinished === undefined || unfinished.image === "" ? undefined : unfinished;
  if (started?.image === complete.image && id === undefined) {
    throw new CliError({
      what:
        `the release that has not gone through all its steps runs the image of release ${complete.sequence}, ` +
        `${complete.image}: variables or settings differ, and a rollback changes neither`,
      remedy: `put them back in ${paths.stackFile(stack)}, then: ./drydock up${select(stack)}`,
    });
  }
  // The records have no line of it: what it goes back to is the last one that went through all its steps.
  const current =
    started === undefined
      ? complete
      : { ...complete, sequence: complete.sequence + 1, release: started.release, image: started.image, id: "" };
  const last = started === undefined ? previousRelease(releases) : complete;
  const goal = id === undefined ? last : findRelease(releases, id);
  if (goal === undefined) {
    throw new CliError({
      what:
        id === undefined
          ? `stack ${stack} has no earlier release with another image`
          : `stack ${stack} has no release ${id}`,
      remedy: `./drydock releases${select(stack)}`,
    });
  }
  if (goal.image === current.image) {
    throw new CliError({
      what:
        `release ${goal.sequence} runs the image that serves now, ${current.image}: a rollback changes the image, ` +
        "never the variables",
      remedy: `./drydock releases${select(stack)}`,
    });
  }
  const input = (name: string): Record<string, string> => {
    const found = deployment.resources.find(
      ({ urn, type }) => type === "command:local:Command" && urn.split("::").at(-1) === name,
    )?.inputs?.environment;
    return Object.fromEntries(
      Object.entries((found ?? {}) as Record<string, unknown>).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string",
      ),
    );
  };
  const [environment, replica] = [input("backup"), replicaOf(target, stack)];
  const { NAME: lockName = "", MORE, ALSO, LOCK_SECONDS = "10" } = input("migrate");
  const more = { LOCK_SECONDS, ...defined({ MORE, ALSO }) };
  // Where Drydock runs no migrations, it rolls none back either.
  const applied = Object.keys(environment).length === 0 ? {} : await asked(target, environment, replica, "down=");
  const found = situation(applied, goal, parseMigrations(files["migrations.jsonl"]));
  return { target: goal, current, found, applied, records, deployed: target, environment, lockName, more, replica };
}

export function replicaOf({ outputs }: Deployed, stack: string): string {
  const replica = outputs.services.find(({ role }) => role === "app");
  if (replica === undefined) throw notDeployed(stack);
  return replica.container;
}

async function asked(
  { docker }: Deployed,
  environment: Readonly<Record<string, string>>,
  replica: string,
  what: string,
): Promise<Readonly<Record<string, number>>> {
  const answer = await askMigrations(docker.env, {
    ...environment,
    NAME: `${environment.NAME}-rollback`,
    REPLICA: replica,
    WHAT: what,
    TIMEOUT: "120",
  });
  if ("error" in answer)
    throw new CliError({
      what: `which migrations have run can't be read: ${answer.error}`,
      remedy: "./drydock status, ./drydock artisan -- migrate:status",
    });
  return answer.applied;
}

/**
 * Whether there is a way back, and what it does with migrations.
 * @throws CliError (refused) with what can be done instead
 */
export async function decide(way: Way, migrations: boolean): Promise<Steps> {
  const { found, target } = way;
  if (found.since.length === 0 || (found.obstacles.length === 0 && !migrations)) return { before: 0, after: 0 };
  const rehearsed = await rehearse(way);
  const steps = rollbackSteps(way.applied, found, rehearsed);
  if (migrations && !("refused" in steps)) return steps;
  const s = select(way.records.stack);
  const obstacles = found.obstacles.flatMap(({ name, findings }) =>
    findings.filter(({ verdict }) => verdict !== "additive").map(({ reason }) => `${name} ${reason ?? ""}`),
  );
  const restore = await restoreCommands(way);
  throw new CliError({
    what:
      migrations && "refused" in steps
        ? `the migrations since release ${target.sequence} can't be rolled back without failing requests: ` +
          `${steps.refused}`
        : `the code of release ${target.sequence} can't be relied on to run on today's schema: ` +
          `${obstacles.join("; ")}; nothing was changed`,
    remedy: [
      ...(migrations || "refused" in steps
        ? []
        : [
            "roll the migrations back, too (what they added is lost, after a backup): " +
              `./drydock rollback${s} ${target.sequence} --migrations`,
          ]),
      ...restore,
      `or fix the code and go forward: ./drydock up${s}`,
    ].join("\n"),
    code: Exit.refused,
  });
}

async function rehearse({ deployed: { docker }, environment, replica, found }: Way): Promise<readonly Judged[]> {
  const names = [...found.since].reverse();
  const answer = await askMigrations(docker.env, {
    ...environment,
    NAME: `${environment.NAME}-rollback`,
    REPLICA: replica,
    WHAT: `down=${names.join(",")}`,
    TIMEOUT: "120",
  });
  if ("error" in answer)
    throw new CliError({ what: `what rolling the migrations back would do can't be read: ${answer.error}` });
  // Each for itself: the code that serves until the switch knows what all of them made.
  return answer.migrations.map((migration) => judgeMigrations([migration])[0]!);
}

/** How to have the data of before the first obstacle back, if there is a backup of that. */
async function restoreCommands({ deployed: { docker }, environment, records }: Way): Promise<string[]> {
  if (!environment.AGENT) return [];
  const { code, stdout } = await docker.run(["exec", environment.AGENT, "agent", "list", "--json"]);
  const result = code === 0 ? stdout.split("\n").find((line) => line.startsWith('{"event":"result"')) : undefined;
  const backups =
    result === undefined
      ? []
      : (JSON.parse(result) as Results["list"]).backups.filter(
          ({ verified, reason }) => verified && reason.startsWith("before-"),
        );
  if (backups.length === 0) return [];
  return [
    `or restore a backup from before a migration, which loses what was written since. There are: ${backups
      .slice(0, 5)
      .map(({ id, reason }) => `${id} (${reason})`)
      .join(", ")}`,
    `  ./drydock backup restore${select(records.stack)} ${backups[0]!.id} --db`,
  ];
}

/** @throws CliError where the image of the earlier release is gone for good */
export async function ensureImage({ target, records, deployed: { docker } }: Way): Promise<void> {
  if ((await docker.run(["image", "inspect", "--format", "{{.Id}}", target.image])).code === 0) return;
  // The name may have been taken away; the stack's own tag keeps the image.
  if ((await docker.run(["tag", keptTag(records.volume, target.id), target.image])).code === 0) return;
  if (!target.image.startsWith("drydock/") && !target.image.startsWith("sha256:")) return; // Pulumi pulls it.
  throw new CliError({
    what:
      `the image ${target.image} of release ${target.sequence} is no ` +
      "longer on the Docker host, and was built there",
    remedy: target.commit
      ? `build it again: git checkout ${target.commit.replace("+", "")} && ./drydock up${select(records.stack)}`
      : `a later one: ./drydock releases${select(records.stack)}`,
  });
}
