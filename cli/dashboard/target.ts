import { statSync } from "node:fs";
import { stateFolder } from "../shared/environment.ts";
import { type Deployed, deployed } from "../shared/services.ts";
import type { Session } from "../shared/session.ts";
import { checkpoint } from "../shared/stack.ts";

/**
 * How long what was read of a state holds, in ms: where it can't be seen whether it has changed, where it has not, and
 * where it has. While a release goes on it changes all the time, and reading it takes from its processor.
 */
const AGE = { unseen: 20_000, unchanged: 120_000, changed: 4_000 } as const;

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
    const holds = AGE[mark === undefined ? "unseen" : known?.mark === mark ? "unchanged" : "changed"];
    if (known !== undefined && Date.now() - known.at < holds) return known.value;
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
