import { execFile } from "node:child_process";
import { request } from "node:http";
import { promisify } from "node:util";

/** How long the Docker host may take, in ms. */
const PATIENCE = 10_000;

/**
 * What an image has to be built for: the Docker host's system and processor, as "linux/amd64". Left out, Pulumi's docker plugin would
 * take the processor of the machine that it runs on. Undefined where the host doesn't answer; then nothing can be built either.
 *
 * @param host as in DOCKER_HOST
 */
export async function platformOf(
  host = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock",
): Promise<string | undefined> {
  try {
    const { Os, Arch } = host.startsWith("unix://") ? await ask(host.slice("unix://".length)) : await askClient(host);
    return typeof Os === "string" && typeof Arch === "string" ? `${Os}/${Arch}` : undefined;
  } catch {
    return undefined;
  }
}

interface Version {
  readonly Os?: unknown;
  readonly Arch?: unknown;
}

/** A question over the socket takes some milliseconds, one by the docker client a tenth of a second. */
function ask(socketPath: string): Promise<Version> {
  return new Promise((resolve, reject) => {
    const question = request({ socketPath, path: "/version", timeout: PATIENCE }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => {
        try {
          resolve(JSON.parse(text) as Version);
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    question.on("timeout", () => question.destroy(new Error("no answer")));
    question.on("error", reject).end();
  });
}

async function askClient(host: string): Promise<Version> {
  const env = { ...process.env, DOCKER_HOST: host };
  const { stdout } = await promisify(execFile)("docker", ["version", "--format", "{{json .Server}}"], {
    env,
    timeout: PATIENCE,
  });
  return JSON.parse(stdout) as Version;
}
