import { CliError, Exit } from "./errors.ts";
import { select } from "./project.ts";
import type { Records } from "./records.ts";
import { deployed } from "./services.ts";
import type { Session } from "./session.ts";

/** What lists of what is recorded have in common: releases, and what was done to a stack. */
export interface ListOptions {
  readonly stack?: string | undefined;
  readonly limit: number;
  readonly json: boolean;
}

/** The stack's records, and the release that serves. @throws CliError where there are none yet */
export async function recordsFor(session: Session): Promise<readonly [Records, string | undefined]> {
  const { records, outputs } = await deployed(session);
  if (records === undefined) {
    throw new CliError({
      what: `stack ${session.stack} has no records yet`,
      remedy: `records start with the next release: ./drydock up${select(session.stack)}`,
    });
  }
  return [records, outputs.release];
}

export function limited({ limit }: ListOptions): number {
  if (!Number.isInteger(limit) || limit < 1)
    throw new CliError({ what: "--limit is a whole number, 1 or more", code: Exit.usage });
  return limit;
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
export const when = (iso: string): string => iso.replace("T", " ").replace(/(\.\d+)?Z$/, "Z");
