import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { withLoader } from "../../../../cli/backup/loader.ts";
import { inTheWay, isSetAside } from "../../../../cli/backup/making.ts";
import {
  collate,
  definerOf,
  disabled,
  dropOf,
  isQualified,
  keyOf,
  labelOf,
  makeOf,
  moved,
  readSchema,
  type SchemaObject,
  withDefiner,
} from "../../../../cli/backup/objects.ts";
import { bytes, type Database, utf8 } from "../../../../cli/backup/sql.ts";
import { definersExist, ownedBy } from "../../../../cli/import/definers.ts";
import { Exit } from "../../../../cli/shared/errors.ts";
import { NAMES } from "../../../support/hostile/names.ts";

const WHO = "DEFINER=`shop`@`%`";
const object = (kind: SchemaObject["kind"], create: string, more: Partial<SchemaObject> = {}): SchemaObject => ({
  ...{ kind, name: "x", create: bytes(create), sqlMode: "ANSI_QUOTES", client: "utf8mb4" },
  ...{ connection: "utf8mb4_bin", schemaCollation: "utf8mb4_bin" },
  ...more,
});

/** A server that answers questions by a word in them, and keeps what it was asked. */
function answering(
  answers: readonly (readonly [part: string, rows: string])[],
  fails: (sql: string) => string | undefined = () => undefined,
): { readonly database: Database; readonly asked: string[]; readonly forced: boolean[] } {
  const asked: string[] = [];
  const forced: boolean[] = [];
  const run: Database["docker"]["run"] = async (args, options = {}) => {
    const sql = (options.input as Buffer).toString("utf8");
    asked.push(sql);
    forced.push(args.includes("--force"));
    const why = fails(sql);
    if (why !== undefined) return { code: 1, stdout: "", stderr: why };
    return { code: 0, stdout: bytes(answers.find(([part]) => sql.includes(part))?.[1] ?? ""), stderr: "" };
  };
  return { database: { docker: { env: {}, run }, container: "db", client: "mariadb" }, asked, forced };
}

describe("the SQL that makes an object", () => {
  it("drops one of that name, and makes it under the settings that it was made under", () => {
    const sql = utf8(
      makeOf(
        { name: "sh`op", collation: "utf8mb4_unicode_ci" },
        object("event", `CREATE ${WHO} EVENT \`x\` DO SELECT ';'`, { timeZone: "Europe/Berlin" }),
      ),
    );
    const [, end] = /^DELIMITER (z[0-9a-f]{14})$/m.exec(sql)!;
    assert.equal(
      sql,
      `USE \`sh\`\`op\`;
DROP EVENT IF EXISTS \`sh\`\`op\`.\`x\`;
ALTER DATABASE \`sh\`\`op\` COLLATE utf8mb4_bin;
SET sql_mode = X'${Buffer.from("ANSI_QUOTES").toString("hex")}';
SET time_zone = X'${Buffer.from("Europe/Berlin").toString("hex")}';
SET character_set_client = utf8mb4, collation_connection = utf8mb4_bin;
DELIMITER ${end}
CREATE ${WHO} EVENT \`x\` DO SELECT ';'
${end}
DELIMITER ;
SET NAMES utf8mb4, sql_mode = '';
ALTER DATABASE \`sh\`\`op\` COLLATE utf8mb4_unicode_ci;
`,
    );
  });

  it("ends with a word that is another each time", () => {
    const make = () => makeOf({ name: "shop", collation: "a" }, object("view", "CREATE VIEW `x` AS SELECT 1"));
    assert.notEqual(make(), make());
  });

  it("leaves the schema's collation alone for a view, for one of the same, and where either is no word", () => {
    const make = (collation: string, one: SchemaObject) => makeOf({ name: "shop", collation }, one);
    for (const sql of [
      make("a_ci", object("view", "CREATE VIEW `x` AS SELECT 1", { schemaCollation: "b_ci" })),
      make("a_ci", object("procedure", "", { schemaCollation: "a_ci" })),
      make("a_ci", object("procedure", "", { schemaCollation: "b_ci; DROP DATABASE shop" })),
      make("a_ci; DROP DATABASE shop", object("procedure", "", { schemaCollation: "b_ci" })),
    ])
      assert.doesNotMatch(sql, /ALTER|DROP DATABASE/);
    assert.equal(collate({ name: "sh`op", collation: "a_ci" }), "ALTER DATABASE `sh``op` COLLATE a_ci;\n");
    assert.equal(collate({ name: "shop", collation: "" }), "");
  });

  it("sets no character set that is no word", () => {
    const sql = makeOf({ name: "shop", collation: "a" }, object("view", "", { client: "x; DROP", connection: "" }));
    assert.match(sql, /SET character_set_client = binary, collation_connection = binary;/);
  });

  it("names what is dropped in the server's words", () => {
    assert.equal(dropOf("a`b", { kind: "package body", name: "c`d" }), "DROP PACKAGE BODY IF EXISTS `a``b`.`c``d`;");
    assert.equal(labelOf({ kind: "view", name: "a\nb" }), "view a\\u{a}b");
    assert.equal(keyOf({ kind: "view", name: "a\nb" }), "view a\nb");
  });
});

