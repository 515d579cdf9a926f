import { createHash } from "node:crypto";
import { join } from "node:path";
import { localImages } from "../dockerEngine.ts";
import { basesOf, readContext } from "./context.ts";
import type { BuildSettings } from "./spec.ts";

/** Who the containers of an image run as. */
interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Names an image after all that it is built from: its context, its Dockerfile, the settings of the build, and the bases
 * that were made on the Docker host.
 *
 * @param folder the project's, from where the program runs
 * @param host as in DOCKER_HOST
 * @returns with what is possible but hardly meant
 * @throws BuildError
 */
export async function builtName(
  build: BuildSettings,
  { uid, gid }: User,
  folder: string,
  host: string,
): Promise<{ readonly reference: string; readonly warnings: readonly string[] }> {
  const { context, dockerfile, args, target, platform, secrets } = build;
  const files = Object.entries(secrets).flatMap(([name, { file }]) =>
    file === undefined ? [] : [[name, join(folder, file)] as const],
  );
  const read = readContext(join(folder, context), dockerfile, Object.fromEntries(files));
  const bases = await localImages(basesOf(read.dockerfile, args), host);
  const parts = [read.hash, dockerfile, args, target, platform, uid, gid, bases];
  return {
    reference: `drydock/app:${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12)}`,
    warnings: read.warnings.map((warning) => `drydock:app.build.context: ${warning}`),
  };
}
