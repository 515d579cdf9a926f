import type { ServerResponse } from "node:http";
import { type PartName, type Parts, RANGES, type Range } from "./page/state.ts";
import type { Poller } from "./poller.ts";

/** So often a line is sent that says nothing, in ms: who is gone without a word is noticed by it. */
const BEAT = 15_000;
/** So much may wait to be taken, in bytes: who takes nothing gets nothing more until he does. */
const MOST = 4 << 20;

/** An event as browsers read it. JSON has no line breaks. */
const eventOf = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** A range that is asked for; an hour where it is none. */
export const rangeOf = (text: string | null): Range =>
  text !== null && Object.hasOwn(RANGES, text) ? (text as Range) : "hour";

/** Sends a viewer all that is known, and from then on each part that is told anew. */
export function follow(response: ServerResponse, poller: Poller, range: Range): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.write(`retry: 2000\n\n${eventOf("state", poller.state)}`);
  const sent = new Map<PartName, string>();
  const tell = (name: PartName, parts: Parts): void => {
    const event = eventOf("part", { name, part: parts[name] });
    if (sent.get(name) === event || response.writableLength > MOST) return;
    sent.set(name, event);
    response.write(event);
  };
  const leave = poller.view(range, tell);
  const beat = setInterval(() => response.write(": still here\n\n"), BEAT);
  response.once("close", () => {
    clearInterval(beat);
    leave();
  });
}
