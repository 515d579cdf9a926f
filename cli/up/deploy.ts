import { setTimeout as sleep } from "node:timers/promises";
import { defined } from "../../lib/defined.ts";
import { lowerPriority } from "../../lib/priority.cjs";
import { afterRestores, servicesBefore, withoutRestores } from "../backup/beforeUp.ts";
import { adoptImage } from "../setup/applicationImage.ts";
import { ensureContainers } from "../setup/index.ts";
import { ensureStack, policyArguments } from "../setup/stack.ts";
import { type Docker, dockerFor, inspect } from "../shared/docker.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { changesAnything, containersBefore, type EngineEvent } from "../shared/events.ts";
import { gapsIn } from "../shared/gaps.ts";
import type { Lock } from "../shared/locks.ts";
import { lostImages } from "../shared/lostImages.ts";
import { type Told, tellMigrations } from "../shared/migrations.ts";
import { removeOldImages } from "../shared/oldImages.ts";
import { LOCAL, select } from "../shared/project.ts";
import { monitorIn } from "../shared/prometheus.ts";
import type { Streamed } from "../shared/pulumi.ts";
import { type Abandoned, clearLocks, repair } from "../shared/recovery.ts";
import { allHealthy, isGone, isStarting, type Report, reportOf, statusTable } from "../shared/report.ts";
import { type Deployed, deployed, readReport } from "../shared/services.ts";
import { type Session, succeeded } from "../shared/session.ts";
import { whileSilent } from "../shared/silence.ts";
import { isMeasured, mayBePending, settingAt, stackConfig } from "../shared/stack.ts";
import { ask, painter, step } from "../shared/ui.ts";
import { standingOf } from "../shared/unfinished.ts";
import { lastWords, unhealthyIn } from "../shared/unhealthy.ts";
import { next } from "./next.ts";
import { beginStory, type Story } from "./story.ts";
import type { Watching, WatchOptions } from "./watchTraffic.ts";

export interface UpOptions extends WatchOptions {
  readonly stack?: string;
  readonly yes?: true;
  readonly diff?: true;
  readonly refresh?: true;
  readonly replace?: readonly string[];
  readonly wait?: true | string;
  readonly summary?: string;
}

/** How long containers that are just starting are waited for before the check, in ms. */
const START = 60_000;

/** What an update replaces on purpose. That the site fails is told all the same. */
const REPLACED = ["containers", "laravel", "database", "redis"] as const;

/** What goes on beside a deployment. */
export interface Beside {
  /** Ends when it is done. */
  readonly watch?: Watching | undefined;
  /** Is told what happens. */
  readonly story?: Story;
  /** Whose lock was taken away just before. */
  readonly abandoned?: Abandoned;
}

