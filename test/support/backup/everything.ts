import type { Rig } from "./rig.ts";

/** A schema with a table of every kind, and everything else that a schema of MariaDB may hold. */
export const EVERYTHING = `
CREATE TABLE plain (id INT PRIMARY KEY, body TEXT, data BLOB);
INSERT INTO plain SELECT seq, CONCAT('row ', seq), UNHEX(SHA2(seq, 256)) FROM seq_1_to_500;
CREATE TABLE versioned (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
INSERT INTO versioned VALUES (1, 1), (2, 2);
UPDATE versioned SET v = 9 WHERE id = 1;
DELETE FROM versioned WHERE id = 2;
CREATE TABLE parted (id INT, y INT, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION low VALUES LESS THAN (10),
  PARTITION high VALUES LESS THAN MAXVALUE);
INSERT INTO parted VALUES (1, 1), (2, 20);
CREATE TABLE in_aria (id INT PRIMARY KEY, v VARCHAR(10)) ENGINE=Aria;
INSERT INTO in_aria VALUES (1, 'x');
CREATE TABLE in_myisam (id INT PRIMARY KEY, v VARCHAR(10)) ENGINE=MyISAM;
INSERT INTO in_myisam VALUES (1, 'x');
CREATE TABLE in_memory (id INT PRIMARY KEY, v VARCHAR(10)) ENGINE=MEMORY;
INSERT INTO in_memory VALUES (1, 'x'), (2, 'y');
CREATE TABLE generated (id INT PRIMARY KEY, a INT, b INT AS (a * 2) STORED, c INT AS (a + 1) VIRTUAL,
  made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
INSERT INTO generated (id, a) VALUES (1, 5);
CREATE TABLE generated_versioned (id INT PRIMARY KEY, a INT, c INT AS (a + 1) VIRTUAL) WITH SYSTEM VERSIONING;
INSERT INTO generated_versioned (id, a) VALUES (1, 5), (2, 6);
UPDATE generated_versioned SET a = 7 WHERE id = 1;
CREATE TABLE keyless (a INT, b TEXT);
INSERT INTO keyless VALUES (1, 'x'), (1, 'x');
CREATE TABLE parent (id INT PRIMARY KEY);
CREATE TABLE child (id INT PRIMARY KEY, parent_id INT,
  CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent (id));
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1);
CREATE TABLE \`odd \`\`name' "x" ; -- \u65e5\` (id INT PRIMARY KEY, \`a b\` TEXT);
INSERT INTO \`odd \`\`name' "x" ; -- \u65e5\` VALUES (1, 'odd');
CREATE TABLE \`__proto__\` (id INT PRIMARY KEY, \`constructor\` TEXT);
INSERT INTO \`__proto__\` VALUES (1, 'x');
CREATE TABLE \`constructor\` (\`__proto__\` INT PRIMARY KEY);
INSERT INTO \`constructor\` VALUES (1), (2);
CREATE SEQUENCE \`valueOf\` START WITH 5;
CREATE VIEW \`toString\` AS SELECT \`constructor\` FROM \`__proto__\`;
CREATE PROCEDURE \`__proto__\`() SELECT 1;
CREATE TABLE migrations (id INT PRIMARY KEY, migration VARCHAR(100), batch INT);
INSERT INTO migrations VALUES (1, '2026_01_01_000001_create', 1);
CREATE SEQUENCE counter START WITH 100 INCREMENT BY 10 CACHE 5;
DO NEXTVAL(counter);
CREATE VIEW simple AS SELECT id, body FROM plain WHERE id < 10;
CREATE DEFINER=shop_user@'%' VIEW of_the_application AS SELECT body FROM plain;
CREATE DEFINER=nobody@'%' VIEW of_nobody AS SELECT id FROM plain;
CREATE TRIGGER trimmed /* why */ BEFORE INSERT ON plain FOR EACH ROW SET NEW.body = /* it's ; */ TRIM(NEW.body);
CREATE DEFINER=nobody@'%' TRIGGER of_nobody_too BEFORE UPDATE ON parted FOR EACH ROW SET NEW.y = NEW.y;
CREATE PROCEDURE doing_nothing() SELECT 1;
CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;
CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DISABLE DO SET @a = /* one */ 1;
`;

/**
 * Every object of a schema and what is in it, each in one text; names and bodies don't say in which schema they are. In
 * two questions, for each starts a client.
 */
export function describeSchema(rig: Pick<Rig, "sql">, schema: string): Record<string, string> {
  const where = `table_schema = '${schema}'`;
  const listed = rig.sql(
    `SELECT table_name, table_type FROM information_schema.tables WHERE ${where} AND table_type <> 'VIEW'`,
    schema,
  );
  const tables = listed.split("\n").map((line) => line.split("\t") as [string, string]);
  const marked = (name: string, statement: string): string =>
    `SELECT '## ${name.replaceAll("'", "''")}'; ${statement};`;
  const questions = tables.flatMap(([name, type]) => {
    const at = `\`${name.replaceAll("`", "``")}\``;
    // CHECKSUM TABLE of a table with a virtual column is not always the same.
    const content = name.startsWith("generated")
      ? `SELECT * FROM ${at} ORDER BY id`
      : type === "SEQUENCE"
        ? `SELECT next_not_cached_value FROM ${at}`
        : `SELECT COUNT(*) FROM ${at}; CHECKSUM TABLE ${at}`;
    const history = `SELECT *, row_start, row_end FROM ${at} FOR SYSTEM_TIME ALL ORDER BY row_start, row_end, 1`;
    return [
      marked(`table ${name} as made`, `SHOW CREATE TABLE ${at}`),
      marked(`table ${name}`, content),
      ...(type === "SYSTEM VERSIONED" ? [marked(`table ${name} of all times`, history)] : []),
    ];
  });
  const others = [
    marked(
      "views",
      `SELECT table_name, view_definition, definer, security_type FROM information_schema.views WHERE ${where} ` +
        "ORDER BY 1",
    ),
    marked(
      "triggers",
      "SELECT trigger_name, event_manipulation, event_object_table, action_statement, " +
        `definer FROM information_schema.triggers WHERE trigger_schema = '${schema}' ORDER BY 1`,
    ),
    marked(
      "routines",
      "SELECT routine_name, routine_type, routine_definition, definer FROM information_schema.routines WHERE " +
        `routine_schema = '${schema}' ORDER BY 1`,
    ),
    marked(
      "events",
      "SELECT event_name, event_definition, definer, status, interval_value FROM information_schema.events WHERE " +
        `event_schema = '${schema}' ORDER BY 1`,
    ),
  ];
  const own = (text: string): string => text.replaceAll(`\`${schema}\`.`, "").replaceAll(`${schema}.`, "");
  const found: Record<string, string> = {};
  for (const part of rig
    .sql([...questions, ...others].join("\n"), schema)
    .split("## ")
    .slice(1)) {
    const [name = "", ...lines] = part.trimEnd().split("\n");
    if (name.includes(" ")) found[name] = own(lines.join("\n"));
    else for (const line of lines) found[`${name.slice(0, -1)} ${line.split("\t")[0]}`] = own(line);
  }
  return found;
}
