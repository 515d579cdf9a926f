import { defined } from "../../lib/defined.ts";
import { connect } from "./connection.ts";
import { type Docker, dockerFor, inspect } from "./docker.ts";
import { type Records, recordsOf, rememberRecords } from "./records.ts";
import { redisAlarms } from "./redisMemory.ts";
import { type Report, reportOf } from "./report.ts";
import type { Session } from "./session.ts";
import { notDeployed, type Outputs, outputsOf, readDeployment, settingAt, stackConfig, stackExists } from "./stack.ts";
import { arrange, servingContainers, type Unfinished } from "./unfinished.ts";

/** A deployed stack and the Docker host that it runs on. */
export interface Deployed {
  readonly outputs: Outputs;
  readonly docker: Docker;
  /** How the stack's records are reached; none where it was deployed before there were any. */
  readonly records?: Records;
  /** A release that has not gone through all its steps. `outputs` then says what is in use now. */
  readonly unfinished?: Unfinished;
}

/** @throws CliError where the stack has not been deployed */
export async function deployed({ stack, env, pulumi, paths }: Session): Promise<Deployed> {
  if (!stackExists(stack, env)) throw notDeployed(stack);
  const deployment = await readDeployment(pulumi, stack);
  const last = outputsOf(deployment, stack);
  const host = last.dockerHost ?? settingAt(stackConfig(paths, stack), "docker.host");
  const named = typeof host === "string" && host !== "" ? host : undefined;
  const records = recordsOf(last, named);
  rememberRecords(paths, records);
  const docker = dockerFor(named, env);
  await connect(docker.env.DOCKER_HOST, env);
  const complete = arrange(last, deployment, undefined);
  // Only where something is left over is the proxy asked who serves.
  const { outputs, unfinished } =
    complete.unfinished === undefined
      ? complete
      : arrange(last, deployment, await servingContainers(docker, last, deployment));
  return { outputs, docker, ...defined({ records, unfinished }) };
}

/** The containers as they are right now. */
export async function readReport({ outputs, docker, unfinished }: Deployed): Promise<Report> {
  const all = [...outputs.services, ...(unfinished?.others ?? [])];
  const report = reportOf(
    outputs,
    await inspect(
      docker,
      all.map(({ container }) => container),
      outputs.stack,
    ),
    unfinished,
  );
  const alarms = await redisAlarms(docker, report.services);
  return alarms.length === 0 ? report : { ...report, alarms };
}
