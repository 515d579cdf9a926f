import { PORTS } from "../../contracts/monitoring.ts";
import { quote } from "../../lib/shell.ts";
import { type Docker, unanswered } from "./docker.ts";
import { CliError, type Problem } from "./errors.ts";
import { select } from "./project.ts";
import { deployed } from "./services.ts";
import { openSession } from "./session.ts";
import type { Outputs } from "./stack.ts";

/**
 * Seconds that nothing may come for. A question to Prometheus takes 20 at most (servers/monitoring/prometheus.ts), and
 * one that stands still, or waits for its disk, must hold up nobody: least of all who only wants it to be silent.
 */
const PATIENCE = { prometheus: 25, alertmanager: 10 } as const;

/** busybox takes "once" and does so anyway; another wget would ask twenty times. */
const fetching = (seconds: number): string => `wget -t 1 -T ${seconds} -qO-`;

/** What measures a stack, as the verbs ask it. */
export interface Monitor {
  readonly stack: string;
  readonly docker: Docker;
  readonly prometheus: string;
  readonly alertmanager: string;
}

/** @throws CliError where the stack is not deployed, or not measured */
export async function monitorOf(stack: string | undefined): Promise<Monitor> {
  const found = await deployed(await openSession({ stack, brief: true }));
  const monitor = monitorIn(found.outputs, found.docker);
  if (monitor !== undefined) return monitor;
  throw new CliError(notMeasured(found.outputs.stack));
}

/** That a stack has no monitoring, and how it is switched on. */
export function notMeasured(stack: string): Problem {
  return {
    what: `stack ${stack} is not measured`,
    remedy:
      `have it measured: eval "$(./drydock env)" && pulumi config set -s ${stack} --path drydock:monitoring.enabled ` +
      `true && ./drydock up${select(stack)}`,
  };
}

/** Undefined where the stack is not measured. */
export function monitorIn(
  { stack, services }: Pick<Outputs, "stack" | "services">,
  docker: Docker,
): Monitor | undefined {
  const [prometheus, alertmanager] = ["prometheus", "alertmanager"].map(
    (role) => services.find((service) => service.role === role)?.container,
  );
  if (prometheus === undefined || alertmanager === undefined) return undefined;
  return { stack, docker, prometheus, alertmanager };
}

/**
 * Asks Prometheus several things at once, in its own container, for nothing of it can be reached from outside.
 * @param paths below /api/v1/
 * @throws CliError where it does not answer
 */
export async function askPrometheus(
  { docker, prometheus, stack }: Monitor,
  paths: readonly string[],
): Promise<unknown[]> {
  const urls = paths.map((path) => `http://127.0.0.1:${PORTS.prometheus}/api/v1/${path}`);
  const script = `while read -r url; do ${fetching(PATIENCE.prometheus)} "$url" && echo || exit; done`;
  const args = ["exec", "--interactive", prometheus, "/bin/sh", "-c", script];
  const { code, stdout, stderr } = await docker.run(args, { input: urls.map((url) => `${url}\n`).join("") });
  const lines = stdout.split("\n").filter((line) => line !== "");
  if (code !== 0 || lines.length !== paths.length)
    throw (
      unanswered(stderr, stack) ??
      new CliError({
        what: `Prometheus does not answer: ${stderr.trim().split("\n").at(-1) ?? ""}`,
        remedy: `see what it logs: ./drydock logs prometheus${select(stack)}`,
      })
    );
  return lines.map((line) => (JSON.parse(line) as { readonly data: unknown }).data);
}

/** What is silent at present; or why that can't be said, which is no reason to say nothing of the alerts. */
export async function silencesOf(monitor: Monitor): Promise<readonly Silence[] | CliError> {
  try {
    const all = (await askAlertmanager(monitor, "silences")) as readonly Silence[];
    return all.filter(({ status }) => status.state === "active");
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
}

/** A silence as Alertmanager answers it. */
export interface Silence {
  readonly status: { readonly state: string };
  readonly endsAt: string;
  readonly comment: string;
}

/** Asks Alertmanager, in its own container. @param body sent as JSON. @default nothing is sent */
export async function askAlertmanager(
  { docker, alertmanager, stack }: Monitor,
  path: string,
  body?: object,
): Promise<unknown> {
  const url = `http://127.0.0.1:${PORTS.alertmanager}/api/v2/${path}`;
  const post =
    body === undefined ? "" : `--header 'content-type: application/json' --post-data ${quote(JSON.stringify(body))} `;
  const script = `${fetching(PATIENCE.alertmanager)} ${post}${url}`;
  const { code, stdout, stderr } = await docker.run(["exec", alertmanager, "/bin/sh", "-c", script]);
  if (code !== 0)
    throw (
      unanswered(stderr, stack) ??
      new CliError({
        what: `Alertmanager does not answer: ${stderr.trim()}`,
        remedy: `see what it logs: ./drydock logs alertmanager${select(stack)}`,
      })
    );
  return stdout.trim() === "" ? undefined : (JSON.parse(stdout) as unknown);
}
