import { defined } from "../../../lib/defined.ts";
import type { EngineEvent } from "../../shared/events.ts";
import { MARKUP } from "../../shared/pulumi.ts";
import type { StepState } from "../page/state.ts";
import { STEPS } from "../page/steps.ts";
import { stepOf } from "./parts.ts";

/** Operations that Pulumi names beside those that do something: a replacement is its parts. */
const NOTHING = new Set(["same", "replace", "read", "refresh"]);
const LEAVING = "old";
/** How much of what a step says is kept. */
const SAID = 300;

/** What was seen of one step. */
interface Seen {
  /** Operations that began and have not ended, by what they are on. */
  readonly open: Map<string, number>;
  began?: number;
  ended?: number;
  did: boolean;
  failed: boolean;
  says?: string;
}

/** The steps of a release from what Pulumi writes down while it makes it. Events may be added as they come. */
export class StepsFromEvents {
  readonly #seen = new Map<string, Seen>();

  add(events: readonly EngineEvent[]): void {
    for (const event of events) this.#one(event);
  }

  #one({ timestamp = 0, resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent }: EngineEvent): void {
    const { metadata } = resourcePreEvent ?? resOutputsEvent ?? resOpFailedEvent ?? {};
    if (diagnosticEvent?.urn !== undefined) return this.#said(diagnosticEvent.urn, diagnosticEvent.message);
    if (metadata === undefined) return;
    const { op, type, urn } = metadata;
    const id = stepOf(type, nameOf(urn), op);
    if (id === undefined) return;
    const seen = this.#of(id);
    const key = `${op} ${urn}`;
    if (resourcePreEvent !== undefined) {
      seen.open.set(key, timestamp);
      if (!NOTHING.has(op)) {
        seen.did = true;
        seen.began ??= timestamp;
      }
      return;
    }
    seen.open.delete(key);
    seen.failed ||= resOpFailedEvent !== undefined;
    if (!NOTHING.has(op)) seen.ended = timestamp;
  }

  #said(urn: string, message: string): void {
    const id = this.#isLeaving(urn) ? LEAVING : stepOf(typeOf(urn), nameOf(urn));
    const text = message.replace(MARKUP, "").trim().split("\n").at(-1)?.trim() ?? "";
    // What a step prints for the next one is no word for people.
    if (id !== undefined && text !== "" && !text.includes('{"')) this.#of(id).says = text.slice(0, SAID);
  }

  /** Whether it is an old container that goes: its successor has the same name. */
  #isLeaving(urn: string): boolean {
    return [...(this.#seen.get(LEAVING)?.open.keys() ?? [])].some((key) => key.endsWith(` ${urn}`));
  }

  #of(id: string): Seen {
    const found = this.#seen.get(id) ?? { open: new Map(), did: false, failed: false };
    this.#seen.set(id, found);
    return found;
  }

  /** All steps as they stand. */
  states(): StepState[] {
    return STEPS.map(({ id }): StepState => {
      const seen = this.#seen.get(id);
      if (seen === undefined) return { id, status: "waiting" };
      const { open, did, failed, began, ended, says } = seen;
      const working = [...open.keys()].some((key) => !NOTHING.has(key.split(" ")[0]!));
      const status = failed ? "failed" : working ? "running" : did ? "done" : "same";
      const seconds = !working && began !== undefined && ended !== undefined ? ended - began : undefined;
      const since = began === undefined || began === 0 ? undefined : new Date(began * 1000).toISOString();
      return { id, status, ...defined({ since, seconds, says: status === "same" ? undefined : says }) };
    });
  }
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";
/** The resource's own type, behind those of its parents. */
const typeOf = (urn: string): string => urn.split("::").at(-2)?.split("$").at(-1) ?? "";
