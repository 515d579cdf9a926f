import type { Inspected } from "./docker.ts";
import type { Outputs, Service } from "./stack.ts";
import { table, type Painter } from "./ui.ts";

/** What `status --json` prints. */
export interface Report {
  readonly stack: string;
  readonly url: string;
  readonly release: string;
  readonly services: readonly ServiceReport[];
}

export interface ServiceReport extends Service {
  /** Docker's word for it, or `missing`. */
  readonly state: string;
  /** `healthy`, `starting`, `unhealthy`; `none` where the container has no health check or is missing. */
  readonly health: string;
}

export function reportOf(outputs: Outputs, inspected: readonly Inspected[]): Report {
  const found = new Map(inspected.flatMap((container) => [[container.Name.replace(/^\//, ""), container], [container.Id, container]] as const));
  return {
    stack: outputs.stack,
    url: outputs.url,
    release: outputs.release,
    services: outputs.services.map(({ name, role, container, image }) => {
      const live = found.get(container);
      return {
        name,
        role,
        container,
        image: live?.Config.Image ?? image,
        state: live?.State.Status ?? "missing",
        health: live?.State.Health?.Status ?? "none",
      };
    }),
  };
}

/** Runs, and says so itself where it can be asked. */
export function isHealthy({ state, health }: ServiceReport): boolean {
  return state === "running" && (health === "healthy" || health === "none");
}

/** Gone or stopped: what a refresh and an update bring back. */
export function isGone({ state }: ServiceReport): boolean {
  return ["missing", "exited", "dead", "created"].includes(state);
}

export function isStarting({ state, health }: ServiceReport): boolean {
  return (state === "running" && health === "starting") || state === "restarting";
}

export function allHealthy({ services }: Report): boolean {
  return services.length > 0 && services.every(isHealthy);
}

const shortImage = (image: string): string => image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+/, "$1…").replace(/^sha256:([0-9a-f]{12})[0-9a-f]+$/, "$1");

export function statusTable(report: Report, paint: Painter): string {
  const rows = report.services.map(({ name, role, container, image, state, health }) => [name, role, container, shortImage(image), state, health]);
  const coloured = (cell: string): string => {
    if (["healthy", "running"].includes(cell)) return paint("green", cell);
    if (["unhealthy", "missing", "exited", "dead"].includes(cell)) return paint("red", cell);
    return ["starting", "restarting", "paused", "created"].includes(cell) ? paint("yellow", cell) : cell;
  };
  return [
    `stack    ${report.stack}`,
    `url      ${paint("bold", report.url)}`,
    `release  ${report.release}`,
    "",
    table(["NAME", "ROLE", "CONTAINER", "IMAGE", "STATE", "HEALTH"], rows, coloured),
  ].join("\n");
}
