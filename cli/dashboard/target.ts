import { statSync } from "node:fs";
import { stateFolder } from "../shared/environment.ts";
import { type Deployed, deployed } from "../shared/services.ts";
import type { Session } from "../shared/session.ts";
import { checkpoint } from "../shared/stack.ts";

/** How long a state that can't be looked at counts as unchanged, in ms; and one that can be. */
const AGE = { elsewhere: 20_000, here: 120_000 } as const;

/** A deployed stack, as its state says: read again when that has changed. */
export class Target {
  readonly session: Session;
  #known: { readonly value: Deployed; readonly at: number; readonly mark: number | undefined } | undefined;
  #reading: Promise<Deployed> | undefined;

  constructor(session: Session) {
    this.session = session;
  }

  /** @throws CliError where the stack has not been deployed, or its state can't be read */
  async now(): Promise<Deployed> {
    const mark = this.#mark();
    const known = this.#known;
    const age = Date.now() - (known?.at ?? 0);
    if (known !== undefined && known.mark === mark && age < (mark === undefined ? AGE.elsewhere : AGE.here))
      return known.value;
    this.#reading ??= deployed(this.session)
      .then((value) => {
        this.#known = { value, at: Date.now(), mark };
        return value;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return await this.#reading;
  }

  /** When the state was last written, where it is a file of this clone. */
  #mark(): number | undefined {
    const { env, stack } = this.session;
    const folder = stateFolder(env);
    const file = folder === undefined ? undefined : checkpoint(folder, stack);
    return file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  }
}