describe("what a schema has beside tables", () => {
  it("is set aside where it can't be moved with its table: triggers and events", () => {
    const kinds = ["trigger", "view", "procedure", "function", "package", "package body", "event"] as const;
    assert.deepEqual(
      kinds.filter((kind) => isSetAside(object(kind, ""))),
      ["trigger", "event"],
    );
  });

  it("is in the way where a view is called as a table that comes", () => {
    const schema = (objects: readonly SchemaObject[], tables: readonly string[]) => ({
      ...{ name: "s", collation: "c", problems: [], objects },
      tables: tables.map((name) => ({ name, kind: "BASE TABLE" as const })),
    });
    const all = [
      object("view", "", { name: "a" }),
      object("view", "", { name: "b" }),
      object("event", "", { name: "a" }),
    ];
    assert.deepEqual(inTheWay(schema(all, []), schema([], ["a", "c"])), [all[0]]);
  });

  it("names another schema where it named its own, whatever both are called", () => {
    const view = object("view", "CREATE VIEW `x` AS SELECT `shop_r`.`a` FROM `shop_r`.`t`, `shop_rest`.`t`");
    assert.equal(
      moved(view, "shop_r", "$&`").create,
      "CREATE VIEW `x` AS SELECT `$&```.`a` FROM `$&```.`t`, `shop_rest`.`t`",
    );
  });

  it("does nothing by itself any more, where it is an event", () => {
    const event = (state: string, tail = " DO SELECT 1") =>
      `CREATE ${WHO} EVENT \`e ON COMPLETION PRESERVE ENABLE\` ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' ` +
      `ON COMPLETION NOT PRESERVE ${state}${tail}`;
    for (const state of ["ENABLE", "DISABLE", "DISABLE ON SLAVE", "DISABLE ON REPLICA"])
      assert.equal(disabled(object("event", event(state)))?.create, event("DISABLE"), state);
    assert.equal(
      disabled(object("event", event("ENABLE", " COMMENT 'PRESERVE ENABLE' DO SELECT 'PRESERVE ENABLE '")))?.create,
      event("DISABLE", " COMMENT 'PRESERVE ENABLE' DO SELECT 'PRESERVE ENABLE '"),
    );
    assert.equal(disabled(object("event", `CREATE ${WHO} EVENT \`x\` DO 1`)), undefined);
  });

  it("is a view that names its schema, and can't be obtained elsewhere", () => {
    for (const [create, yes] of [
      ["CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`b` SQL SECURITY DEFINER VIEW `shop`.`v` AS SELECT 1", true],
      ['CREATE VIEW "sh""op" . "v" AS SELECT 1', true],
      ["CREATE VIEW shop.v AS SELECT 1", true],
      ["CREATE VIEW `v` AS SELECT 1 FROM `shop`.`t`", false],
      ["CREATE VIEW `v.w` AS SELECT 1", false],
      ["CREATE DEFINER=`a VIEW b.`@`%` SQL SECURITY INVOKER VIEW `v` AS SELECT ' VIEW a.b'", false],
    ] as const)
      assert.equal(isQualified(object("view", create)), yes, create);
  });
});

