import type { Subject } from "../../alerts/alert.ts";
import { askAlertmanager, type Monitor } from "./prometheus.ts";

/** Alerts that are silent for a time, while somebody changes on purpose what they are about. */
export interface Quiet {
  readonly about: readonly Subject[];
  /** Why, for who looks at the alerts then. */
  readonly reason: string;
  /** After how many minutes it ends by itself, whatever becomes of who asked for it. */
  readonly minutes: number;
}

/** How long, in ms, alerts wait after the work: what was replaced is measured anew first. */
const AFTERWARDS = 120_000;

/**
 * Does something while alerts on what it changes are silent. Where nobody can be asked for silence, it is done all the
 * same: a message too many is no reason to stop.
 *
 * @param monitor undefined: the stack is not measured
 */
export async function whileSilent<T>(
  monitor: Monitor | undefined,
  { about, reason, minutes }: Quiet,
  work: () => Promise<T>,
  say: (line: string) => void,
): Promise<T> {
  const silence = async (until: number, id?: string): Promise<string | undefined> => {
    if (monitor === undefined) return undefined;
    const answer = await askAlertmanager(monitor, "silences", {
      ...(id === undefined ? {} : { id }),
      matchers: [{ name: "subject", value: about.join("|"), isRegex: true, isEqual: true }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(until).toISOString(),
      createdBy: "drydock",
      comment: reason,
    }).catch((error: Error) => say(`alerts may be raised meanwhile: ${error.message}`));
    return (answer as { readonly silenceID: string } | undefined)?.silenceID;
  };
  const id = await silence(Date.now() + minutes * 60_000);
  try {
    return await work();
  } finally {
    if (id !== undefined) await silence(Date.now() + AFTERWARDS, id);
  }
}
