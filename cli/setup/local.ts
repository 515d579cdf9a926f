import { takeLock } from "../shared/locks.ts";
import { LOCAL, type Paths } from "../shared/project.ts";
import type { Session } from "../shared/session.ts";
import { isMeasured, settingAt, stackConfig } from "../shared/stack.ts";
import type { ImageReferences } from "./images.ts";
import { claimPort } from "./port.ts";
import { type Entry, missing, outdatedImages, presentPaths, readStackFile, writeEntries } from "./stackFile.ts";

/**
 * Makes Pulumi.local.yaml complete: all of it at the first `up`, later a secret that is missing and the tags of the
 * images that are built here. Says what it changed.
 * @param locked whether the caller holds the stack's lock; else it is taken for as long as the file is written: two
 *   sets of secrets must not cross
 */
export async function ensureLocalFile(
  { pulumi, paths }: Session,
  images: ImageReferences,
  log: (line: string) => void,
  locked: boolean,
): Promise<void> {
  if ((await needed(paths, images)).length === 0) return;
  const lock = locked ? undefined : takeLock(paths.lock(LOCAL), LOCAL);
  try {
    const entries = await needed(paths, images);
    if (entries.length > MANY)
      log(
        `Pulumi.${LOCAL}.yaml: generating ${entries.length} values, ` +
          `${entries.filter(({ secret }) => secret).length} of them secrets`,
      );
    else
      for (const { path, value, secret } of entries)
        log(`Pulumi.${LOCAL}.yaml: ${path} ${secret ? "generated" : `is ${value} now`}`);
    await writeEntries(pulumi, paths, LOCAL, readStackFile(paths.stackFile(LOCAL)), entries);
  } finally {
    lock?.release();
  }
}

/** From here on, values are counted rather than named. */
const MANY = 6;

async function needed(paths: Paths, built: ImageReferences): Promise<readonly Entry[]> {
  const { generateLocal } = await import("../../config/local.ts");
  const document = readStackFile(paths.stackFile(LOCAL));
  const { monitoring, ...always } = built;
  const images = isMeasured(paths, LOCAL) ? { ...always, monitoring } : always;
  const given = settingAt(stackConfig(paths, LOCAL), "proxy.port");
  const port = typeof given === "number" ? given : await claimPort(paths.root);
  return [
    ...missing(document, generateLocal({ port, images, existing: presentPaths(document) })),
    ...outdatedImages(document, generateLocal({ port, images })),
  ];
}
