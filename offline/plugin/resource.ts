import type { Failure, Schema } from "./schema.ts";
import type { Properties, Values } from "./values.ts";

/** One call of the engine: for whom, how to stop it, and where to write. */
export interface Call {
  readonly urn: string;
  /** The logical name: the last part of the URN. */
  readonly name: string;
  /** Aborted when the user cancels, when the engine is gone, or when the resource's own timeout is over. */
  readonly signal: AbortSignal;
  /** Takes the resource's secrets out of a text. Everything that leaves through errors and logs goes through it. */
  redact(text: string): string;
  /** A line beside the resource in the engine's display; a `passing` one is gone when the operation is over. */
  log(severity: "debug" | "info" | "warning", text: string, options?: { passing?: boolean }): void;
}

/** A resource type, in terms of plain values. */
export interface Resource {
  readonly schema: Schema;
  /** Outputs that only an operation can know; a preview shows them as unknown. */
  readonly computed: readonly string[];
  /** Outputs that are secret as soon as any input is. */
  readonly derived?: readonly string[];
  /** Outputs that are always secret. */
  readonly secret?: readonly string[];
  /** `read` finds an object by its id alone, so that it can be imported. @default false */
  readonly importable?: boolean;
  /** `name` is chosen as `<logical name>-<7 hex digits>` where the program doesn't give one. @default false */
  readonly autoname?: boolean;
  /** What the engine does on a replacement where the program doesn't say. @default false */
  readonly deleteBeforeReplace?: boolean;
  /** Rules beyond the schema; may add to the inputs. Never connects to anything. */
  check?(inputs: Values, call: Call): Promise<Failure[]> | Failure[];
  /**
   * What new inputs are compared with, of the state: the official plugin takes a live value that differs for a change
   * even where nobody has read it on purpose. Without it they are compared with the old inputs.
   */
  compared?(state: Values, inputs: Values): Values;
  create(inputs: Values, call: Call): Promise<{ id: string; outputs: Values }>;
  /** The live state; undefined when the object is gone. Without it a refresh keeps the state. */
  read?(
    id: string,
    inputs: Values,
    state: Values,
    call: Call,
  ): Promise<{ inputs: Values; outputs: Values } | undefined>;
  update(id: string, state: Values, inputs: Values, call: Call): Promise<Values>;
  delete(id: string, state: Values, call: Call): Promise<void>;
}

export interface Provider {
  readonly name: string;
  /** The official plugin's version that this one stands in for. */
  readonly version: string;
  readonly config: Schema;
  configure(config: Properties): void;
  readonly resources: { readonly [type: string]: Resource };
  /**
   * Called when the object `id` of `urn` is known to be in the engine's state, and at an orderly end without arguments.
   */
  settled?(urn?: string, id?: string): void;
}

/** The object exists but isn't usable: it stays in the state, and the next update replaces it. */
export class NotReady extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Values,
  ) {
    super(message);
  }
}
