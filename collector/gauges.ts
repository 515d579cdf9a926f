import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Makes numbers of one registry. */
export class Gauges {
  readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  gauge<L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> {
    return new Gauge({ name: `drydock_${name}`, help, labelNames, registers: [this.registry] });
  }

  counter<L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> {
    return new Counter({ name: `drydock_${name}`, help, labelNames, registers: [this.registry] });
  }

  histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: `drydock_${name}`, help, buckets, registers: [this.registry] });
  }
}

/** Says the number, or that nobody knows it: what isn't known is left out rather than zero or what it was. */
export function say(gauge: Gauge<string>, value: number | null | undefined, labels: Record<string, string> = {}): void {
  if (value === null || value === undefined || !Number.isFinite(value)) gauge.remove(labels);
  else gauge.set(labels, value);
}
