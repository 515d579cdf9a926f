import { judge } from "../doctor/checks.ts";
import { gather as lookInto } from "../doctor/gather.ts";
import { gather as lookForDrift } from "../drift/gather.ts";
import type { Session } from "../shared/session.ts";
import type { FindingRow, Findings } from "./page/state.ts";
import { troubleOf } from "./sources/source.ts";

type Looks = Readonly<Record<Findings["of"], () => Promise<readonly FindingRow[]>>>;

/** What `./drydock drift` and `./drydock doctor` find, when somebody asks; and what they found last. */
export class Checks {
  readonly last = new Map<Findings["of"], Findings>();
  readonly #running = new Map<Findings["of"], Promise<Findings>>();
  readonly #looks: Looks;

  constructor(session: Session, looks: Looks = looksOf(session)) {
    this.#looks = looks;
  }

  /** Looks now; who asks while one is under way gets its answer. */
  run(of: Findings["of"]): Promise<Findings> {
    const running = this.#running.get(of);
    if (running !== undefined) return running;
    const looking = this.#looks[of]()
      .then((findings): Findings => ({ of, at: new Date().toISOString(), findings }))
      .catch((error: unknown): Findings => {
        const problem = troubleOf(error);
        return { of, at: new Date().toISOString(), findings: [], problem };
      })
      .then((found) => {
        this.last.set(of, found);
        return found;
      })
      .finally(() => this.#running.delete(of));
    this.#running.set(of, looking);
    return looking;
  }
}

function looksOf(session: Session): Looks {
  return {
    drift: async () =>
      (await lookForDrift(session)).findings.map(({ kind, name, what, remedy }) => ({ kind, name, what, remedy })),
    doctor: async () =>
      judge(await lookInto(session))
        .filter(({ verdict }) => verdict !== "fine")
        .map(({ verdict, title, details, remedies }) => ({
          ...{ kind: verdict, name: title, what: details.join("; "), remedy: remedies.join("\n") },
        })),
  };
}