describe("whose rights an object runs with", () => {
  it("is read and written, whatever the account is called, and however the name is quoted", () => {
    const forms = fc.constantFrom("`", '"');
    const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "binary", minLength: 1 }));
    const quote = (text: string, sign: string) => sign + text.replaceAll(sign, sign + sign) + sign;
    fc.assert(
      fc.property(name, name, name, forms, (user, host, other, sign) => {
        const create = (who: string, where: string) =>
          `CREATE ALGORITHM=MERGE DEFINER=${quote(who, sign)}@${quote(where, sign)} SQL SECURITY DEFINER VIEW v AS ` +
          `SELECT 1 /* DEFINER=\`root\`@\`localhost\` */`;
        const one = object("view", create(user, host));
        assert.deepEqual(definerOf(one), { user, host });
        assert.equal(utf8(withDefiner(one, { user: other, host: "%" }).create), create(other, "%"));
      }),
      { numRuns: 200 },
    );
  });

  it("is nobody's where the text says none", () => {
    assert.equal(definerOf(object("view", "CREATE VIEW v AS SELECT 1 /* DEFINER=`a`@`b` */")), undefined);
    assert.deepEqual(definerOf(object("procedure", "CREATE DEFINER=shop@localhost PROCEDURE p() SELECT 1")), {
      user: "shop",
      host: "localhost",
    });
  });

  it("becomes the application's, of whatever was somebody else's, and only that", () => {
    const schema = { name: "s", collation: "c", tables: [], problems: [] };
    const mine = object("view", `CREATE ${WHO} VIEW v AS SELECT 1`);
    const [theirs, elsewhere] = ["`root\u001b`@`%`", "`shop`@`10.0.0.1`"].map((who) =>
      object("view", `CREATE DEFINER=${who} VIEW v AS SELECT 1`),
    );
    const { content, definers } = ownedBy(
      { ...schema, objects: [theirs!, mine, elsewhere!, object("view", "CREATE VIEW v AS SELECT 1")] },
      { user: "shop", host: "%" },
    );
    assert.deepEqual(definers, ["root\\u{1b}@%", "shop@10.0.0.1"]);
    assert.deepEqual(
      content.objects.map((one) => utf8(one.create)),
      [mine, mine, mine].map(({ create }) => create).concat("CREATE VIEW v AS SELECT 1"),
    );
  });

  it("has to be somebody whom the server knows", async () => {
    const objects = ["`a'b`@`%`", "`gone`@`h`", "`a'b`@`%`"].map((who) =>
      object("view", `CREATE DEFINER=${who} VIEW v AS SELECT 1`),
    );
    const schema = {
      name: "s",
      collation: "c",
      tables: [],
      problems: [],
      objects: [...objects, object("view", "CREATE")],
    };
    const { database, asked } = answering([[Buffer.from("a'b").toString("hex"), "1\n"]]);
    await assert.rejects(definersExist(database, schema), (error: { what: string; remedy: string; code: number }) => {
      assert.match(
        error.what,
        /belong to accounts that this server has not: gone@h; nothing that is live was touched$/,
      );
      assert.deepEqual(
        [error.remedy, error.code],
        ["without --keep-definers they become the application's", Exit.refused],
      );
      return true;
    });
    assert.equal(asked.length, 2);
    assert.equal(
      asked[1],
      "SELECT 1 FROM mysql.user WHERE user = CONVERT(X'676f6e65' USING utf8mb4) AND " +
        "CAST(user AS BINARY) = X'676f6e65' " +
        "AND host = CONVERT(X'68' USING utf8mb4)",
    );
    await definersExist(answering([["mysql.user", "1\n"]]).database, schema);
  });
});

