import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { Judge } from "../../../migrations/classify.ts";
import { describePlan, planMigrations, refusal } from "../../../migrations/plan.ts";
import { clauses, Reader, tokens, withoutValues } from "../../../migrations/sql.ts";

/** A statement, and what is shown and kept of it. */
const CASES: readonly (readonly [what: string, sql: string, shown: string])[] = [
  ["a text", "update `users` set `password` = 'hunter2'", "update `users` set `password` = '…'"],
  ["one in double quotes", 'update users set a = "hunter2"', "update users set a = '…'"],
  ["an escaped quote", String.raw`insert into t values ('it\'s hunter2', 'x')`, "insert into t values ('…', '…')"],
  ["a doubled quote", "insert into t values ('it''s hunter2', 'x')", "insert into t values ('…', '…')"],
  ["two escaped quotes", String.raw`insert into t values ('O\'Reilly', 'O\'Neil')`, "insert into t values ('…', '…')"],
  [
    "an escaped backslash before the end",
    String.raw`insert into t values ('C:\\', 'hunter2')`,
    "insert into t values ('…', '…')",
  ],
  [
    "a backslash that escapes nothing",
    String.raw`insert into t values ('C:\', 'hunter2')`,
    "insert into t values ('…', '…')",
  ],
  ["quotes of the other kind", `insert into t values ("it's", '"hunter2"')`, "insert into t values ('…', '…')"],
  ["a text over two lines", "insert into t values ('a\nhunter2')", "insert into t values ('…')"],
  ["a hexadecimal text", "insert into t values (x'68756e74', X'6572')", "insert into t values (x'…', X'…')"],
  ["a hexadecimal number", "insert into t values (0x68756e746572, 0b1010)", "insert into t values (?, ?)"],
  [
    "a text with its character set",
    "insert into t values (_utf8mb4'hunter2', N'hunter2')",
    "insert into t values (_utf8mb4'…', N'…')",
  ],
  [
    "numbers",
    "update t set pin = 4711, x = -1.5e3, y = .5 where id = 12",
    "update t set pin = ?, x = -?, y = ? where id = ?",
  ],
  ["names with digits", "select a1 from `table2` where b_3 = c4", "select a1 from `table2` where b_3 = c4"],
  [
    "a text between dollars",
    "create function f() returns text as $js$ return 'hunter2' $js$",
    "create function f() returns text as '…'",
  ],
  ["one without a tag", "select $$hunter2$$", "select '…'"],
  ["dollars in a name", "select a$b$c, `$d$` from t", "select a$b$c, `$d$` from t"],
  ["dollars in a text", "insert into t values ('$HOME $$ $1')", "insert into t values ('…')"],
  ["comments", "select 1 /* hunter2 */ from t -- hunter2\n where a = b # hunter2", "select ? from t where a = b"],
  [
    "a comment that is a text",
    "insert into t values ('-- hunter2', '/* ', 'hunter2 */')",
    "insert into t values ('…', '…', '…')",
  ],
  ["a comment that is run", "/*!50100 insert into t values ('hunter2') */", "insert into t values ('…')"],
  ["bindings", "insert into t (a, b) values (?, :name)", "insert into t (a, b) values (?, :name)"],
  [
    "other alphabets",
    "update `größe` set `имя` = '密码 hunter2 🔑' where größe = 'ü'",
    "update `größe` set `имя` = '…' where größe = '…'",
  ],
  ["a backtick in a name", "update `a``b'` set c = 'hunter2'", "update `a``b'` set c = '…'"],
  ["an account's password", "create user 'shop'@'%' identified by 'hunter2'", "create user '…'@'…' identified by '…'"],
  ["a password that is set", "SET PASSWORD FOR shop = PASSWORD('hunter2')", "SET PASSWORD FOR shop = PASSWORD('…')"],
  [
    "a default and a comment",
    "alter table t add a varchar(20) not null default 'hunter2' comment 'hunter2'",
    "alter table t add a varchar(20) not null default '…' comment '…'",
  ],
  [
    "types, which are the schema",
    "create table t (a decimal(10, 2), b enum('new', 'old') default 'new', c set('x'))",
    "create table t (a decimal(10, 2), b enum('new', 'old') default '…', c set('x'))",
  ],
  [
    "a table made of rows",
    "create table t as select * from u where pin = 4711",
    "create table t as select * from u where pin = ?",
  ],
  [
    "a trigger's numbers",
    "create trigger t before insert on u for each row set new.pin = 4711",
    "create trigger t before insert on u for each row set new.pin = ?",
  ],
  ["a text that is left open", "insert into t values ('hunter2", "insert … (it can't be read)"],
  ["a comment that is left open", "insert into t values (1) /* hunter2", "insert … (it can't be read)"],
  ["a name that is left open", "update `hunter2 set a = 1", "update … (it can't be read)"],
  ["nothing", "", "… (it can't be read)"],
];

