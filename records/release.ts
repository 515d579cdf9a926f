import type { Migration } from "../migrations/plan.ts";

/** One release, as its line in the records' releases.jsonl; the newest is the last. */
export interface Release {
  /** 1, 2, 3, … on this stack. */
  readonly sequence: number;
  /** The id of image, environment and start-up together; also the containers' label `drydock.release`. */
  readonly release: string;
  /** The reference that was deployed. */
  readonly image: string;
  /** The image's id on the engine, `sha256:…`. */
  readonly id: string;
  /** Its digest in a registry, if it came from one. */
  readonly digest?: string | null;
  /** Hash of the environment, and of the settings without it. */
  readonly env: string;
  readonly settings: string;
  /** Who released it: user@host, and the commit of the project, with a `+` where it had changes. */
  readonly by: string;
  readonly commit?: string | null;
  /** When it was done, ISO 8601, in UTC. */
  readonly at: string;
  /** How long it took, where the command line released it. */
  readonly seconds?: number | null;
  /** Whether it was pinned by a rollback. */
  readonly pinned?: boolean;
  readonly migrations: {
    /** Names of those in the image. */
    readonly contained: readonly string[];
    /** Names of those that had run, with their batch. */
    readonly applied: Readonly<Record<string, number>>;
  };
  /** Requests through the proxy that proved the release. */
  readonly probes?: Probes | null;
}

interface Probes {
  readonly requests: number;
  readonly failed: number;
  readonly slowestMs?: number;
}

/** JSON lines; one that was cut off is left out. */
export function parseLines<T>(text: string): T[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as T];
      } catch {
        return [];
      }
    });
}

/** The releases, oldest first. A later line with the same sequence adds to the earlier one. */
export function parseReleases(text: string): Release[] {
  const found = new Map<number, Release>();
  for (const line of parseLines<Partial<Release>>(text)) {
    if (typeof line.sequence === "number")
      found.set(line.sequence, { ...found.get(line.sequence), ...line } as Release);
  }
  return [...found.values()]
    .filter(({ image, migrations }) => image !== undefined && migrations !== undefined)
    .sort((a, b) => a.sequence - b.sequence);
}

/** What is known of migrations by name; the last line of a name counts: it may have been fixed after it failed. */
export function parseMigrations(text: string): ReadonlyMap<string, Migration> {
  return new Map(
    parseLines<Migration>(text)
      .filter(({ name }) => typeof name === "string")
      .map((migration) => [migration.name, migration]),
  );
}

/**
 * The migrations that ran with a release, with their batch: those that had not run when the one before it was recorded.
 */
export function ranWith(releases: readonly Release[], release: Release): Readonly<Record<string, number>> {
  const before = releases.findLast(({ sequence }) => sequence < release.sequence)?.migrations.applied ?? {};
  return Object.fromEntries(
    Object.entries(release.migrations.applied).filter(([name, batch]) => before[name] !== batch),
  );
}

/** A release by its number, or by the beginning of its id. */
export function findRelease(releases: readonly Release[], id: string): Release | undefined {
  if (/^#?\d{1,6}$/.test(id)) {
    const found = releases.find(({ sequence }) => sequence === Number(id.replace("#", "")));
    if (found !== undefined) return found;
  }
  return id.length < 4 ? undefined : releases.findLast(({ release }) => release.startsWith(id));
}

/** The newest release before the last one that ran another image. */
export function previousRelease(releases: readonly Release[]): Release | undefined {
  const current = releases.at(-1);
  return current === undefined
    ? undefined
    : releases.findLast(({ image, id }) => image !== current.image && id !== current.id);
}

/** The images that are not among the last `keep` different ones, oldest first. */
export function outdated(releases: readonly Release[], keep: number): readonly Release[] {
  const newest = new Map<string, Release>();
  for (const release of releases.toReversed()) if (!newest.has(release.image)) newest.set(release.image, release);
  return [...newest.values()].slice(keep).reverse();
}
