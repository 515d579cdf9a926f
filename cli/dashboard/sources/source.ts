import { CliError } from "../../shared/errors.ts";
import type { Parts, Range, Trouble } from "../page/state.ts";

/** What those who look at the page want to see. */
interface Wanted {
  readonly ranges: readonly Range[];
  /** What is known so far. */
  readonly parts: Parts;
}

/** Reads some parts of what the page shows. */
export interface Source {
  readonly name: string;
  /** The parts that it reads: where it fails, each of them says so. */
  readonly parts: readonly (keyof Parts)[];
  /** How long it waits after it has read, in ms. */
  readonly every: number;
  read(wanted: Wanted): Promise<Partial<Parts>>;
  /** Something that tells when it has to be read sooner: when it is another than before. @default never */
  readonly key?: (parts: Parts) => string;
}

/** A part that is known now. */
export const told = <T>(value: T): { readonly value: T; readonly at: string } => ({
  value,
  at: new Date().toISOString(),
});

/** An error as the page shows it. */
export function troubleOf(error: unknown): Trouble {
  const what = error instanceof Error ? error.message : String(error);
  return error instanceof CliError && error.remedy !== undefined ? { what, remedy: error.remedy } : { what };
}
