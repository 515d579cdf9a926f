import type { CollectorSettings } from "../contracts/monitoring.ts";
import type { Gauges } from "./gauges.ts";
import { get } from "./get.ts";

/** Asks the site as a visitor does, through the proxy and by its name. */
export class Site {
  readonly #gauges;

  constructor(
    gauges: Gauges,
    readonly settings: CollectorSettings["site"],
    readonly address = "http://proxy:8080",
  ) {
    this.#gauges = {
      up: gauges.gauge("site_up", "Whether the site answers"),
      seconds: gauges.gauge("site_seconds", "How long that took"),
      maintenance: gauges.gauge("maintenance", "Whether visitors get the page of maintenance mode"),
    };
  }

  async round(): Promise<void> {
    const { host, path } = this.settings;
    const began = performance.now();
    const { status, headers } = await get(`${this.address}${path}`, { host, timeout: 10_000 }).catch(() => NONE);
    const closed = headers["x-drydock-maintenance"] !== undefined;
    this.#gauges.up.set(status > 0 && status < 400 ? 1 : 0);
    this.#gauges.seconds.set((performance.now() - began) / 1000);
    this.#gauges.maintenance.set(closed ? 1 : 0);
  }
}

const NONE = { status: 0, headers: {} as Readonly<Record<string, string | undefined>> };
