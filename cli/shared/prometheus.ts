import { PORTS } from "../../contracts/monitoring.ts";
import { quote } from "../../lib/shell.ts";
import type { Docker } from "./docker.ts";
import { CliError, type Problem } from "./errors.ts";
import { select } from "./project.ts";
import { deployed } from "./services.ts";
import { openSession } from "./session.ts";
import type { Outputs } from "./stack.ts";

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
  const script = 'while read -r url; do wget -qO- "$url" && echo || exit; done';
  const args = ["exec", "--interactive", prometheus, "/bin/sh", "-c", script];
  const { code, stdout, stderr } = await docker.run(args, { input: urls.map((url) => `${url}\n`).join("") });
  const lines = stdout.split("\n").filter((line) => line !== "");
  if (code !== 0 || lines.length !== paths.length)
    throw new CliError({
      what: `Prometheus does not answer: ${stderr.trim().split("\n").at(-1) ?? ""}`,
      remedy: `see what it logs: ./drydock logs prometheus${select(stack)}`,
    });
  return lines.map((line) => (JSON.parse(line) as { readonly data: unknown }).data);
}

/** Asks Alertmanager, in its own container. @param body sent as JSON. @default nothing is sent */
export async function askAlertmanager(
  { docker, alertmanager }: Monitor,
  path: string,
  body?: object,
): Promise<unknown> {
  const url = `http://127.0.0.1:${PORTS.alertmanager}/api/v2/${path}`;
  const post =
    body === undefined ? "" : `--header 'content-type: application/json' --post-data ${quote(JSON.stringify(body))} `;
  const { code, stdout, stderr } = await docker.run(["exec", alertmanager, "/bin/sh", "-c", `wget -qO- ${post}${url}`]);
  if (code !== 0) throw new CliError({ what: `Alertmanager does not answer: ${stderr.trim()}` });
  return stdout.trim() === "" ? undefined : (JSON.parse(stdout) as unknown);
}
