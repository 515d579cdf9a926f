import type { Agent } from "./agent.ts";
import { AgentError } from "./shared/errors.ts";
import { execute } from "./shared/process.ts";

/** Runs one of the user's commands; what it says goes into the log. */
export async function runHook(
  { configuration, reporter }: Agent,
  name: "pre" | "post" | "validate",
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const hook = configuration.hooks[name];
  if (hook === undefined) return;
  const [file = "", ...args] = hook.command;
  try {
    const said = await execute(file, args, { env, timeout: hook.timeout * 1000 });
    reporter.log("info", `hook ${name}: done${said.trim() === "" ? "" : `: ${said.trim().slice(-2000)}`}`);
  } catch (error) {
    throw new AgentError(`hook ${name}: ${(error as Error).message}`, { cause: error });
  }
}