describe("a schema as it is read", () => {
  const schemaOf = async (names: string, rows: string) => {
    const { database, asked, forced } = answering([
      ["default_collation_name", "utf8mb4_bin\n"],
      ["SELECT 'trigger'", names],
      [
        "table_name, table_type",
        "b\tBASE TABLE\nv\tSYSTEM VERSIONED\ns\tSEQUENCE\nview\tVIEW\nodd\\n\tTEMPORARY SEQUENCE\n",
      ],
      ["SHOW CREATE", rows],
    ]);
    return { schema: await readSchema(database, "sh`op"), asked, forced };
  };

  it("has tables, sequences, and what can't be moved in words", async () => {
    const { schema, asked } = await schemaOf("", "");
    assert.deepEqual(schema, {
      ...{ name: "sh`op", collation: "utf8mb4_bin", objects: [] },
      tables: [
        { name: "b", kind: "BASE TABLE" },
        { name: "v", kind: "SYSTEM VERSIONED" },
        { name: "s", kind: "SEQUENCE" },
      ],
      problems: ["odd\\u{a} is a temporary sequence, which can't be moved"],
    });
    assert.equal(asked.length, 3);
  });

  it("has each object with all that it was made under, and says which can't be read", async () => {
    const create = `CREATE ${WHO} TRIGGER \`shop\`.\`t\` BEFORE INSERT ON \`shop\`.\`b\` FOR EACH ROW SET @a = 1`;
    const { schema, asked, forced } = await schemaOf(
      "trigger\tt\tb\nview\tv\nprocedure\tp\nfunction\tf\nevent\te\ntrigger\tu\tb\nview\tw\nprocedure\tq\nevent\td\n",
      [
        "drydock-object\t0",
        `t\tANSI\t${create}\tutf8mb4\tc1\tc2\tmore`,
        "drydock-object\t1",
        "v\tCREATE VIEW v\tutf8mb3\tc1",
        "drydock-object\t2",
        "p\tM\tCREATE PROCEDURE p\tutf8mb4\tc1\tc2",
        // Without the right to see it.
        "drydock-object\t3",
        "f\tM\tNULL\tutf8mb4\tc1\tc2",
        "drydock-object\t4",
        "e\tM\tSYSTEM\tCREATE EVENT e\tutf8mb4\tc1\tc2",
        "drydock-object\t5",
        "u\tM\tCREATE TRIGGER written otherwise\tutf8mb4\tc1\tc2",
        "drydock-object\t6",
        "drydock-object\t7",
        "q\tM\tCREATE PROCEDURE q\tutf8mb4\tc1",
        "drydock-object\t8",
        "d\tM\tSYSTEM\tCREATE EVENT d\tutf8mb4\tc1",
        "",
      ].join("\n"),
    );
    const usual = { client: "utf8mb4", connection: "c1" };
    assert.deepEqual(schema.objects, [
      {
        ...{ kind: "trigger", name: "t", table: "b", sqlMode: "ANSI", ...usual, schemaCollation: "c2" },
        create: `CREATE ${WHO} TRIGGER \`t\` BEFORE INSERT ON \`b\` FOR EACH ROW SET @a = 1`,
      },
      { kind: "view", name: "v", create: "CREATE VIEW v", sqlMode: "", client: "utf8mb3", connection: "c1" },
      { kind: "procedure", name: "p", create: "CREATE PROCEDURE p", sqlMode: "M", ...usual, schemaCollation: "c2" },
      {
        ...{ kind: "event", name: "e", create: "CREATE EVENT e", sqlMode: "M", ...usual },
        ...{ schemaCollation: "c2", timeZone: "SYSTEM" },
      },
    ]);
    assert.deepEqual(schema.problems.slice(1), [
      "function f can't be read",
      "trigger u can't be moved: how it is written can't be understood",
      "view w can't be read",
      "procedure q can't be read",
      "event d can't be read",
    ]);
    assert.match(asked[3]!, /^USE `sh``op`; SET sql_mode = ''; SET character_set_results = NULL;\n/);
    assert.match(asked[3]!, /SELECT 'drydock-object', 0; SHOW CREATE TRIGGER `sh``op`.`t`;\n/);
    assert.deepEqual(forced, [false, false, false, true]);
  });
});

