import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "./clone.ts";
import { testImage } from "./image.ts";

/**
 * A registry of images on a port of this machine, and a client's configuration with the builder that Debian's own
 * client lacks.
 */
export interface Registry {
  /** As references begin with. */
  readonly address: string;
  /** For DOCKER_CONFIG: it has buildx. */
  readonly config: string;
  remove(): void;
}

export async function startRegistry(): Promise<Registry> {
  const image = await testImage({ name: "drydock/test-registry:1", folder: join(import.meta.dirname, "registry") });
  const id = docker("run", "--detach", "--publish", "127.0.0.1::5000", "--label", "drydock.test=registry", image);
  const config = mkdtempSync(join(tmpdir(), "drydock-docker-config-"));
  mkdirSync(join(config, "cli-plugins"));
  docker("cp", `${id}:/usr/libexec/docker/cli-plugins/docker-buildx`, join(config, "cli-plugins"));
  return {
    address: docker("port", id, "5000/tcp").split("\n")[0]!,
    config,
    remove() {
      docker("rm", "--force", "--volumes", id);
      rmSync(config, { recursive: true, force: true });
    },
  };
}
