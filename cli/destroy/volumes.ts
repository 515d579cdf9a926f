import { rmSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, writeAtomically } from "../../lib/stateFiles.ts";
import type { Paths } from "../shared/project.ts";
import type { Deployment } from "../shared/stack.ts";

/** The names of a stack's volumes on the Docker host: all, or only those with data, which are protected. */
export function volumesOf({ resources }: Deployment, onlyProtected: boolean): readonly string[] {
  return resources
    .filter(({ type, protect }) => type === "docker:index/volume:Volume" && (protect === true || !onlyProtected))
    .flatMap(({ id, outputs }) => (typeof outputs?.name === "string" ? outputs.name : id) ?? []);
}

type Where = Pick<Paths, "folder">;
const fileOf = ({ folder }: Where, stack: string): string => join(folder, `${stack}.volumes.json`);

/** Volumes whose data an earlier `destroy --volumes` was to delete, and did not come to. */
export function unfinished(paths: Where, stack: string): readonly string[] {
  const known = readIfThere(fileOf(paths, stack));
  return known === undefined ? [] : (JSON.parse(known.toString()) as string[]);
}

/** Writes down whose data is to be deleted, before Pulumi forgets them: they are deleted last. */
export function rememberVolumes(paths: Where, stack: string, names: readonly string[]): void {
  writeAtomically(fileOf(paths, stack), JSON.stringify(names));
}

export function forgetVolumes(paths: Where, stack: string): void {
  rmSync(fileOf(paths, stack), { force: true });
}
