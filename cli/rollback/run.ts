import { parseReleases, type Release } from "../../records/release.ts";
import type { Steps } from "../../records/rollback.ts";
import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { takeLock } from "../shared/locks.ts";
import { migrationFiles } from "../shared/migrations.ts";
import { LOCAL, select } from "../shared/project.ts";
import { appendRecord, readRecords, runScript } from "../shared/records.ts";
import { deployed } from "../shared/services.ts";
import { openSession, type Session } from "../shared/session.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";
import { ask, onTerminal, step } from "../shared/ui.ts";
import { underLock } from "../up/deploy.ts";
import { decide, ensureImage, look, replicaOf, type Way } from "./way.ts";

export interface RollbackOptions {
  readonly stack?: string;
  readonly yes?: true;
  readonly migrations?: true;
  readonly forward?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

const PINNED = "drydock:app.pinned";

/** Goes back to an earlier release's image, or takes that back. Returns the exit code. */
export async function rollback(id: string | undefined, options: RollbackOptions): Promise<number> {
  if (options.forward === true && (id !== undefined || options.migrations === true)) {
    throw new CliError({
      what: "--forward undoes a rollback: it takes neither a release nor --migrations",
      code: Exit.usage,
    });
  }
  const session = await openSession(options);
  const args = [
    ...(id === undefined ? [] : [id]),
    ...(options.migrations ? ["--migrations"] : []),
    ...(options.forward ? ["--forward"] : []),
    ...(options.dryRun ? ["--dry-run"] : []),
  ];
  const work = async (): Promise<number> =>
    options.forward === true ? await forward(session, options) : await back(session, id, options);
  return options.dryRun === true ? await work() : await audited(session, "rollback", args, work);
}

async function forward(session: Session, options: RollbackOptions): Promise<number> {
  const { stack, paths } = session;
  if (settingAt(stackConfig(paths, stack), "app.pinned") === undefined) {
    process.stdout.write(`Stack ${stack} is not pinned to an earlier release: nothing to do.\n`);
    return Exit.ok;
  }
  if (options.dryRun === true) {
    process.stdout.write(`Would remove ${PINNED} and release what the stack's settings say.\n`);
    return Exit.ok;
  }
  await confirm(stack, options, `Release what the settings of ${stack} say again?`);
  const lock = takeLock(paths.lock(stack), stack);
  try {
    await pin(session, undefined);
    return await underLock(session, lock, { ...options, yes: true });
  } finally {
    lock.release();
  }
}

async function back(session: Session, id: string | undefined, options: RollbackOptions): Promise<number> {
  const { stack, paths, env } = session;
  const way = await step("releases", () => look(session, id));
  const steps = await decide(way, options.migrations === true);
  await ensureImage(way);
  const says = {
    stack,
    from: brief(way.current),
    to: brief(way.target),
    migrationsSince: way.found.since,
    rolledBack: { beforeSwitch: steps.before, afterSwitch: steps.after },
  };
  if (options.dryRun === true) {
    process.stdout.write(
      options.json === true ? `${JSON.stringify(says, null, 2)}\n` : `Would do: ${describe(way, steps)}\n`,
    );
    return Exit.ok;
  }
  process.stderr.write(`→ rollback: ${describe(way, steps)}\n`);
  await confirm(stack, options, `Go back to release ${way.target.sequence} on ${stack}?`);

  const lock = takeLock(paths.lock(stack), stack);
  try {
    if (steps.before > 0) await step("migrations", () => rollMigrations(way, steps.before, way.replica));
    await pin(session, way.target.image);
    let code: number;
    try {
      code = await underLock(session, lock, { ...options, yes: true });
    } catch (error) {
      process.stderr.write(
        `→ the stack stays pinned to ${way.target.image}: ./drydock up${select(stack)} tries again, ` +
          `./drydock rollback${select(stack)} --forward undoes it\n`,
      );
      throw error;
    }
    if (code === Exit.ok && steps.after > 0) {
      // The earlier release serves; the newer image still has the code that takes its own migrations back.
      const replica = replicaOf(await deployed(session), stack);
      await step("migrations", () => rollMigrations(way, steps.after, replica, steps.before > 0));
    }
    const gone = new Set(steps.before + steps.after > 0 ? way.found.since : []);
    if (code === Exit.ok && gone.size > 0) await amend(way, gone, env);
    if (options.json === true) process.stdout.write(`${JSON.stringify(says, null, 2)}\n`);
    return code;
  } finally {
    lock.release();
  }
}

/** Rolls the newest migrations back, from the image that has them; with a backup before it. */
async function rollMigrations(
  { deployed: { docker, outputs }, environment, lockName, more, current }: Way,
  count: number,
  replica: string,
  dumped = false,
): Promise<void> {
  const database = outputs.services.find(({ role }) => role === "database")?.container ?? "";
  const { code } = await runScript(
    "sh commands/cli/migrations.sh",
    {
      ...docker.env,
      ...environment,
      ...more,
      NAME: lockName,
      REPLICA: replica,
      WHAT: `rollback=${count}`,
      TIMEOUT: "600",
      DATABASE: database,
      REASON: dumped ? "" : `before-rollback-of-${current.release}`,
    },
    { input: migrationFiles(), show: true },
  );
  if (code !== 0) {
    throw new CliError({
      what: `the newest ${count} migration(s) could not be rolled back (see above)`,
      remedy: "what stands: ./drydock artisan -- migrate:status",
    });
  }
}

/** The record of the new release was written before these were rolled back. */
async function amend({ records, applied }: Way, gone: ReadonlySet<string>, env: NodeJS.ProcessEnv): Promise<void> {
  const releases = parseReleases((await readRecords(records, env, ["releases.jsonl"]))["releases.jsonl"]);
  const last = releases.at(-1);
  if (last === undefined) return;
  const left = Object.fromEntries(Object.entries(applied).filter(([name]) => !gone.has(name)));
  await appendRecord(
    records,
    env,
    "releases.jsonl",
    { sequence: last.sequence, migrations: { contained: last.migrations.contained, applied: left } },
    10_000,
  );
}

async function pin(session: Session, image: string | undefined): Promise<void> {
  const { pulumi, stack } = session;
  const args =
    image === undefined
      ? ["config", "rm", "--stack", stack, "--path", PINNED]
      : ["config", "set", "--stack", stack, "--path", PINNED, image];
  const { code, stderr } = await pulumi.capture(args);
  if (code !== 0)
    throw new CliError({
      what: `the stack's file could not be changed: ${stderr.trim()}`,
      remedy: `eval "$(./drydock env)" && pulumi ${args.join(" ")}`,
    });
}

async function confirm(stack: string, { yes }: RollbackOptions, question: string): Promise<void> {
  if (yes === true || stack === LOCAL) return;
  if (!onTerminal())
    throw new CliError({
      what: `stack ${stack} is not rolled back without confirmation, and there is no terminal to ask on`,
      remedy: "add --yes",
      code: Exit.refused,
    });
  if (!/^y(es)?$/i.test(await ask(`${question} (yes/no) `)))
    throw new CliError({ what: "not confirmed; nothing was changed", code: Exit.refused });
}

const brief = ({ sequence, release, image, at: when }: Release) => ({ sequence, release, image, at: when });

function describe({ current, target, found }: Way, { before, after }: Steps): string {
  const rolled =
    before + after === 0
      ? found.since.length === 0
        ? "no migration came since"
        : `${found.since.length} migration(s) that came since stay, as the earlier code runs with them: ` +
          `${found.since.join(", ")}`
      : `${before} migration(s) are rolled back before the switch, ${after} after it: ` +
        `${[...found.since].reverse().join(", ")}`;
  return `release ${current.sequence} (${current.image}) → release ${target.sequence} (${target.image}); ${rolled}`;
}