describe("a statement without its values", () => {
  for (const [what, sql, shown] of CASES.slice(0, -1)) {
    it(`hides ${what}`, () => {
      assert.equal(withoutValues(sql), shown);
      assert.equal(withoutValues(shown), shown, "once more changes nothing");
    });
  }

  it("keeps the words of an enum alone, and only where a table is described", () => {
    assert.equal(
      withoutValues("alter table t add a enum('x') default 'y', add b varchar(9) default ('z')"),
      "alter table t add a enum('x') default '…', add b varchar(9) default ('…')",
    );
    assert.equal(withoutValues("update t set a = set('x')"), "update t set a = set('…')");
    assert.equal(
      withoutValues("alter table t partition by list (a) (partition p values in ('x'))"),
      "alter table t partition by list (a) (partition p values in ('…'))",
    );
    assert.equal(withoutValues("  update t set a = 'x'  "), "update t set a = '…'");
    assert.equal(withoutValues("create unique index i on t (a(10))"), "create unique index i on t (a(10))");
    assert.equal(withoutValues("drop table t1, `2`"), "drop table t1, `2`");
    assert.equal(withoutValues("rename table a to b2"), "rename table a to b2");
  });

  it("reads words, names, texts and numbers as what they are", () => {
    assert.deepEqual(tokens("Alter TABLE `A``b` add x1 int(10) default 'It''s' -- gone\n, 0x1F"), [
      { kind: "word", value: "alter" },
      { kind: "word", value: "table" },
      { kind: "name", value: "a`b" },
      { kind: "word", value: "add" },
      { kind: "word", value: "x1" },
      { kind: "word", value: "int" },
      { kind: "mark", value: "(" },
      { kind: "mark", value: "10" },
      { kind: "mark", value: ")" },
      { kind: "word", value: "default" },
      { kind: "text", value: "'It''s'" },
      { kind: "mark", value: "," },
      { kind: "mark", value: "0x1F" },
    ]);
    assert.deepEqual(
      clauses(tokens("a, b(1, 2), c")).map((part) => part.map(({ value }) => value).join("")),
      ["a", "b(1,2)", "c"],
    );
    const reader = new Reader(tokens("on `s`.`t` (`a`, b) using btree"));
    assert.deepEqual(
      [
        reader.skip("using"),
        reader.skip("on"),
        reader.name(),
        reader.names(),
        reader.has("using", "btree"),
        reader.has("btree", "using"),
      ],
      [false, true, "t", ["a", "b"], true, false],
    );
    assert.deepEqual(
      [
        new Reader(tokens("1")).name(),
        new Reader(tokens("a")).oneOf("b", "a"),
        new Reader(tokens("a b")).skip("a", "c"),
      ],
      [undefined, "a", false],
    );
  });

  it("judges nothing by halves that it can't read", () => {
    for (const sql of [
      "alter table `users` add `a` int null, comment 'it",
      "update `users` set `a` = 'x\\', b = 'y'",
      "insert into t values (1) /*",
    ]) {
      assert.equal(new Judge().judge(sql).verdict, "unknown", sql);
    }
  });

  it("shows no text, however it is quoted, where it stands and what it holds", () => {
    const secret = "Tr0ub4dor";
    const quoted = [
      (value: string) => `'${value.replace(/[\\']/g, "\\$&")}'`,
      (value: string) => `'${value.replace(/[\\]/g, "\\$&").replaceAll("'", "''")}'`,
      (value: string) => `"${value.replace(/[\\"]/g, "\\$&")}"`,
      // With NO_BACKSLASH_ESCAPES.
      (value: string) => `'${value.replaceAll("'", "''")}'`,
    ];
    const piece = fc.constantFrom(
      "'",
      '"',
      "`",
      "\\",
      "--",
      " ",
      "#",
      "/*",
      "*/",
      "$$",
      "\n",
      ",",
      "ü",
      "🔑",
      ")",
      "0x",
      "x",
    );
    const value = fc
      .tuple(fc.array(piece, { maxLength: 5 }), fc.array(piece, { maxLength: 5 }))
      .map(([a, b]) => `${a.join("")}${secret}${b.join("")}`);
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.constantFrom(...quoted), (values, quote) => {
        const texts = values.map(quote);
        for (const sql of [
          `insert into \`t\` (\`a\`) values (${texts.join(", ")})`,
          `update t set a = ${texts.join(", b = ")} where c = ${texts[0]}`,
          `alter table t add a text default ${texts[0]} comment ${texts.at(-1)}`,
        ]) {
          assert.ok(!withoutValues(sql).includes(secret), `${sql}\n${withoutValues(sql)}`);
          const { reason = "" } = new Judge().judge(sql);
          assert.ok(!reason.includes(secret.toLowerCase()) && !reason.includes(secret), reason);
        }
      }),
      { numRuns: 600 },
    );
  });

  it("is what a release's plan and its refusal show", () => {
    const statements = [
      "update `users` set `password` = 'hunter2'",
      "alter table `users` drop `name`, comment 'hunter2'",
    ];
    const plan = planMigrations({ pending: ["m"], tables: 3, migrations: [{ name: "m", statements }] }, "refuse", []);
    const shown = [...describePlan(plan), refusal(plan.refused, "prod")].join("\n");
    assert.match(shown, /update `users` set `password` = '…'/);
    assert.ok(!shown.includes("hunter2"), shown);
  });
});
