import { LOCAL } from "../project.ts";
import type { Session } from "../session.ts";
import { at, stackConfig } from "../stack.ts";
import type { ImageReferences } from "./images.ts";
import { freePort } from "./port.ts";
import { missing, outdatedImages, presentPaths, readStackFile, writeEntries } from "./stackFile.ts";

/**
 * Makes Pulumi.local.yaml complete: all of it at the first `up`, later a secret that is missing and the tags of the images that are built here.
 * Says what it changed.
 */
export async function ensureLocalFile({ pulumi, paths }: Session, images: ImageReferences, log: (line: string) => void): Promise<void> {
  const { generateLocal } = await import("../../config/local.ts");
  const document = readStackFile(paths.stackFile(LOCAL));
  const given = at(stackConfig(paths, LOCAL), "proxy.port");
  const port = typeof given === "number" ? given : await freePort();
  const wanted = generateLocal({ port, images, existing: [] });
  const absent = missing(document, generateLocal({ port, images, existing: presentPaths(document) }));
  const outdated = outdatedImages(document, wanted);
  if (absent.length > 0) log(`Pulumi.${LOCAL}.yaml: generating ${absent.length} values, ${absent.filter(({ secret }) => secret).length} of them secrets`);
  for (const { path, value } of outdated) log(`Pulumi.${LOCAL}.yaml: ${path} is ${value} now`);
  await writeEntries(pulumi, paths, LOCAL, document, [...absent, ...outdated]);
}
