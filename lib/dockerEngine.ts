import { execFile } from "node:child_process";
import { request } from "node:http";
import { promisify } from "node:util";

/** How long a Docker host may take to say its version, in ms. */
const PATIENCE = 10_000;
/** Where the docker client and Pulumi's plugin look where nothing is said. */
export const DEFAULT_HOST = "unix:///var/run/docker.sock";

/** What a Docker engine says of itself. */
export interface DockerEngine {
  readonly version: string;
  /** The newest version of its API. */
  readonly api: string;
  /** What its images are built for, as "linux/amd64". */
  readonly platform: string;
}

/**
 * Asks a Docker engine what it is; undefined where it doesn't answer.
 * @param host as in DOCKER_HOST
 */
export async function askEngine(host: string, env: NodeJS.ProcessEnv = process.env): Promise<DockerEngine | undefined> {
  try {
    const said = host.startsWith("unix://") ? await ask(host.slice("unix://".length)) : await askClient(host, env);
    const { Os, Arch, Version, ApiVersion, APIVersion = ApiVersion } = said;
    return typeof Os === "string" && typeof Arch === "string" && typeof APIVersion === "string"
      ? { version: typeof Version === "string" ? Version : "", api: APIVersion, platform: `${Os}/${Arch}` }
      : undefined;
  } catch {
    return undefined;
  }
}

interface Said {
  readonly Os?: unknown;
  readonly Arch?: unknown;
  readonly Version?: unknown;
  /** The engine's own name for it. */
  readonly ApiVersion?: unknown;
  /** The client's. */
  readonly APIVersion?: unknown;
}

/** A question over the socket takes some milliseconds, one by the docker client a tenth of a second. */
function ask(socketPath: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    const question = request({ socketPath, path: "/version", timeout: PATIENCE }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => {
        try {
          resolve(JSON.parse(text) as Said);
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    question.on("timeout", () => question.destroy(new Error("no answer")));
    question.on("error", reject).end();
  });
}

async function askClient(host: string, env: NodeJS.ProcessEnv): Promise<Said> {
  const { stdout } = await promisify(execFile)("docker", ["version", "--format", "{{json .Server}}"], {
    env: { ...env, DOCKER_HOST: host },
    timeout: PATIENCE,
  });
  return JSON.parse(stdout) as Said;
}
