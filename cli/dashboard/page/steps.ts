/** A step of a release, as people are told of it. */
export interface Step {
  readonly id: string;
  readonly title: string;
  /** What it waits for while it runs, or does. */
  readonly does: string;
  /** Steps that are over before it begins. */
  readonly after: readonly string[];
  /** Where it is drawn: its row from the top, and its place among those in the row. */
  readonly row: number;
}

/** A release as README.md draws it: in the order in which it is drawn. The program's own graph holds each arrow. */
export const STEPS: readonly Step[] = [
  { id: "image", title: "image", does: "pulled or built, and looked into", after: [], row: 0 },
  { id: "servers", title: "database, Redis", does: "until they are healthy", after: [], row: 0 },
  {
    id: "backup",
    title: "backup",
    does: "a backup that is restored to prove it, where a migration is pending",
    after: ["image", "servers"],
    row: 1,
  },
  {
    id: "migrate",
    title: "migrate",
    does: "a one-off container of the new image, under a lock",
    after: ["backup"],
    row: 2,
  },
  { id: "assets", title: "public assets", does: "added to those of earlier releases", after: ["migrate"], row: 3 },
  { id: "replicas", title: "replicas", does: "until all new ones are healthy", after: ["assets"], row: 4 },
  { id: "switch", title: "switch", does: "nginx: written, tested, reloaded, proven", after: ["replicas"], row: 5 },
  { id: "drained", title: "drained", does: "until no request goes to the old replicas", after: ["switch"], row: 6 },
  { id: "opcache", title: "OPcache", does: "proven fresh in every replica", after: ["switch"], row: 6 },
  {
    id: "workers",
    title: "Horizon, workers",
    does: "Horizon and workers: new ones are healthy",
    after: ["switch"],
    row: 6,
  },
  { id: "scheduler", title: "scheduler", does: "exactly one: the old one goes first", after: ["switch"], row: 6 },
  {
    id: "verify",
    title: "verify",
    does: "requests through the proxy, every role's environment",
    after: ["opcache", "workers", "scheduler"],
    row: 7,
  },
  { id: "record", title: "record", does: "what was released, for a way back", after: ["verify"], row: 8 },
  {
    id: "old",
    title: "old replicas go",
    does: "until they have finished what they do",
    after: ["record", "drained"],
    row: 9,
  },
];

/** All steps that come before one, directly or not. */
export function before(id: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (one: string): void => {
    for (const earlier of STEPS.find((step) => step.id === one)?.after ?? [])
      if (!found.has(earlier)) {
        found.add(earlier);
        visit(earlier);
      }
  };
  visit(id);
  return found;
}
