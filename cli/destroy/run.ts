import { stageOf } from "../../config/stage.ts";
import { audited } from "../shared/audit.ts";
import { connect } from "../shared/connection.ts";
import { type Docker, dockerFailure, dockerFor } from "../shared/docker.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { takeLock } from "../shared/locks.ts";
import { forgetImages } from "../shared/oldImages.ts";
import { LOCAL, select } from "../shared/project.ts";
import { forgetRecords, rememberedRecords } from "../shared/records.ts";
import { clearLocks } from "../shared/recovery.ts";
import { openSession, type Session, succeeded } from "../shared/session.ts";
import { type Deployment, notDeployed, readDeployment, settingAt, stackConfig, stackExists } from "../shared/stack.ts";
import { ask, onTerminal, step } from "../shared/ui.ts";
import { forgetVolumes, rememberVolumes, unfinished, volumesOf } from "./volumes.ts";

export interface DestroyOptions {
  readonly stack?: string;
  readonly yes?: true;
  readonly volumes?: true;
}

/** Removes what a stack runs; its data only where that was asked for. Returns the exit code. */
export async function destroy(options: DestroyOptions): Promise<number> {
  const session = await openSession(options);
  const { stack, env } = session;
  const variable = await appEnv(session);
  refuseProduction(stack, variable);
  if (!stackExists(stack, env)) throw notDeployed(stack);
  const deployment = await readDeployment(session.pulumi, stack);
  refuseProduction(stack, variable, deployment);
  if (options.volumes === true && stack !== LOCAL) {
    throw new CliError({
      what: `--volumes is for the local stack only; the data of ${stack} is not deleted by one command`,
      remedy:
        `its containers: ./drydock destroy -s ${stack}\nits data, one volume at a time, on its Docker host: ` +
        "docker volume rm NAME",
      code: Exit.refused,
    });
  }
  const all = options.volumes === true;
  const there = volumesOf(deployment, !all);
  const volumes = all ? [...new Set([...unfinished(session.paths, stack), ...there])] : there;
  await confirm(stack, options, volumes);

  return await audited(session, "destroy", all ? ["--volumes"] : [], () => destroyConfirmed(session, all, volumes));
}

export async function destroyConfirmed(session: Session, all: boolean, volumes: readonly string[]): Promise<number> {
  const { stack, paths, env } = session;
  const lock = takeLock(paths.lock(stack), stack);
  try {
    await step("stack", ({ log }) => clearLocks(session, lock.previous !== undefined, log));
    const host = settingAt(stackConfig(paths, stack), "docker.host");
    const docker = dockerFor(typeof host === "string" ? host : undefined, env);
    await connect(docker.env.DOCKER_HOST, env);
    const mode = all ? "--ignore-protect" : "--exclude-protected";
    if (all) rememberVolumes(paths, stack, volumes);
    const once = async (): Promise<void> =>
      succeeded(
        "destroy",
        await session.pulumi.stream([
          "destroy",
          "--stack",
          stack,
          "--yes",
          "--skip-preview",
          "--suppress-outputs",
          mode,
        ]),
        session,
      );
    await once().catch(async (error: unknown) => {
      // Pulumi has had its lock by then: no other update is at work, whose containers these could be.
      const failed = error instanceof CliError && error.code === Exit.failed;
      if (!failed) throw error;
      const deployment = await readDeployment(session.pulumi, stack);
      const own = [...new Set([...volumes, ...volumesOf(deployment, false)])];
      if (!(await removeLeftovers(docker, deployment, stack, own))) throw error;
      await once();
    });
    if (all) {
      const records = rememberedRecords(session);
      await removeVolumes(docker, volumes, stack);
      if (records !== undefined) await forgetImages(dockerFor(records.host, env), records);
      // Until then another attempt needs both.
      forgetRecords(paths, stack);
      forgetVolumes(paths, stack);
    }
  } finally {
    lock.release();
  }
  process.stdout.write(`\n${remains(stack, all ? [] : volumes)}\n`);
  return Exit.ok;
}

/**
 * Removes containers of the stack that its state does not know, such as a release that was killed leaves behind: they
 * hold its networks and volumes, which could not be deleted. The volumes' names are this clone's own, so that those of
 * another clone's stack of the same name stay. Returns whether there was one.
 * @param volumes also those that Pulumi has forgotten in an attempt that failed
 */
