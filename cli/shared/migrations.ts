import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTar } from "nanotar";
import { ONE_OFF_FILES } from "../../contracts/steps.ts";
import { answered } from "../../lib/answer.ts";
import { buildImage } from "../../lib/build/build.ts";
import type { BuildSpec } from "../../lib/build/spec.ts";
import { type Breaking, describePlan, type Pending, planMigrations, refusal } from "../../migrations/plan.ts";
import { parseReleases } from "../../records/release.ts";
import type { Docker } from "./docker.ts";
import type { EngineEvent, StepMetadata } from "./events.ts";
import { ROOT } from "./project.ts";
import { readRecords, rememberedRecords, runScript } from "./records.ts";
import type { Session } from "./session.ts";

/** What a preview says of the step that would judge and run migrations. */
export interface Planned {
  /** The input of the step `backup`. */
  readonly environment: Readonly<Record<string, string>>;
  /** A replica that runs now, if one does. */
  readonly replica?: string;
  /** How the new image is built; it is pulled where this is missing. */
  readonly build?: BuildSpec;
}

const named =
  (name: string) =>
  ({ urn }: StepMetadata): boolean =>
    urn.split("::").at(-1) === name;

/** Undefined where the release would run no migrations: the step stays as it is, or migrations are off. */
export function plannedMigrations(events: readonly EngineEvent[]): Planned | undefined {
  const steps = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  const backup = steps.find(
    (one) =>
      named("backup")(one) &&
      one.type === "command:local:Command" &&
      /^(create|replace|create-replacement|update)$/.test(one.op),
  );
  const environment = backup?.new?.inputs?.environment as Record<string, unknown> | undefined;
  if (environment === undefined) return undefined;
  const replica = steps.find((one) => named("app-1")(one) && one.old != null)?.old?.outputs?.name;
  const build = steps.find((one) => named("app-image")(one) && one.type === "command:local:Command")?.new?.inputs
    ?.environment as { readonly BUILD?: string } | undefined;
  return {
    environment: Object.fromEntries(
      Object.entries(environment).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    ),
    ...(typeof replica === "string" ? { replica } : {}),
    ...(build?.BUILD === undefined ? {} : { build: JSON.parse(build.BUILD) as BuildSpec }),
  };
}

/** What is told of a release's migrations beforehand. */
export interface Told {
  readonly lines: readonly string[];
  /** Why the release would be refused. */
  readonly refused?: string;
}

/**
 * Asks the new image which migrations are pending and what they would run. Nothing is changed; the image is built or
 * pulled where it is missing. Never fails: what can't be asked is said.
 */
export async function tellMigrations(
  session: Session,
  docker: Docker,
  events: readonly EngineEvent[],
  log: (line: string) => void,
): Promise<Told | undefined> {
  const planned = plannedMigrations(events);
  if (planned === undefined) return undefined;
  const { environment, replica, build } = planned;
  const stack = environment.STACK ?? session.stack;
  if (replica === undefined)
    return { lines: [`Migrations: stack ${stack} does not run yet, so all of them run on its first release.`] };
  const cannot = (why: string): Told => ({
    lines: [
      `Migrations: not known before the release (${why.trim().split("\n").at(-1) ?? ""}); it judges them itself, ` +
        "before anything is changed.",
    ],
  });
  try {
    const image = environment.IMAGE ?? "";
    if ((await docker.run(["image", "inspect", "--format", "{{.Id}}", image])).code !== 0) {
      log(`${build === undefined ? "pulling" : "building"} ${image} to ask it for its migrations`);
      if (build !== undefined) await buildImage(build, { env: docker.env, folder: ROOT });
      else {
        const got = await docker.run(["pull", "--quiet", image]);
        if (got.code !== 0) return cannot(`${image}: ${got.stderr.trim() || got.stdout.trim()}`);
      }
    }
    const asked = await askMigrations(docker.env, {
      ...environment,
      NAME: `${environment.NAME}-preview`,
      REPLICA: replica,
      WHAT: "pending",
      TIMEOUT: "120",
    });
    if ("error" in asked) return cannot(asked.error);
    if (asked.pending.length === 0) return { lines: ["Migrations: none is pending."] };
    const records = rememberedRecords(session);
    const serving =
      asked.migrations.some(({ contract }) => contract === true) && records !== undefined
        ? parseReleases((await readRecords(records, session.env, ["releases.jsonl"]))["releases.jsonl"]).at(-1)
            ?.migrations.contained
        : undefined;
    const plan = planMigrations(asked, environment.BREAKING as Breaking, serving ?? []);
    return {
      lines: [
        `Migrations: ${plan.run.length} run with this release`,
        ...describePlan(plan, { first: asked.tables === 0 }),
      ],
      ...(plan.refused.length === 0 ? {} : { refused: refusal(plan.refused, stack) }),
    };
  } catch (error) {
    return cannot((error as Error).message);
  }
}

/** Runs commands/cli/migrations.sh for its answer. */
export async function askMigrations(
  env: NodeJS.ProcessEnv,
  input: Readonly<Record<string, string>>,
): Promise<(Pending & { readonly applied: Readonly<Record<string, number>> }) | { readonly error: string }> {
  const { code, stdout, stderr } = await runScript(
    "sh commands/cli/migrations.sh",
    { ...env, ...input },
    { input: migrationFiles() },
  );
  const line = answered(stdout);
  return code !== 0 || line === undefined
    ? { error: stderr.trim() || stdout.trim() || `exit code ${code}` }
    : JSON.parse(line);
}

/** base64 of a tar with what the one-off container needs beside the image and the variables. */
export function migrationFiles(): string {
  const file = (name: string) => ({
    name: `drydock/${name}`,
    data: readFileSync(join(ROOT, "runtime", name), "utf8"),
    attrs: { mode: "555", mtime: 0 },
  });
  return Buffer.from(createTar(ONE_OFF_FILES.map(file))).toString("base64");
}
