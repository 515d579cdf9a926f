import { setTimeout as sleep } from "node:timers/promises";
import { ask, follow } from "./engine.ts";

/** Until the next look, in ms: where Docker says by itself what happens, and where it can't. */
const [SELDOM, POLL] = [1000, 100];

interface Stream {
  /** When Docker has started to tell, or will not. */
  readonly opened: Promise<void>;
  over: boolean;
  close(): void;
}

/** Called when Docker says something of the container; one for each that is waited for. */
const listeners = new Map<string, () => void>();
/** One for all; there is one as long as somebody waits. */
let stream: Stream | undefined;

/**
 * Listens to what Docker says of a container's health and its end: asking all the time takes processors from what
 * starts. `next` returns when there is something, or after a second.
 */
export async function listenTo(
  id: string,
): Promise<{ readonly next: () => Promise<void>; readonly close: () => void }> {
  let told = false;
  let wake = (): void => undefined;
  listeners.set(id, () => {
    told = true;
    wake();
  });
  // Before the first look: nothing is missed between a look and the next one.
  stream ??= open();
  const own = stream;
  await own.opened;
  return {
    async next() {
      const slept = new AbortController();
      const something = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (!told)
        await Promise.race([
          something,
          sleep(own.over ? POLL : SELDOM, undefined, { signal: slept.signal }).catch(() => undefined),
        ]);
      slept.abort();
      told = false;
    },
    close() {
      listeners.delete(id);
      if (listeners.size > 0) return;
      own.close();
      if (stream === own) stream = undefined;
    },
  };
}

function open(): Stream {
  let events: { destroy?(): void } | undefined;
  const own: Stream = { over: false, close: () => events?.destroy?.(), opened: begin() };
  const over = (): void => {
    own.over = true;
    if (stream === own) stream = undefined;
    for (const tell of listeners.values()) tell();
  };
  return own;

  async function begin(): Promise<void> {
    const told = await ask((docker) =>
      docker.getEvents({ filters: { type: ["container"], event: ["health_status", "die"] } }),
    ).catch(() => undefined);
    if (told === undefined) return over();
    events = told as { destroy?(): void };
    // An end by itself, or by an error, closes it as well.
    told.on("error", () => undefined);
    told.on("close", over);
    follow(told, ({ id = "" }) => listeners.get(id)?.()).catch(over);
  }
}
