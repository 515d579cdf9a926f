/** A database server's program. */
export interface ServerVersion {
  readonly engine: "mariadb" | "mysql";
  /** Such as [11, 8]. */
  readonly series: readonly [number, number];
  /** Such as 11.8.9. */
  readonly version: string;
}

/**
 * Reads what `mariadbd --version`, `SELECT VERSION()` or the server's own file in its data say: 11.8.9-MariaDB-2,
 * 8.4.3.
 */
export function versionIn(said: string, engine?: ServerVersion["engine"]): ServerVersion | undefined {
  const [, version, major, minor] = /(?<![\d.])((\d+)\.(\d+)\.\d+)/.exec(said) ?? [];
  if (version === undefined) return undefined;
  return {
    engine: engine ?? (/mariadb/i.test(said) ? "mariadb" : "mysql"),
    series: [Number(major), Number(minor)],
    version,
  };
}

const NAMES = { mariadb: "MariaDB", mysql: "MySQL" } as const;
export const shownVersion = ({ engine, version }: ServerVersion): string => `${NAMES[engine]} ${version}`;

const compare = ([a, b]: ServerVersion["series"], [c, d]: ServerVersion["series"]): number => a - c || b - d;

/**
 * MySQL's series with support of years: none of them may be left out on the way up, for only the next one reads the
 * data.
 */
const STEPS: readonly ServerVersion["series"][] = [
  [5, 7],
  [8, 0],
  [8, 4],
];

/** What becomes of data that one server has written, with another; `refused` says why it can't be obtained. */
export type Transition = { readonly kind: "same" | "upgrade" } | { readonly kind: "refused"; readonly why: string };

export function transition(data: ServerVersion, server: ServerVersion): Transition {
  const [from, to] = [shownVersion(data), shownVersion(server)];
  if (data.engine !== server.engine)
    return { kind: "refused", why: `the data was written by ${from}, and ${to} can't read it` };
  const order = compare(data.series, server.series);
  if (order === 0) return { kind: "same" };
  if (order > 0) return { kind: "refused", why: `the data was written by ${from}, and the older ${to} can't read it` };
  const step =
    data.engine === "mysql"
      ? STEPS.find((one) => compare(data.series, one) < 0 && compare(one, server.series) < 0)
      : undefined;
  return step === undefined
    ? { kind: "upgrade" }
    : {
        kind: "refused",
        why:
          `${to} can't read what ${from} has written: first an image of MySQL ${step.join(".")}, ` +
          "and an `up` with it",
      };
}
