import fc from "fast-check";
import { readSchema } from "../../../cli/backup/objects.ts";
import { type Database, query, quoted, text } from "../../../cli/backup/sql.ts";
import { name } from "./names.ts";

/** What an application makes in its schema, under names that somebody chose. */
export interface Content {
  readonly tables: readonly {
    readonly name: string;
    readonly column: string;
    readonly kind: string;
    readonly trigger: string | undefined;
  }[];
  readonly views: readonly string[];
  readonly routines: readonly string[];
  readonly events: readonly string[];
}

export const KINDS = [
  "ENGINE=InnoDB",
  "ENGINE=MyISAM",
  "WITH SYSTEM VERSIONING",
  "PARTITION BY HASH (id) PARTITIONS 2",
  "ENGINE=Aria",
] as const;

export const content: fc.Arbitrary<Content> = fc.record({
  tables: fc.array(
    fc.record({
      name: name(),
      column: name(60),
      kind: fc.constantFrom(...KINDS),
      trigger: fc.option(name(), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  views: fc.array(name(), { maxLength: 3 }),
  routines: fc.array(name(), { maxLength: 2 }),
  events: fc.array(name(), { maxLength: 2 }),
});

/** Tables, triggers, views, routines and events under all of these names. */
export const underAll = (names: readonly string[], views: readonly string[]): Content => ({
  tables: names.map((name, index) => ({
    name,
    column: name.slice(0, 60),
    kind: KINDS[index % KINDS.length]!,
    trigger: name,
  })),
  // A view can't be called as a table is.
  views: views.filter((view) => !names.includes(view)),
  routines: names,
  events: names,
});

/**
 * Makes it, as far as the server takes the names; a text in each object and each row says which schema it was made in.
 */
export async function make(
  server: Database,
  schema: string,
  mark: string,
  { tables, views, routines, events }: Content,
): Promise<void> {
  await query(server, `CREATE DATABASE IF NOT EXISTS ${quoted(schema)}`);
  const all = [
    "CREATE TABLE plain (id INT)",
    ...tables.flatMap(({ name, column, kind, trigger }) => [
      `CREATE TABLE ${quoted(name)} (id INT PRIMARY KEY, ${quoted(`c${column}`)} VARCHAR(80)) ${kind}`,
      `INSERT INTO ${quoted(name)} VALUES (1, ${text(mark)})`,
      ...(trigger === undefined
        ? []
        : [
            `CREATE TRIGGER ${quoted(trigger)} -- it's\nBEFORE UPDATE ON ${quoted(name)} ` +
              `/* ${mark} */ FOR /* * */ EACH ROW SET NEW.id = /* ` +
              `${mark} '";; */ NEW.id`,
          ]),
    ]),
    ...views.map(
      (view) =>
        `CREATE VIEW ${quoted(view)} AS SELECT id AS ${quoted(`v${view.slice(0, 60)}`)}, ` +
        `${text(mark)} AS m FROM ${quoted(tables[0]!.name)}`,
    ),
    ...routines.flatMap((routine, index) => [
      `CREATE ${index % 2 === 0 ? "PROCEDURE" : "FUNCTION"} ${quoted(routine)}() ` +
        `${index % 2 === 0 ? "" : "RETURNS TEXT DETERMINISTIC RETURN"} ` +
        `${index % 2 === 0 ? `/* it's */ SELECT '${mark}', ';;\r\n -- it''s'` : `CONCAT('${mark}', ";;")`}`,
    ]),
    ...events.map(
      (event) =>
        `CREATE EVENT ${quoted(event)} ON SCHEDULE EVERY 1 DAY COMMENT '${mark} it''s' DO /* ${mark} */ ` +
        `SET @a = '${mark} ON COMPLETION NOT PRESERVE ENABLE DO'`,
    ),
  ];
  await query(server, `USE ${quoted(schema)};\nDELIMITER drydock_end\n${all.join("\ndrydock_end\n")}\ndrydock_end`, {
    force: true,
  });
}

/** All of a schema: tables with their rows and how they are made, and all else; without the schema's own name. */
export interface Picture {
  readonly rows: readonly unknown[];
  readonly problems: readonly string[];
  readonly objects: readonly string[];
}

export async function picture(server: Database, schema: string): Promise<Picture> {
  const { tables, objects, problems } = await readSchema(server, schema);
  const looks = tables.map(
    ({ name }) =>
      `SELECT 'table', ${text(name)}; SHOW CREATE TABLE ${quoted(schema)}.${quoted(name)}; ` +
      `CHECKSUM TABLE ${quoted(schema)}.${quoted(name)}; SELECT * FROM ${quoted(schema)}.${quoted(name)};`,
  );
  const kinds = tables.map(({ name, kind }) => `${kind} ${name}`);
  const rows = [
    ...kinds,
    ...(await query(server, looks.join("\n"))).map((row) => row.join("|").replaceAll(`${schema}.`, "")),
  ];
  return { rows, problems, objects: objects.map((object) => JSON.stringify(object)).sort() };
}
