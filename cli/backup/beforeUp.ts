import type { Docker } from "../shared/docker.ts";
import { containersBefore, type EngineEvent } from "../shared/events.ts";
import { deployed } from "../shared/services.ts";
import type { Session } from "../shared/session.ts";
import type { StackContainer } from "../shared/stack.ts";
import { heldByOther, holderOf, type LockPlace, removeLeft, takeHostLock } from "./hostLock.ts";
import { lookForRestores, restoreHost, underRestoreLock } from "./resume.ts";

/** Names of containers in the program, and their roles. */
const ROLES: Readonly<Record<string, string>> = {
  database: "database",
  "backup-agent": "backup",
  "backup-restore": "restore",
};

/** The containers of a restore, as a preview names them: Pulumi need not be asked once more. */
export const servicesBefore = (events: readonly EngineEvent[]): StackContainer[] =>
  containersBefore(events).map(({ name, container }) => ({ name, container, role: ROLES[name] ?? "", image: "" }));

type Say = (line: string) => void;

/**
 * Before a stack is changed: what a restore has left that was cut off is brought to its end. Answers where the stack's
 * lock is; undefined where it has no agent yet, so that nobody can restore anything.
 * @throws CliError (refused) while data is being restored
 */
export async function afterRestores(
  session: Session,
  docker: Docker,
  services: readonly StackContainer[],
  say: Say,
): Promise<LockPlace | undefined> {
  const found = await lookForRestores(docker, {
    docker,
    outputs: { stack: session.stack, url: "", release: "", services },
  });
  if (found.place === undefined) return undefined;
  if (found.atWork !== undefined) throw heldByOther(found.place, found.atWork);
  if (found.left !== undefined) {
    const host = restoreHost(session, await deployed(session));
    await underRestoreLock(host, { purpose: "restore", about: "", say }, async () => undefined);
  }
  return found.place;
}

/** The same, and no restore begins until `change` has ended. */
export async function withoutRestores<T>(
  session: Session,
  docker: Docker,
  services: readonly StackContainer[],
  say: Say,
  change: () => Promise<T>,
): Promise<T> {
  const place = await afterRestores(session, docker, services, say);
  if (place === undefined) return await change();
  const before = await holderOf(docker, place);
  if (before?.state === "left") await removeLeft(docker, before);
  const lock = await takeHostLock(docker, place, "up", "");
  try {
    return await change();
  } finally {
    await lock.release();
  }
}
