import { rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { NETWORK as EDGE } from "../../contracts/edge.ts";
import type { Docker, Inspected } from "./docker.ts";
import { inspect } from "./docker.ts";
import { stateFolder } from "./environment.ts";
import { CliError } from "./errors.ts";
import { type Holder, heldBy, judge, pulumiLocks, type Verdict } from "./locks.ts";
import type { Session } from "./session.ts";
import { checkpoint, type Deployment, readDeployment, type StateResource } from "./stack.ts";

/** An update that was left over by a process that no longer exists. */
export interface Abandoned {
  /** When it began. */
  readonly since: string;
}

/** How long a Pulumi is waited for whose `up` was killed. */
const PATIENCE = 10 * 60_000;

/**
 * Looks who holds Pulumi's lock of a stack in this clone's state. A lock whose process is gone is taken away, as
 * `pulumi cancel` does; a Pulumi that is still at work although its `up` was killed is waited for.
 * @param orphaned whether the `up` before this one was killed
 * @throws CliError (refused) where somebody else is at work
 */
export async function clearLocks(
  { env, stack, pulumi }: Session,
  orphaned: boolean,
  log: (line: string) => void,
): Promise<Abandoned | undefined> {
  const state = stateFolder(env);
  if (state === undefined) return undefined;
  const began = Date.now();
  let found = look(state, stack);
  for (const [busy] = found.filter(atWork); busy !== undefined && found.some(atWork); found = look(state, stack)) {
    if (!orphaned || busy.verdict === "elsewhere" || Date.now() - began > PATIENCE) throw heldBy(stack, busy.holder);
    if (Date.now() - began < POLL)
      log(
        `the \`up\` before this one was killed, but its Pulumi (pid ${busy.holder.pid}) is still at work: ` +
          "waiting for it",
      );
    await sleep(POLL);
  }
  const [stale] = found;
  if (stale === undefined) return undefined;
  log(`an earlier update was interrupted (pid ${stale.holder.pid} on ${hostname()} is gone): taking its lock away`);
  removeEmptyNote(checkpoint(state, stack));
  const { code, stderr } = await pulumi.capture(["cancel", "--yes", "--stack", stack]);
  if (code !== 0) throw new CliError({ what: `the lock of stack ${stack} could not be taken away: ${stderr.trim()}` });
  return { since: stale.holder.timestamp };
}

/**
 * Takes away Pulumi's lock in a state that can't be looked into (S3, …), where its holder was of this very machine and
 * is gone: a job that was ended on the same runner.
 * @returns undefined where somebody may still be at work
 */
export async function clearOwnLock({ stack, pulumi }: Session, error: unknown): Promise<Abandoned | undefined> {
  const holder = error instanceof CliError ? error.held?.holder : undefined;
  if (holder === undefined || judge(holder) !== "stale") return undefined;
  process.stderr.write(
    `→ stack: an earlier update was interrupted (pid ${holder.pid} on ${hostname()} is gone): ` +
      "taking its lock away\n",
  );
  const { code, stderr } = await pulumi.capture(["cancel", "--yes", "--stack", stack]);
  if (code !== 0) throw new CliError({ what: `the lock of stack ${stack} could not be taken away: ${stderr.trim()}` });
  return { since: holder.timestamp };
}

/**
 * A checkpoint without its note is read as it is; with an empty one, which a killed Pulumi may leave in a state of the
 * user's own, not at all.
 */
export function removeEmptyNote(file: string | undefined): void {
  if (file !== undefined && statSync(`${file}.attrs`, { throwIfNoEntry: false })?.size === 0) rmSync(`${file}.attrs`);
}

interface Judged {
  readonly holder: Holder;
  readonly verdict: Verdict;
}

const POLL = 500;
const atWork = ({ verdict }: Judged): boolean => verdict === "alive" || verdict === "elsewhere";
const look = (state: string, stack: string): readonly Judged[] =>
  pulumiLocks(state, stack).map((holder) => ({ holder, verdict: judge(holder) }));

/**
 * The containers that an interrupted operation may have made without the state's knowing: of this very stack and
 * resource, made since the interrupted update began, and unknown to the state.
 */
export function orphans(deployment: Deployment, containers: readonly Inspected[], since: string): readonly Inspected[] {
  const known = new Set(deployment.resources.map(({ id }) => id));
  const creating = deployment.pending
    .filter(({ type, resource }) => type === "creating" && resource.type === CONTAINER)
    .map(({ resource }) => resource);
  return containers.filter(
    (container) =>
      !known.has(container.Id) &&
      Date.parse(container.Created) >= Date.parse(since) - SKEW &&
      creating.some((resource) => isOf(resource, container)),
  );
}

const CONTAINER = "docker:index/container:Container";

/** The clocks of this machine and of the Docker host may differ by this, in ms. */
const SKEW = 5_000;

/**
 * Another clone's stack of the same name, on the same Docker host, has the same labels; its networks have names of
 * their own.
 */
function onItsNetworks(
  inputs: StateResource["inputs"],
  networks: Readonly<Record<string, unknown>> | undefined,
): boolean {
  const advanced = Array.isArray(inputs?.networksAdvanced) ? (inputs.networksAdvanced as { name?: unknown }[]) : [];
  // The edge's is all stacks'.
  const wanted = advanced.flatMap(({ name }) => (typeof name === "string" && name !== EDGE ? [name] : []));
  return advanced.length === 0 || wanted.some((name) => Object.hasOwn(networks ?? {}, name));
}

/** The provider names containers `NAME-<7 hex digits>` unless told otherwise. */
function isOf({ urn, inputs }: StateResource, { Name, Config, NetworkSettings }: Inspected): boolean {
  const name = Name.replace(/^\//, "");
  const logical = urn.split("::").at(-1) ?? "";
  const named =
    typeof inputs?.name === "string"
      ? name === inputs.name
      : name.startsWith(`${logical}-`) && /^[0-9a-f]{7}$/.test(name.slice(logical.length + 1));
  const labels = Array.isArray(inputs?.labels) ? (inputs.labels as { label?: string; value?: string }[]) : [];
  return (
    named &&
    onItsNetworks(inputs, NetworkSettings?.Networks) &&
    labels.length > 0 &&
    labels.every(({ label, value }) => label === undefined || Config.Labels?.[label] === value)
  );
}

/**
 * Repairs a state in which operations were started and never recorded as ended: what they left on the Docker host is
 * removed where it is certain whose it is, and a refresh reads the rest.
 */
export async function repair(
  session: Session,
  docker: Docker,
  abandoned: Abandoned | undefined,
  log: (line: string) => void,
): Promise<boolean> {
  const { pulumi, stack } = session;
  const deployment = await readDeployment(pulumi, stack);
  if (deployment.pending.length === 0) return false;
  log(`${deployment.pending.length} operation(s) interrupted: repairing the state`);
  if (abandoned !== undefined) {
    const listed = await docker.run([
      "ps",
      "--all",
      "--quiet",
      "--no-trunc",
      "--filter",
      `label=drydock.stack=${stack}`,
    ]);
    const left = orphans(
      deployment,
      await inspect(
        docker,
        listed.stdout.split("\n").filter((id) => id !== ""),
        stack,
      ),
      abandoned.since,
    );
    for (const { Id, Name } of left) {
      log(`removing ${Name.replace(/^\//, "")}, which the interrupted update was starting`);
      await docker.run(["rm", "--force", "--volumes", Id]);
    }
  }
  const run = await pulumi.stream(
    ["refresh", "--stack", stack, "--yes", "--skip-preview", "--clear-pending-creates", "--suppress-outputs"],
    { quiet: true },
  );
  if (run.code !== 0)
    throw new CliError({
      what: `the state of stack ${stack} could not be refreshed after an interruption (see above)`,
      remedy: `eval "$(./drydock env)" && pulumi refresh -s ${stack}`,
    });
  return true;
}