/** Deploys, for who holds the stack's lock. */
export async function underLock(
  session: Session,
  lock: Lock,
  options: UpOptions,
  beside: Beside = {},
): Promise<number> {
  const { watch, story = beginStory(session.stack) } = beside;
  const { stack, paths, env } = session;
  const host = settingAt(stackConfig(paths, stack), "docker.host");
  const more = isMeasured(paths, stack) ? (["monitoring"] as const) : [];
  const ready = await ensureContainers(stack, typeof host === "string" ? host : undefined, more);
  const docker = dockerFor(ready.host, env);
  // Not earlier: a Docker engine that was started here would keep it.
  lowerPriority();
  const repaired = await step("stack", async ({ log }) => {
    await ensureStack(session, log, { images: ready.images, locked: true });
    if (stack === LOCAL) await adoptImage(session, docker, { pull: true, log });
    const abandoned = (await clearLocks(session, lock.previous !== undefined, log)) ?? beside.abandoned;
    // Only what was interrupted leaves pending operations behind; asking costs half a second.
    return mayBePending(stack, env) && (await repair(session, docker, abandoned, log));
  });

  sayPinned(session);
  let changed = await deploy(session, docker, options, repaired, story);
  const target = await deployed(session);
  if (!changed) await afterRestores(session, docker, target.outputs.services, say);
  let report = await settled(target);
  /** Where the preview has no change, and there is something to do all the same. */
  const again = async (why: string, ...more: readonly string[]): Promise<void> => {
    say(why);
    await withoutRestores(session, docker, target.outputs.services, say, async () => {
      await update(session, docker, story, [...upArguments(session, options), "--yes", "--skip-preview", ...more]);
    });
    changed = true;
    report = await settled(await deployed(session));
  };
  if (!changed && report.services.some(isGone)) {
    const gone = report.services
      .filter(isGone)
      .map(({ name }) => name)
      .join(", ");
    await again(
      `stopped or gone since the last deployment: ${gone}; reading what is there and bringing them back`,
      "--refresh",
    );
  }
  // What an update could not delete any more waits for the next one, and a preview without a change does not say so.
  if (!changed && target.unfinished !== undefined) {
    const left = target.unfinished.others.map(({ container }) => container).join(", ");
    await again(`left over from a deployment that did not finish${left === "" ? "" : `: ${left}`}; finishing it`);
  }
  const { records } = target;
  if (changed && records !== undefined)
    await step("old images", ({ log }) => removeOldImages(docker, records, env, log)).catch(() => undefined);
  const traffic = await watch?.finish();
  story.report = report;
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ...report, changed, ...defined({ traffic }) }, null, 2)}\n`);
  else
    process.stdout.write(
      `\n${changed ? "" : "Nothing to change.\n\n"}${statusTable(report, painter(process.stdout))}\n\n` +
        `${next(report)}\n`,
    );
  return allHealthy(report) ? Exit.ok : Exit.failed;
}

const say = (line: string): void => void process.stderr.write(`→ ${line}\n`);

/** Returns whether anything was changed. */
async function deploy(
  session: Session,
  docker: Docker,
  options: UpOptions,
  repaired: boolean,
  story: Story,
): Promise<boolean> {
  const { pulumi, stack } = session;
  const args = upArguments(session, options);
  // The preview is where rules over the whole stack can still block. Without a change it is all that is run.
  const preview = await pulumi.stream(["preview", ...args.slice(1)]);
  succeeded("preview", preview, session);
  const lost = await lostImages(docker, stack, preview.events);
  if (!repaired && lost.length === 0 && !changesAnything(preview.events)) return false;
  for (const gap of gapsIn(preview.events)) say(gap);
  for (const { name, image } of lost) say(`image ${image} is not on the Docker host any more; ${name} makes it anew`);
  story.told = await showMigrations(
    session,
    docker,
    preview.events,
    true,
    options.json ? process.stderr : process.stdout,
  );
  if (stack !== LOCAL && options.yes !== true && !/^y(es)?$/i.test(await ask(`Deploy this to ${stack}? (yes/no) `))) {
    throw new CliError({ what: "not confirmed; nothing was changed", code: Exit.refused });
  }
  const services = servicesBefore(preview.events);
  const quiet = { about: REPLACED, reason: "a release", minutes: 30 };
  const change = async () => {
    const gone = await stopped(docker, stack, preview.events);
    if (gone.length > 0) {
      say(
        `stopped or gone since the last deployment: ${gone.join(", ")}; reading what is there and bringing them ` +
          "back with it",
      );
    }
    // The record of the release says how long it took.
    const began = { DRYDOCK_BEGAN: String(Math.floor(Date.now() / 1000)) };
    const refresh = gone.length > 0 && !options.refresh ? ["--refresh"] : [];
    const anew = lost.flatMap(({ urn }) => ["--replace", urn]);
    await update(session, docker, story, [...args, ...refresh, ...anew, "--yes", "--skip-preview"], began);
  };
  await withoutRestores(session, docker, services, say, () =>
    whileSilent(monitorIn({ stack, services }, docker), quiet, change, say),
  );
  return true;
}

/** @throws CliError where it failed, after what the containers said that did not become healthy */
async function update(
  session: Session,
  docker: Docker,
  story: Story,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const run = await session.pulumi.stream(args, { env });
  story.events.push(...run.events);
  const unhealthy = run.code === 0 ? [] : unhealthyIn(run.events);
  if (unhealthy.length > 0) process.stderr.write(`${(await lastWords(docker, unhealthy, session.stack)).join("\n")}\n`);
  succeeded("up", run, session, await standing(session, run));
}

/** What serves after an update that failed, in a few words; nothing where it succeeded or can't be known. */
async function standing(session: Session, { code }: Streamed): Promise<string | undefined> {
  if (code === 0) return undefined;
  return standingOf(await deployed(session).catch(() => undefined));
}

/** The containers of the state that don't run any more: a release that needs them would fail for it. */
async function stopped(docker: Docker, stack: string, events: readonly EngineEvent[]): Promise<readonly string[]> {
  const services = containersBefore(events).map((one) => ({ ...one, role: "", image: "" }));
  if (services.length === 0) return [];
  const inspected = await inspect(
    docker,
    services.map(({ container }) => container),
    stack,
  );
  return reportOf({ stack, url: "", release: "", services }, inspected)
    .services.filter(isGone)
    .map(({ name }) => name);
}

/**
 * Says which migrations the release would run, with their SQL.
 * @throws CliError (refused) where they break the release that serves, if `refuse`
 */
export async function showMigrations(
  session: Session,
  docker: Docker,
  events: readonly EngineEvent[],
  refuse: boolean,
  out: NodeJS.WritableStream = process.stdout,
): Promise<Told | undefined> {
  const told = await step("migrations", ({ log }) => tellMigrations(session, docker, events, log));
  if (told === undefined) return undefined;
  out.write(`${told.lines.join("\n")}\n\n`);
  if (told.refused === undefined) return told;
  const [what = "", ...remedy] = told.refused.split("\n");
  if (refuse)
    throw new CliError({ what: `${what}; nothing was changed`, remedy: remedy.join("\n"), code: Exit.refused });
  out.write(`\`up\` would refuse this release: ${told.refused}\n`);
  return told;
}

