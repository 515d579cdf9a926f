import type { DeployedFinding } from "../../policies/deployed.ts";
import { gather as askTheRules } from "../check/gather.ts";
import { judge } from "../doctor/checks.ts";
import { gather as lookInto } from "../doctor/gather.ts";
import { gather as lookForDrift } from "../drift/gather.ts";
import type { Session } from "../shared/session.ts";
import type { CheckName, FindingRow, Findings } from "./page/state.ts";
import { troubleOf } from "./sources/source.ts";

type Looks = Readonly<Record<CheckName, () => Promise<readonly FindingRow[]>>>;

/** What `./drydock drift`, `doctor` and `check` find, when somebody asks; and what they found last. */
export class Checks {
  readonly last = new Map<CheckName, Findings>();
  readonly #running = new Map<CheckName, Promise<Findings>>();
  readonly #looks: Looks;

  constructor(session: Session, looks: Looks = looksOf(session)) {
    this.#looks = looks;
  }

  /** Looks now; who asks while one is under way gets its answer. */
  run(of: CheckName): Promise<Findings> {
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
    policies: async () => (await askTheRules(session)).map(rowOf),
  };
}

/** A rule's message: what is wrong, then lines that begin with "Why: " and "Remedy: ". */
export function rowOf({ rule, level, message }: DeployedFinding): FindingRow {
  const [rest = "", remedy] = message.split("\nRemedy: ");
  const [what = ""] = rest.split("\nWhy: ");
  const more = `./drydock policies explain ${rule}`;
  return {
    ...{ kind: level, name: rule, what: what.replaceAll("\n", "; ") },
    remedy: remedy === undefined ? more : `${remedy}\n${more}`,
  };
}
