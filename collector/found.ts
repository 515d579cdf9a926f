import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FOUND, foundSchema, type Found as Told } from "../contracts/monitoring.ts";
import { type Gauges, say } from "./gauges.ts";

/**
 * What drift and doctor have found, as they tell it when somebody runs them. It is kept in memory alone: after a start
 * nothing is known until they are run again.
 */
export class Found {
  readonly #gauges;
  readonly #folder: string;

  constructor(gauges: Gauges, folder: string = FOUND.folder) {
    this.#folder = folder;
    this.#gauges = {
      drift: gauges.gauge("drift_findings", "What ./drydock drift found when it was last run", "kind"),
      doctor: gauges.gauge("doctor_findings", "What ./drydock doctor found when it was last run", "severity"),
      at: gauges.gauge("checked_timestamp_seconds", "When a check was last run", "by"),
    };
  }

  round(): void {
    const { drift, doctor, at } = this.#gauges;
    for (const by of ["drift", "doctor"] as const) {
      const told = this.#read(by);
      say(at, told?.at, { by });
      for (const kind of FOUND.kinds[by]) {
        const count = told === undefined ? undefined : (told.findings[kind] ?? 0);
        if (by === "drift") say(drift, count, { kind });
        else say(doctor, count, { severity: kind });
      }
    }
  }

  /** Undefined where nothing was told, or something else. */
  #read(by: string): Told | undefined {
    try {
      return foundSchema.parse(JSON.parse(readFileSync(join(this.#folder, `${by}.json`), "utf8")));
    } catch {
      return undefined;
    }
  }
}
