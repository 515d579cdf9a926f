import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { FOLDERS } from "../../contracts/agent.ts";
import { StateFile } from "../../lib/stateFiles.ts";
import { steadyNow } from "../shared/clock.ts";
import { refused } from "../shared/errors.ts";
import type { Store } from "./store.ts";

/**
 * Who writes to a bucket. Two that write and prune one repository damage it, and the newest backup would be either's.
 */
const ownerSchema = z.object({
  /** Of the volume with the backups: a container's name changes, and so does the machine's. */
  id: z.string(),
  stack: z.string(),
  host: z.string(),
  /** When it was last at work. */
  seen: z.iso.datetime(),
});
export type Owner = z.infer<typeof ownerSchema>;

const NAME = "backups/owner";
/** After how long, in ms, an owner that was not at work is gone. */
const GONE = 86_400_000;
/** So often it says that it is there, in ms. */
const SEEN_EVERY = 600_000;

/** This volume's own name, made when it is first asked for. */
export function ownId(path = join(FOLDERS.backups, "state", "installation.json")): string {
  const file = new StateFile(path, z.object({ id: z.string() }).nullable(), null);
  if (file.value === null) file.value = { id: randomUUID() };
  return file.value!.id;
}

/** The right to write to a bucket: one agent's at a time. */
export class Ownership {
  #heldAt = -Infinity;

  constructor(
    readonly store: Store,
    readonly stack: string,
    readonly id: () => string = ownId,
  ) {}

  /** Who has it; undefined where nobody has. */
  async owner(): Promise<Owner | undefined> {
    const content = await this.store.get(NAME);
    if (content === undefined) return undefined;
    const parsed = ownerSchema.safeParse(parse(content));
    // What nobody can read is nobody's.
    return parsed.success ? parsed.data : undefined;
  }

  /** The other agent that is at work on this bucket; undefined where there is none. */
  async other(now = new Date()): Promise<Owner | undefined> {
    const owner = await this.owner();
    return owner === undefined || owner.id === this.id() || Math.abs(now.getTime() - Date.parse(owner.seen)) > GONE
      ? undefined
      : owner;
  }

  /**
   * Has it, or takes it from who is gone.
   * @throws AgentError (refused) naming another agent that is at work
   */
  async hold(now = new Date()): Promise<void> {
    if (steadyNow() - this.#heldAt < SEEN_EVERY) return;
    const other = await this.other(now);
    if (other !== undefined) {
      throw refused(
        `the bucket belongs to another agent: stack ${other.stack}, container ${other.host}, ` +
          `last at work ${other.seen}`,
        "one of the two gets another drydock:backup.s3.prefix or bucket; if the other one is gone for good: " +
          "./drydock backup restore --from-s3 a day later",
      );
    }
    await this.take(now);
  }

  /** Takes it, whoever has it. */
  async take(now = new Date()): Promise<void> {
    const owner: Owner = { id: this.id(), stack: this.stack, host: hostname(), seen: now.toISOString() };
    await this.store.put(NAME, Buffer.from(JSON.stringify(owner)));
    this.#heldAt = steadyNow();
  }
}

function parse(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    return undefined;
  }
}