/** A rollback stays until it is taken back: otherwise a changed application would seem to be deployed, and isn't. */
function sayPinned({ paths, stack }: Session): void {
  const pinned = settingAt(stackConfig(paths, stack), "app.pinned");
  if (typeof pinned !== "string") return;
  const s = select(stack);
  process.stderr.write(
    `→ stack ${stack} is pinned to ${pinned} since a rollback; what ${paths.stackFile(stack)} or a folder says ` +
      `of the application is not deployed. Go on with it: ./drydock rollback${s} --forward\n`,
  );
}

function upArguments({ stack, paths }: Session, { diff, refresh, replace }: UpOptions): readonly string[] {
  const again = (replace ?? []).flatMap((name) => ["--replace", serviceUrn(name)]);
  return [
    "up",
    "--stack",
    stack,
    "--suppress-outputs",
    ...(diff ? ["--diff"] : []),
    ...(refresh ? ["--refresh"] : []),
    ...again,
    ...policyArguments(paths, stack),
  ];
}

/** A pattern for the URN of a service's container, as Pulumi takes it. */
function serviceUrn(name: string): string {
  if (!/^[a-z0-9-]+$/.test(name))
    throw new CliError({
      what: `--replace is "${name}", expected the name of a service`,
      remedy: "./drydock status shows them",
      code: Exit.usage,
    });
  return `**docker:index/container:Container::${name}`;
}

/** The report once nothing is starting any more, or after a minute. */
async function settled(target: Deployed): Promise<Report> {
  const end = Date.now() + START;
  let report = await readReport(target);
  while (report.services.some(isStarting) && Date.now() < end) {
    await sleep(500);
    report = await readReport(target);
  }
  return report;
}
