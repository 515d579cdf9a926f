import { stateFolder } from "./environment.ts";
import { CliError } from "./errors.ts";
import { LOCAL } from "./project.ts";
import type { Session } from "./session.ts";

/** Whether a workflow of GitHub runs this. */
export const onGithub = (env: NodeJS.ProcessEnv = process.env): boolean => env.GITHUB_ACTIONS === "true";

/** One line that GitHub shows beside the job: `::error title=drydock::…`. */
export function annotation(level: "error" | "warning", text: string, title = "drydock"): string {
  const data = (value: string): string => value.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (value: string): string => data(value).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::${level} title=${property(title)}::${data(text.trim())}\n`;
}

/** An error as GitHub shows it, with its remedy; nothing elsewhere. */
export function annotateError(error: unknown, env: NodeJS.ProcessEnv = process.env): string {
  if (!onGithub(env)) return "";
  const what = error instanceof Error ? error.message : String(error);
  const remedy = error instanceof CliError && error.remedy !== undefined ? `\nremedy: ${error.remedy}` : "";
  return annotation("error", `${what}${remedy}`);
}

/** Says where a state is that ends with the job: the next run would deploy a second time. */
export function warnOfLostState({ stack, env, paths }: Pick<Session, "stack" | "env" | "paths">): void {
  const runner = onGithub(env) || env.GITLAB_CI === "true";
  if (!runner || stack === LOCAL || stateFolder(env) !== paths.state) return;
  const text =
    `the state of stack ${stack} is in this clone (${paths.state}), which ends with the job: ` +
    "name another place for it, PULUMI_BACKEND_URL=s3://…";
  process.stderr.write(`→ ${text} (docs/ci.md)\n${onGithub(env) ? annotation("warning", text) : ""}`);
}
