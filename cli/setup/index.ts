import { isOpenToAll } from "../../config/checks.ts";
import { defined } from "../../lib/defined.ts";
import { DEFAULT_HOST } from "../../lib/dockerEngine.ts";
import { connect } from "../shared/connection.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { LOCAL } from "../shared/project.ts";
import { step } from "../shared/ui.ts";
import { ensureDocker } from "./docker.ts";
import { run } from "./docker-run.ts";
import { requireVersion, VERSION, warnOfLimits } from "./docker-version.ts";
import { ensureImages, type ImageName, type ImageReferences } from "./images.ts";
import { OF_A_STACK } from "./images-tags.ts";

/** What containers need before a stack can be deployed. */
export interface Ready {
  /** The Docker engine, in the form of DOCKER_HOST. */
  readonly host: string;
  /** The images that were built here; only for the local stack. */
  readonly images?: ImageReferences;
}

/**
 * The local stack's Docker is installed and started where that can be done, and its images are built. Another stack's
 * Docker is only asked: what runs there is not this machine's to set up.
 *
 * @param more images that not every stack needs
 */
export async function ensureContainers(stack: string, host?: string, more: readonly ImageName[] = []): Promise<Ready> {
  const asked = host ?? process.env.DOCKER_HOST;
  if (asked !== undefined && isOpenToAll(asked)) {
    throw new CliError({
      what: `the Docker host ${asked} is asked without TLS: secrets go over it in clear`,
      remedy:
        `over ssh: pulumi config set -s ${stack} --path drydock:docker.host ssh://USER@HOST\n` +
        "or TLS: export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=FOLDER (ca.pem, cert.pem, key.pem)",
      code: Exit.refused,
    });
  }
  await connect(asked);
  if (stack !== LOCAL) return { host: await checkDocker(stack, host) };
  const engine = await step("docker", ({ log }) => ensureDocker({ log, ...defined({ host }) }));
  const images = await step("images", ({ log }) =>
    ensureImages({ log, host: engine.host, only: [...OF_A_STACK, ...more] }),
  );
  return { host: engine.host, images };
}

async function checkDocker(stack: string, host: string = process.env.DOCKER_HOST ?? DEFAULT_HOST): Promise<string> {
  const { code, stdout, output } = await run("docker", ["--host", host, ...VERSION], { timeout: 20_000 });
  if (code !== 0) {
    throw new CliError({
      what: `Docker does not answer at ${host}, the host of stack ${stack}: ${output.trim().split("\n").at(-1) ?? ""}`,
      remedy:
        `try it by hand: docker --host ${host} version\nanother host: eval "$(./drydock env)" && pulumi config set ` +
        `-s ${stack} --path drydock:docker.host ssh://USER@HOST`,
    });
  }
  requireVersion(host, stdout);
  await warnOfLimits(host);
  return host;
}
