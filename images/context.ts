import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fillContext } from "../cli/setup/images.ts";
import { IMAGES, type ImageName } from "../cli/setup/images-tags.ts";

/**
 * Makes the folder that one of Drydock's images is built from, for who builds and pushes it: `npx tsx images/context.ts
 * NAME FOLDER`, then `docker build`. The folder has to be empty or not there. Packages come from wherever the base
 * image has them from.
 */
async function main([name = "", folder = ""]: readonly string[]): Promise<number> {
  if (!(IMAGES as readonly string[]).includes(name) || folder === "") {
    process.stderr.write(`usage: npx tsx images/context.ts ${IMAGES.join("|")} FOLDER\n`);
    return 2;
  }
  const context = resolve(folder);
  if (existsSync(context) && readdirSync(context).length > 0) {
    process.stderr.write(
      `${context} is not empty, and nothing is written over what is there\n  remedy: name another folder\n`,
    );
    return 3;
  }
  await fillContext(name as ImageName, context);
  // The build names it; nothing of this machine's own settings belongs into it.
  writeFileSync(join(context, "apt.conf"), "// packages come from the base image's own sources\n");
  const base = name === "base" ? "" : " --build-arg BASE=debian:forky-slim";
  process.stdout.write(`docker build${base} --tag REGISTRY/drydock-${name}:VERSION ${context}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
