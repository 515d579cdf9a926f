import { outdated, type Release } from "./release.ts";

/** How many different images of a stack are kept for a way back. */
export const KEEP = 5;

/**
 * The repository of the tags that keep images; a tag is the name of the stack's records volume, a hyphen, and 12 digits
 * of the image's id.
 */
export const KEPT = "drydock/kept";

export const keptTag = (volume: string, id: string): string =>
  `${KEPT}:${volume}-${id.replace(/^sha256:/, "").slice(0, 12)}`;

/** An image as the engine has it. */
export interface Present {
  readonly id: string;
  /** All its names: tags and digests. */
  readonly names: readonly string[];
}

/** What is taken away: the stack's own tag, and the image's name where nobody else keeps it. */
export interface Removal {
  readonly image: string;
  readonly names: readonly string[];
}

/**
 * The images of a stack that are too old to go back to. One that a container uses, running or not, stays; one that
 * another stack keeps loses only this stack's tag.
 *
 * @param used ids of the images of all containers on the engine
 */
export function removals(
  releases: readonly Release[],
  volume: string,
  present: readonly Present[],
  used: ReadonlySet<string>,
): Removal[] {
  const old = outdated(releases, KEEP);
  const kept = new Set(releases.filter(({ image }) => !old.some((one) => one.image === image)).map(({ id }) => id));
  return old.flatMap(({ image, id }) => {
    const found = present.find((one) => one.id === id);
    if (found === undefined || used.has(id) || kept.has(id)) return [];
    const own = keptTag(volume, id);
    const elsewhere = found.names.some((name) => name.startsWith(`${KEPT}:`) && name !== own);
    const names = [own, ...(elsewhere ? [] : [image])].filter((name) => found.names.includes(name));
    return names.length === 0 ? [] : [{ image, names }];
  });
}
