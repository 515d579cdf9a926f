import type { Inspected } from "./docker.ts";
import { isHealthy } from "./healthy.ts";
import { select } from "./project.ts";
import type { Outputs, StackContainer } from "./stack.ts";
import { type Painter, table } from "./ui.ts";
import type { Unfinished } from "./unfinished.ts";

/** What `status --json` prints. */
export interface Report {
  readonly stack: string;
  readonly url: string;
  readonly release: string;
  readonly services: readonly ContainerReport[];
  /** A restore or an import that is at work, or was cut off. */
  readonly restore?: { readonly state: "at work" | "cut off"; readonly what: string };
  /** What is about to fail, though all is healthy. @default nothing */
  readonly alarms?: readonly string[];
  /** A release that has not gone through all its steps; none where the last one has. */
  readonly unfinished?: UnfinishedReport;
}

interface UnfinishedReport {
  readonly release: string;
  /** Whether visitors are served by it. */
  readonly serves: boolean;
  /** What runs besides them. */
  readonly others: readonly ContainerReport[];
}

export interface ContainerReport extends StackContainer {
  /** Docker's word for it, or `missing`. */
  readonly state: string;
  /** `healthy`, `starting`, `unhealthy`; `none` where the container has no health check or is missing. */
  readonly health: string;
  /** How often it has started again by itself, where it does so over and over. */
  readonly restarts?: number;
}

/** How often, and how recently (in ms), something has to happen to be no accident any more. */
const LOOP = { restarts: 3, within: 300_000 };

/** Whether a container ends by itself and is started again, over and over, though it may seem to run just now. */
function loops({ RestartCount = 0, State }: Inspected, now: number): boolean {
  const since = State.StartedAt === undefined ? Infinity : now - Date.parse(State.StartedAt);
  return RestartCount >= LOOP.restarts && (State.Status === "restarting" || since < LOOP.within);
}

export function reportOf(
  outputs: Outputs,
  inspected: readonly Inspected[],
  unfinished?: Unfinished,
  now = Date.now(),
): Report {
  const found = new Map(
    inspected.flatMap(
      (container) =>
        [
          [container.Name.replace(/^\//, ""), container],
          [container.Id, container],
        ] as const,
    ),
  );
  const seen = ({ name, role, container, image }: StackContainer): ContainerReport => {
    const live = found.get(container);
    return {
      name,
      role,
      container,
      image: live?.Config.Image ?? image,
      state: live?.State.Status ?? "missing",
      health: live?.State.Health?.Status ?? "none",
      ...(live === undefined || !loops(live, now) ? {} : { restarts: live.RestartCount! }),
    };
  };
  const { stack, url, release } = outputs;
  const services = outputs.services.map(seen);
  if (unfinished === undefined) return { stack, url, release, services };
  return {
    stack,
    url,
    release,
    services,
    unfinished: { release: unfinished.release, serves: unfinished.serves, others: unfinished.others.map(seen) },
  };
}

/** Gone or stopped: what a refresh and an update bring back. */
export function isGone({ state }: ContainerReport): boolean {
  return ["missing", "exited", "dead", "created"].includes(state);
}

export function isStarting({ state, health }: ContainerReport): boolean {
  return (state === "running" && health === "starting") || state === "restarting";
}

export function allHealthy({ services, unfinished, restore }: Report): boolean {
  return services.length > 0 && services.every(isHealthy) && unfinished === undefined && restore?.state !== "cut off";
}

function restoreLine({ stack }: Report, { state, what }: NonNullable<Report["restore"]>, paint: Painter): string {
  if (state === "at work") return paint("yellow", what);
  return `${paint("red", what)}; bring it to its end: ./drydock backup restore --resume${select(stack)}`;
}

function loopLine({ stack }: Report, { name, role, restarts }: ContainerReport, paint: Painter): readonly string[] {
  if (restarts === undefined) return [];
  const told = role === "backup" ? " No backup is made meanwhile, and no alarm raised." : "";
  return [
    "",
    `${paint("red", `${name} ends and is started again, over and over (${restarts} times).`)}${told} Why: ` +
      `./drydock logs ${role}${select(stack)}`,
  ];
}

const shortImage = (image: string): string =>
  image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+/, "$1…").replace(/^sha256:([0-9a-f]{12})[0-9a-f]+$/, "$1");

export function statusTable(report: Report, paint: Painter): string {
  const cells = ({ name, role, container, image, state, health }: ContainerReport) => [
    name,
    role,
    container,
    shortImage(image),
    state,
    health,
  ];
  const head = ["NAME", "ROLE", "CONTAINER", "IMAGE", "STATE", "HEALTH"];
  const coloured = (cell: string): string => {
    if (["healthy", "running"].includes(cell)) return paint("green", cell);
    if (["unhealthy", "missing", "exited", "dead"].includes(cell)) return paint("red", cell);
    return ["starting", "restarting", "paused", "created"].includes(cell) ? paint("yellow", cell) : cell;
  };
  return [
    `stack    ${report.stack}`,
    `url      ${paint("bold", report.url)}`,
    `release  ${report.release}`,
    ...(report.restore === undefined ? [] : [`restore  ${restoreLine(report, report.restore, paint)}`]),
    ...(report.alarms ?? []).map((alarm) => `${paint("red", "alarm")}    ${alarm}`),
    "",
    table(head, report.services.map(cells), coloured),
    ...report.services.flatMap((service) => loopLine(report, service, paint)),
    ...unfinishedLines(report, (others) => table(head, others.map(cells), coloured)),
  ].join("\n");
}

/** What is the case while a release has not gone through all its steps, and what can be done. */
function unfinishedLines(
  { stack, release, unfinished }: Report,
  show: (others: readonly ContainerReport[]) => string,
): readonly string[] {
  if (unfinished === undefined) return [];
  const s = select(stack);
  const what = unfinished.serves
    ? `release ${unfinished.release} serves, but has not gone through all its steps`
    : unfinished.release === release
      ? "the last deployment has not gone through all its steps"
      : `release ${unfinished.release} has not gone through its steps; ${release} serves`;
  return [
    "",
    `${what}. Go on with it: ` +
      `./drydock up${s}` +
      `${unfinished.release === release && !unfinished.serves ? "" : `; go back: ./drydock rollback${s}`}`,
    ...(unfinished.others.length === 0 ? [] : ["left over until a deployment succeeds:", "", show(unfinished.others)]),
  ];
}
