import { dockerFor, inspect, type Docker } from "./docker.ts";
import { recordsOf, rememberRecords, type Records } from "./records.ts";
import { reportOf, type Report } from "./report.ts";
import type { Session } from "./session.ts";
import { at, notDeployed, readOutputs, stackConfig, stackExists, type Outputs } from "./stack.ts";

/** A deployed stack and the Docker host that it runs on. */
export interface Deployed {
  readonly outputs: Outputs;
  readonly docker: Docker;
  /** How the stack's records are reached; none where it was deployed before there were any. */
  readonly records?: Records;
}

/** @throws CliError where the stack has not been deployed */
export async function deployed({ stack, env, pulumi, paths }: Session): Promise<Deployed> {
  if (!stackExists(stack, env)) throw notDeployed(stack);
  const outputs = await readOutputs(pulumi, stack);
  const host = outputs.dockerHost ?? at(stackConfig(paths, stack), "docker.host");
  const named = typeof host === "string" && host !== "" ? host : undefined;
  const records = recordsOf(outputs, named);
  rememberRecords(paths, records);
  return { outputs, docker: dockerFor(named, env), ...(records === undefined ? {} : { records }) };
}

/** The services as they are right now. */
export async function readReport({ outputs, docker }: Deployed): Promise<Report> {
  return reportOf(outputs, await inspect(docker, outputs.services.map(({ container }) => container), outputs.stack));
}
