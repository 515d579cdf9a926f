import { askEngine, askLimits, DEFAULT_HOST } from "../../lib/dockerEngine.ts";
import { judgeLimits } from "../../lib/dockerLimits.ts";
import { judgeVersion } from "../../lib/dockerVersion.ts";
import { connect } from "../shared/connection.ts";
import { CliError } from "../shared/errors.ts";

/** What is asked of the docker client; its answer is for `requireVersion`. */
export const VERSION = ["version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}"] as const;

/** @throws CliError where the engine that said so is too old */
export function requireVersion(where: string, said: string): void {
  const [version = "", api] = said.trim().split(" ");
  const old = api === undefined ? undefined : judgeVersion(where, version, api);
  if (old !== undefined) throw new CliError(old);
}

/**
 * Asks an engine that may be away, for a command that needs none.
 * @throws CliError where it answers and is too old
 */
export async function requireVersionOf(host: string | undefined, env: NodeJS.ProcessEnv): Promise<void> {
  const where = host ?? env.DOCKER_HOST ?? DEFAULT_HOST;
  const reached = await connect(where, env).then(
    () => true,
    () => false,
  );
  const engine = reached ? await askEngine(where, env) : undefined;
  const old = engine === undefined ? undefined : judgeVersion(where, engine.version, engine.api);
  if (old !== undefined) throw new CliError(old);
  if (engine !== undefined) await warnOfLimits(where, env);
}

/** Says which limits an engine over ssh does not hold; the program asks every other one itself. */
export async function warnOfLimits(host: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  if (!host.startsWith("ssh://")) return;
  const limits = await askLimits(host, env);
  const lost = limits === undefined ? undefined : judgeLimits(host, limits);
  if (lost !== undefined) process.stderr.write(`! docker: ${lost.what}\n  ${lost.remedy}\n`);
}
