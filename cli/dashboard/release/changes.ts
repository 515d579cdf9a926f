import { hostname } from "node:os";
import { type AuditLine, STARTED } from "../../../records/audit.ts";
import { type Holder, judge, type Verdict } from "../../shared/locks.ts";
import type { Running } from "../../shared/running.ts";
import type { Change } from "../page/state.ts";

/** Verbs that make or take away containers of the application. */
const VERBS = new Set(["up", "rollback", "destroy"]);
/** A verb whose beginning alone is recorded was killed, if that was so long ago, in ms. */
const LONGEST = 6 * 3_600_000;
/** The line of a verb is written when it has its lock, or shortly before, in ms. */
const NEAR = 60_000;

/** Who changes a stack, from its locks and its audit log. */
export class Changes {
  /** What was done to the stack, oldest first, as it was last read. */
  audit: readonly AuditLine[] = [];
  /** What was released, oldest first, as it was last read. */
  recorded: readonly { readonly release: string; readonly at: string }[] = [];
  /** When changes began that were seen at work here: without their lock they are over, whatever was read before. */
  readonly #seen = new Set<string>();

  /** @param holders whoever holds a lock of the stack @param running the operation that is under way in this clone */
  now(
    holders: readonly (Holder | undefined)[],
    running: Running | undefined,
    verdict: (holder: Holder) => Verdict = judge,
    now = Date.now(),
  ): Change | undefined {
    const holder = holders.find((one) => one !== undefined && ["alive", "elsewhere"].includes(verdict(one)));
    const line = this.audit.findLast(({ verb }) => VERBS.has(verb));
    const open = line?.result === STARTED && now - Date.parse(line.at) < LONGEST ? line : undefined;
    if (holder === undefined)
      return open === undefined || this.#seen.has(open.at)
        ? undefined
        : { verb: open.verb, by: open.by, since: open.at, certain: false };
    const by = `${holder.username}@${holder.hostname}`;
    const same = open !== undefined && open.by === by && Math.abs(Date.parse(open.at) - time(holder, open)) < NEAR;
    if (same) this.#seen.add(open.at);
    return {
      verb: running?.operation === "preview" ? "preview" : same ? open.verb : (running?.operation ?? "a change"),
      by,
      since: same ? open.at : holder.timestamp,
      certain: holder.hostname === hostname(),
    };
  }

  /** The release that was complete before a change began. @param serving the one that visitors are served by */
  before(change: Change | undefined, serving: string): string {
    if (change === undefined) return this.recorded.at(-1)?.release ?? serving;
    return this.recorded.findLast(({ at }) => Date.parse(at) < Date.parse(change.since))?.release ?? serving;
  }

  /** Whether a release was recorded since a change began. */
  isRecorded(change: Change | undefined): boolean {
    return change !== undefined && this.recorded.some(({ at }) => Date.parse(at) >= Date.parse(change.since));
  }
}

/** Pulumi writes the time of its lock in the same form as the audit log, or not at all. */
const time = ({ timestamp }: Holder, { at }: AuditLine): number => Date.parse(timestamp === "" ? at : timestamp);
