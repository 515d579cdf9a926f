import type { Container } from "./container.ts";
import { isUnknown } from "./values.ts";

export type EngineFamily = "mysql" | "postgres" | "mssql";

/** The family of servers that a Laravel driver talks to; SQLite talks to none. */
export function familyOf(connection: string): EngineFamily | undefined {
  return ({ mysql: "mysql", mariadb: "mysql", pgsql: "postgres", sqlsrv: "mssql" } as const)[connection];
}

const MARKS: readonly (readonly [RegExp, EngineFamily])[] = [
  [/mysql|mariadb|percona/i, "mysql"],
  [/postgres|pgsql|postgis|timescale/i, "postgres"],
  [/mssql|sqlserver/i, "mssql"],
];

/**
 * What a database container runs, by its image, else by its command, its data folder and the names of its variables.
 */
export function engineFamily(container: Container): EngineFamily | undefined {
  const image = container.image.value;
  const hints = [
    isUnknown(image) ? "" : ((image ?? "").split("/").pop() ?? ""),
    ...container.commandLine.known.map(({ value }) => value),
    ...container.mounts.known.map(({ value }) => (typeof value.target === "string" ? value.target : "")),
    ...container.env.variables.map(({ key }) => key),
  ];
  for (const hint of hints) {
    const mark = MARKS.find(([pattern]) => pattern.test(hint));
    if (mark !== undefined) return mark[1];
  }
  return undefined;
}