export async function removeLeftovers(
  docker: Docker,
  deployment: Deployment,
  stack: string,
  volumes: readonly string[],
): Promise<boolean> {
  if (volumes.length === 0) return false;
  const using = volumes.flatMap((name) => ["--filter", `volume=${name}`]);
  const { code, stdout } = await docker.run([
    ...["ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}}"],
    ...["--filter", `label=drydock.stack=${stack}`, ...using],
  ]);
  if (code !== 0) return false;
  const known = new Set(deployment.resources.map(({ id }) => id));
  const left = stdout.split("\n").flatMap((line) => {
    const [id = "", name = ""] = line.split(" ");
    return id === "" || known.has(id) ? [] : [{ id, name }];
  });
  for (const { name } of left)
    process.stderr.write(`→ stack: removing ${name}, which an interrupted update has left\n`);
  if (left.length > 0) await docker.run(["rm", "--force", "--volumes", ...left.map(({ id }) => id)]);
  return left.length > 0;
}

/** As the stack's file says it; encrypted, Pulumi is asked. */
async function appEnv({ pulumi, paths, stack }: Session): Promise<string | undefined> {
  const value = settingAt(stackConfig(paths, stack), "env.APP_ENV");
  if (value === undefined || typeof value === "string") return value;
  const { code, stdout } = await pulumi.capture(["config", "get", "--stack", stack, "--path", "drydock:env.APP_ENV"]);
  return code === 0 ? stdout.trim() : undefined;
}

/**
 * Production by its settings, by its name where the settings say nothing, or by what is deployed: a changed file
 * doesn't make it less so.
 * @throws CliError (refused)
 */
export function refuseProduction(stack: string, appEnv: string | undefined, deployment?: Deployment): void {
  const running = deployment?.resources.some(
    ({ inputs }) => Array.isArray(inputs?.envs) && inputs.envs.includes("APP_ENV=production"),
  );
  if (stageOf(stack, appEnv) !== "production" && !running) return;
  throw new CliError({
    what:
      `stack ${stack} is in production (` +
      `${running ? "its containers run with APP_ENV=production" : `APP_ENV is ${appEnv ?? "not set"}`}); ` +
      "Drydock does not destroy it",
    remedy: "take it out of production first: deploy it with another APP_ENV, which its backups and its users survive",
    code: Exit.refused,
  });
}

async function confirm(stack: string, { yes, volumes }: DestroyOptions, names: readonly string[]): Promise<void> {
  if (yes === true) return;
  if (!onTerminal()) {
    throw new CliError({
      what: `stack ${stack} is not destroyed without confirmation, and there is no terminal to ask on`,
      remedy: `./drydock destroy${select(stack)}${volumes === true ? " --volumes" : ""} --yes`,
      code: Exit.refused,
    });
  }
  process.stderr.write(
    `This removes the containers and networks of stack ${stack}` +
      `${volumes === true ? ` AND ITS DATA: ${names.join(", ")}` : "; its data stays"}.\n`,
  );
  if ((await ask(`Type the stack's name to go on (${stack}): `)) !== stack)
    throw new CliError({ what: "not confirmed; nothing was changed", code: Exit.refused });
}

/** Pulumi keeps a volume on delete, and only forgets it: the data itself is removed here. */
async function removeVolumes(docker: Docker, names: readonly string[], stack: string): Promise<void> {
  if (names.length === 0) return;
  const { code, stderr } = await docker.run(["volume", "rm", ...names]);
  const complaints = stderr.split("\n").filter((line) => line !== "" && !/no such volume/i.test(line));
  if (code !== 0 && complaints.length > 0) throw dockerFailure(complaints.join("\n"), stack);
}

function remains(stack: string, volumes: readonly string[]): string {
  const s = select(stack);
  if (volumes.length === 0)
    return `Stack ${stack} is gone, its data too. Its file and its secrets stay: ./drydock up${s} begins anew.`;
  return [
    `Stack ${stack} no longer runs. Its data stays, protected, in ${volumes.length} volumes:`,
    ...volumes.map((name) => `  ${name}`),
    `  use it again   ./drydock up${s}`,
    ...(stack === LOCAL ? ["  delete it      ./drydock destroy --volumes"] : []),
  ].join("\n");
}