describe("an object that is hard to read", () => {
  const read = async (names: string, rows: readonly string[]) => {
    const { database } = answering([
      ["default_collation_name", "utf8mb4_bin\n"],
      ["SELECT 'trigger'", names],
      ["table_name, table_type", ""],
      ["SHOW CREATE", `${rows.join("\n")}\n`],
    ]);
    return await readSchema(database, "shop");
  };

  it("is itself, though it is called as what tells one from the next", async () => {
    const { objects, problems } = await read("view\tdrydock-object\nview\tv\n", [
      "drydock-object\t0",
      "drydock-object\tCREATE VIEW `drydock-object` AS SELECT 1\tutf8mb4\tc1",
      "drydock-object\t1",
      "v\tCREATE VIEW v\tutf8mb4\tc1",
    ]);
    assert.deepEqual(
      [objects.map(({ name, create }) => [name, create]), problems],
      [
        [
          ["drydock-object", "CREATE VIEW `drydock-object` AS SELECT 1"],
          ["v", "CREATE VIEW v"],
        ],
        [],
      ],
    );
  });

  it("is a problem where a column of it is missing, whichever", async () => {
    for (const [kind, row] of [
      ["view", "x"],
      ["view", "x\tCREATE VIEW x\tutf8mb4"],
      ["procedure", "x"],
      ["procedure", "x\tM"],
      ["procedure", "x\tM\tCREATE PROCEDURE x"],
      ["procedure", "x\tM\tCREATE PROCEDURE x\tutf8mb4"],
      ["procedure", "x\tM\tCREATE PROCEDURE x\tutf8mb4\tc1"],
    ] as const)
      assert.deepEqual(
        await read(`${kind}\tx\n`, ["drydock-object\t0", row]),
        { name: "shop", collation: "utf8mb4_bin", tables: [], objects: [], problems: [`${kind} x can't be read`] },
        row,
      );
  });

  it("is a trigger that was written in small letters, with lines, comments and other quotes", async () => {
    for (const head of [
      "trigger/* BEFORE INSERT ON x FOR */t before/**/insert on/***/b for each row",
      "trigger`t`before insert on`b`for each row",
      "trigger t -- it's\\n before # `\\n insert --\\n on b for /* * / */ each row",
      "trigger -- ON\\tx\\n`shop`.`t` after update on /* a */ `shop` /* b */ . /* c */ `b` /* d */ for each row",
      "trigger t before insert on b for each row",
      'TRIGGER "shop" . "t"\\n  AFTER\\tUPDATE ON "shop"."b"\\nFOR EACH ROW',
      "Trigger If Not Exists shop.t Before Delete On shop . b For Each Row",
    ]) {
      const { objects, problems } = await read("trigger\tt\tb\n", [
        "drydock-object\t0",
        `t\t\tCREATE ${WHO} ${head} SET @a = 1\tutf8mb4\tc1\tc2`,
      ]);
      assert.deepEqual(problems, [], head);
      assert.match(
        objects[0]!.create.replace(/\/\*.*?\*\/|#.*/g, " ").replace(/\s+/g, " "),
        /^CREATE DEFINER=\S+ trigger `t` (before|after) (insert|update|delete) on `b` ?for each row set @a = 1$/i,
      );
    }
  });
});

describe("the account that loads a backup", () => {
  const quiet = "SET SESSION sql_log_bin = 0;\n";

  it("may write to one schema alone, is in no binary log, and is gone afterwards", async () => {
    const { database, asked, forced } = answering([["@@log_bin", "0\n"]]);
    const account = await withLoader(database, "sh`op_r%", async (one) => {
      asked.push("work");
      return one;
    });
    assert.equal(account.user, "drydock_loader");
    assert.match(account.password, /^[0-9a-f]{48}$/);
    assert.deepEqual(asked, [
      `${quiet}DROP USER IF EXISTS drydock_loader@localhost; CREATE USER drydock_loader@localhost IDENTIFIED BY ` +
        `'${account.password}';\nGRANT SELECT, SHOW VIEW, EXECUTE ON *.* TO drydock_loader@localhost; ` +
        "GRANT ALL ON `sh``op\\_r\\%`.* TO drydock_loader@localhost;",
      `${quiet}GRANT SET USER ON *.* TO drydock_loader@localhost;\n` +
        "GRANT BINLOG ADMIN ON *.* TO drydock_loader@localhost;",
      "SELECT @@log_bin AND NOT @@log_bin_trust_function_creators",
      "work",
      `${quiet}DROP USER IF EXISTS drydock_loader@localhost;`,
    ]);
    assert.deepEqual(forced, [false, true, false, false]);
  });

  it("is gone where the work failed, too, and its end hides no cause", async () => {
    const { database, asked } = answering([["@@log_bin", "1\n"]], (sql) =>
      sql === `${quiet}DROP USER IF EXISTS drydock_loader@localhost;` ? "no" : undefined,
    );
    await assert.rejects(
      withLoader({ ...database, client: "mysql" }, "shop", async () => {
        throw new Error("the work");
      }),
      /^Error: the work$/,
    );
    assert.match(asked[1]!, /GRANT SET_ANY_DEFINER .*GRANT SYSTEM_USER ON \*\.\*/s);
    assert.equal(asked[3], `${quiet}GRANT SUPER ON *.* TO drydock_loader@localhost;`);
    assert.match(asked.at(-1)!, /DROP USER/);
  });
});
