import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { userHome } from "../../offline/installed.ts";
import { LOCAL, type Paths } from "./project.ts";
import { checkpoint } from "./stack.ts";

const CLOUD = "https://api.pulumi.com";

/**
 * Where Pulumi would keep a stack's state by the user's own choice, apart from PULUMI_BACKEND_URL, which counts first:
 * `backend.url` in Pulumi.yaml; else, for stacks other than `local`, PULUMI_ACCESS_TOKEN or `pulumi login` (to a folder
 * of this machine counts as none). A stack whose state is in this clone already stays there: otherwise it would be
 * deployed a second time.
 * @returns undefined: the state is this clone's own
 */
export function chosenBackend(paths: Paths, stack: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const project = projectBackend(paths);
  if (project !== undefined) return project;
  if (stack === LOCAL || checkpoint(paths.state, stack) !== undefined) return undefined;
  const { PULUMI_ACCESS_TOKEN: token, PULUMI_API: api } = env;
  if (token !== undefined && token !== "") return api !== undefined && api !== "" ? api : CLOUD;
  const login = loggedInTo(env);
  return login === undefined || login.startsWith("file://") ? undefined : login;
}

function projectBackend({ root }: Paths): string | undefined {
  const file = join(root, "Pulumi.yaml");
  if (!existsSync(file)) return undefined;
  const url = (parse(readFileSync(file, "utf8")) as { backend?: { url?: unknown } } | null)?.backend?.url;
  return typeof url === "string" && url !== "" ? url : undefined;
}

function loggedInTo(env: NodeJS.ProcessEnv): string | undefined {
  const { PULUMI_CREDENTIALS_PATH: path } = env;
  const file = join(path !== undefined && path !== "" ? path : userHome(env), "credentials.json");
  try {
    const { current } = JSON.parse(readFileSync(file, "utf8")) as { current?: unknown };
    return typeof current === "string" && current !== "" ? current : undefined;
  } catch {
    return undefined;
  }
}
