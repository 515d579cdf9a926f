import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { BuildError, type BuildSpec, buildArguments, buildKitOnly } from "./spec.ts";

/** Lines of the build's output that an error shows. */
const TAIL = 20;

export interface BuildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly show?: (text: string) => void;
}

/**
 * Builds an image on the Docker host: with BuildKit where this machine's docker has it (buildx), else with the classic
 * builder. An image of that name is what is wanted, for the name is made of all that it is built from.
 *
 * @param options.env has DOCKER_HOST, and what the settings name as secrets
 * @param options.folder the project's
 * @param options.show what the build prints, as it does
 * @returns whether something was built
 * @throws BuildError
 */
export async function buildImage(spec: BuildSpec, options: BuildOptions): Promise<boolean> {
  if ((await docker(["image", "inspect", "--format", "{{.Id}}", spec.image], options)).code === 0) return false;
  const missing = whatIsMissing(spec, options);
  if (missing.length > 0) throw new BuildError(missing.join("\n"));
  const buildKit = (await docker(["buildx", "version"], options)).code === 0;
  const only = buildKitOnly(spec);
  if (!buildKit && only.length > 0) {
    const settings = only.map((name) => `drydock:app.build.${name}`).join(", ");
    throw new BuildError(
      `${settings}: only BuildKit can do this, and the docker of this machine has the classic builder alone. ` +
        "Install docker-buildx (of Debian) or docker-buildx-plugin (of Docker)",
    );
  }
  const env = { ...options.env, DOCKER_BUILDKIT: buildKit ? "1" : "0" };
  const { code, output } = await docker(buildArguments(spec, buildKit), { ...options, env });
  const end = output.trimEnd().split("\n").slice(-TAIL).join("\n");
  if (code !== 0) throw new BuildError(`building ${spec.image} from ${spec.context} failed:\n${end}`);
  return true;
}

/** Secrets that are not where the settings say, and an agent that isn't there. */
export function whatIsMissing({ secrets, ssh }: BuildSpec, { env, folder }: BuildOptions): readonly string[] {
  const problems = Object.entries(secrets).flatMap(([id, { file, env: name }]) => {
    const path = `drydock:app.build.secrets.${id}`;
    if (file === undefined) {
      if ((env[name!] ?? "") !== "") return [];
      return [`${path}: the variable ${name} is not set here. Set it for this command: ${name}=… ./drydock up`];
    }
    try {
      accessSync(resolve(folder, file), constants.R_OK);
      return [];
    } catch (error) {
      return [
        `${path}: the file ${file} can't be read (${(error as NodeJS.ErrnoException).code}). Put it there, ` +
          "or name another: " +
          `pulumi config set --plaintext --path ${path}.file FILE`,
      ];
    }
  });
  if (ssh && (env["SSH_AUTH_SOCK"] ?? "") === "")
    problems.push(
      "drydock:app.build.ssh: no ssh agent answers here (SSH_AUTH_SOCK). Start one for this command: " +
        'ssh-agent sh -c "ssh-add && ./drydock up"',
    );
  return problems;
}

interface Said {
  readonly code: number;
  readonly output: string;
}

function docker(args: readonly string[], { env, folder, show = () => {} }: BuildOptions): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, { env, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (text: string) => {
      output = (output + text).slice(-64_000);
      show(text);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", reject).on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
