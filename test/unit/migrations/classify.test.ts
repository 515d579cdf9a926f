import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Judge } from "../../../migrations/classify.ts";
import type { Columns } from "../../../migrations/columns.ts";
import { withoutValues } from "../../../migrations/sql.ts";
import { type Verdict, worst } from "../../../migrations/verdict.ts";

const columns: Columns = {
  users: {
    name: { type: "varchar(50)", nullable: true, hasDefault: false },
    email: { type: "varchar(255)", nullable: false, hasDefault: false },
    age: { type: "int(11)", nullable: false, hasDefault: true },
    total: { type: "decimal(8,2)", nullable: false, hasDefault: false },
    state: { type: "enum('new','old')", nullable: false, hasDefault: true },
    big: { type: "bigint(20) unsigned", nullable: false, hasDefault: false },
    meta: { type: "longtext", nullable: true, hasDefault: false },
  },
};

/** SQL as Laravel 13 prints it for MariaDB and MySQL, with its verdict and the reason's words. */
const CASES: readonly (readonly [sql: string, verdict: Verdict, reason?: RegExp])[] = [
  [
    "create table `posts` (`id` bigint unsigned not null auto_increment primary key, `title` varchar(255) " +
      "not null) default character set utf8mb4 collate 'utf8mb4_unicode_ci'",
    "additive",
  ],
  ["create temporary table `t` (`id` int)", "additive"],
  ["create or replace view `v` as select 1", "unknown", /replaces/],
  ["create trigger `t` before insert on `users` for each row set new.name = ''", "unknown", /acts by itself/],
  ["alter table `users` add `nick` varchar(255) null", "additive"],
  ["alter table `users` add `nick` varchar(255) null after `name`", "additive"],
  [
    "alter table `users` add `nick` varchar(255) not null default 'x' comment 'not null', algorithm=instant, lock=none",
    "additive",
  ],
  ["alter table `users` add `made_at` timestamp not null default CURRENT_TIMESTAMP", "additive"],
  ["alter table `users` add `full` varchar(255) as (concat(`name`, 'x')) stored", "additive"],
  ["alter table `users` add `nr` int not null auto_increment primary key", "additive"],
  ["alter table `users` add `nick` varchar(255) not null", "breaking", /users\.nick, NOT NULL without a default/],
  ["ALTER TABLE users ADD COLUMN nick VARCHAR(10) NOT NULL", "breaking", /users\.nick/],
  ["alter table `shop`.`users` add `data` json not null comment 'default'", "breaking", /users\.data/],
  ["alter table `users` add `a` int null, add `b` int not null", "breaking", /users\.b/],
  ["alter table `users` drop `name`", "breaking", /drops the column users\.name/],
  ["alter table `users` drop `name`, drop `age`", "breaking", /users\.name; drops the column users\.age/],
  ["alter table `users` drop column if exists `name`", "breaking", /users\.name/],
  ["alter table `users` rename column `name` to `title`", "breaking", /renames the column users\.name to title/],
  ["alter table `users` change `name` `title` varchar(50) null", "breaking", /users\.name to title/],
  ["rename table `users` to `people`", "breaking", /renames the table users to people/],
  ["alter table `users` rename to `people`", "breaking", /users to people/],
  ["drop table `users`", "breaking", /drops the table users/],
  ["drop table if exists `users`, `posts`", "breaking", /users, posts/],
  ["drop view `v`", "breaking", /drops the view v/],
  ["truncate table `users`", "breaking", /deletes all rows/],
  ["alter table `users` modify `name` varchar(255) null", "additive"],
  ["alter table `users` modify `name` text null", "additive"],
  [
    "alter table `users` modify `name` varchar(20) null",
    "breaking",
    /type of users\.name from varchar\(50\) to varchar\(20\)/,
  ],
  ["alter table `users` modify `name` varchar(50) not null", "breaking", /makes users\.name NOT NULL/],
  ["alter table `users` modify `email` varchar(255) null", "additive"],
  ["alter table `users` change `email` `email` varchar(255) null", "additive"],
  ["alter table `users` modify `age` bigint not null default '0'", "additive"],
  ["alter table `users` modify `age` int not null", "breaking", /takes the default of users\.age away/],
  ["alter table `users` modify `age` varchar(11) not null default '0'", "breaking", /type of users\.age/],
  ["alter table `users` modify `big` int unsigned not null", "breaking", /type of users\.big/],
  ["alter table `users` modify `big` bigint unsigned not null auto_increment", "additive"],
  ["alter table `users` modify `total` decimal(10, 2) not null", "additive"],
  ["alter table `users` modify `total` decimal(9, 4) not null", "breaking", /type of users\.total/],
  ["alter table `users` modify `state` enum('new', 'old', 'gone') not null default 'new'", "additive"],
  ["alter table `users` modify `state` enum('new') not null default 'new'", "breaking", /type of users\.state/],
  ["alter table `users` modify `meta` json null", "additive"],
  ["alter table `other` modify `x` int null", "unknown", /what it was before is not known/],
  ["alter table `users` alter column `age` drop default", "breaking", /default of users\.age/],
  ["alter table `users` alter column `age` set default 1", "additive"],
  ["alter table `users` add index `users_name_index`(`name`)", "additive"],
  ["alter table `users` add fulltext `users_name_fulltext`(`name`)", "additive"],
  ["alter table `users` add spatial index `x`(`name`)", "additive"],
  ["alter table `users` add unique `users_email_unique`(`email`)", "unknown", /unique index to users/],
  ["create unique index users_email on users (email)", "unknown", /unique index to users/],
  [
    "alter table `users` add constraint `users_team_id_foreign` foreign key (`team_id`) " +
      "references `teams` (`id`) on delete cascade",
    "unknown",
    /foreign key/,
  ],
  ["alter table `users` add primary key (`email`)", "unknown", /primary key/],
  ["alter table `users` drop index `users_name_index`", "additive"],
  ["alter table `users` drop index `users_email_unique`", "unknown", /upserts/],
  ["alter table `users` drop foreign key `users_team_id_foreign`", "unknown", /cascade/],
  ["alter table `users` drop primary key", "breaking", /primary key of users/],
  ["alter table `users` rename index `a` to `b`", "additive"],
  ["alter table `users` comment = 'drop table'", "additive"],
  ["alter table `users` auto_increment = 100", "additive"],
  ["alter table `users` engine = Aria", "unknown", /does not know/],
  ["insert into `users` (`name`) values (?)", "additive"],
  ["update `users` set `name` = ? where `name` is null", "unknown", /changes rows/],
  ["delete from `users` where `age` > ?", "unknown", /changes rows/],
  ["select * from `users` where `name` = ? limit 1", "unknown", /before it decides/],
  [
    "select exists (select 1 from information_schema.tables where table_name = 'users') as `exists`",
    "unknown",
    /before it decides/,
  ],
  ["SET FOREIGN_KEY_CHECKS=0;", "additive"],
  ["call tidy_up()", "unknown", /does not know/],
  ["/* drop table */ insert into x values ('drop table `users`')", "additive"],
  ["drop table -- the old one\n `users`", "breaking", /users/],
  ["", "unknown"],
  ["replace into `users` (`name`) values ('x')", "unknown", /changes rows/],
  ["start transaction", "additive"],
  ["begin", "additive"],
  ["commit", "additive"],
  ["savepoint `a`", "additive"],
  ["release savepoint `a`", "additive"],
  ["optimize table `users`", "additive"],
  ["analyze table `users`", "additive"],
  ["describe `users`", "unknown", /before it decides/],
  ["show tables", "unknown", /before it decides/],
  ["create spatial index `g` on `users` (`g`)", "additive"],
  ["create procedure `p`() select 1", "additive"],
  ["create sequence `s`", "additive"],
  ["create event `e` on schedule every 1 day do select 1", "unknown", /acts by itself/],
  ["create unique index if not exists `u` on `users` (`email`)", "unknown", /unique index to users/],
  ["drop temporary table `users`", "additive"],
  ["drop procedure `p`", "breaking", /drops the procedure p/],
  ["drop function if exists `f`", "breaking", /drops the function f$/],
  ["drop trigger `t`", "unknown", /may rely on/],
  ["drop event `e`", "unknown", /may rely on/],
  ["drop index `users_name_index` on `users`", "additive"],
  ["drop index if exists `users_email_unique` on `users`", "unknown", /users_email_unique: upserts/],
  ["alter table if exists `users` drop `name`", "breaking", /drops the column users\.name/],
  ["alter table `users` enable keys", "additive"],
  ["alter table `users` disable keys", "additive"],
  ["alter table `users` algorithm=instant, lock=none", "additive"],
  ["alter table `users` change column `name` `name` varchar(20) null", "breaking", /type of users\.name/],
  ["alter table `users` modify column `name` varchar(20) null", "breaking", /type of users\.name/],
  ["alter table `users` rename as `people`", "breaking", /users to people/],
  ["alter table `users` rename key `a` to `b`", "additive"],
  ["alter table `users` alter index `i` invisible", "additive"],
  ["alter table `users` alter constraint `c` not enforced", "additive"],
  ["alter table `users` drop key `users_email_unique`", "unknown", /users_email_unique: upserts/],
  ["alter table `users` drop index if exists `users_email_unique`", "unknown", /users_email_unique: upserts/],
  ["alter table `users` drop constraint `c`", "unknown", /drops a constraint of users/],
  ["alter table `users` drop check `c`", "additive"],
  ["alter table `users` drop partition `p0`", "breaking", /drops a partition of users/],
  ["alter table `users` add constraint `c` check (`age` > 0)", "unknown", /adds a check to users/],
  [
    "alter table `users` add constraint foreign key (`team_id`) references `teams` (`id`)",
    "unknown",
    /adds a foreign key to users/,
  ],
  ["alter table `users` add partition (partition `p1` values less than (10))", "additive"],
];

describe("the judgement of SQL", () => {
  for (const [sql, verdict, reason] of CASES) {
    it(`${verdict}: ${sql}`, () => {
      const found = new Judge(columns).judge(sql);
      assert.equal(found.verdict, verdict, found.reason);
      assert.equal(found.statement, withoutValues(sql));
      // The records keep a statement without its values, and a rollback judges that.
      const { statement, ...kept } = new Judge(columns).judge(found.statement);
      assert.deepEqual(
        [statement, kept],
        [found.statement, { verdict, ...(found.reason === undefined ? {} : { reason: found.reason }) }],
      );
      if (verdict === "additive") assert.equal(found.reason, undefined);
      else assert.match(found.reason ?? "", reason ?? /./);
    });
  }

  it("lets a later statement do what it likes with what an earlier one has made", () => {
    const judge = new Judge(columns);
    const made = [
      "create table `posts` (`id` int)",
      "alter table `posts` add `a` int not null",
      "alter table `posts` drop `a`",
      "alter table `posts` add unique `u`(`id`)",
      "rename table `posts` to `articles`",
      "drop table `articles`",
      "alter table `users` add `slug` varchar(255) null",
      "update `users` set `slug` = ?, `updated_at` = ? where `id` = ?",
      "alter table `users` add unique `users_slug_unique`(`slug`)",
      "alter table `users` modify `slug` varchar(100) not null",
      "alter table `users` rename column `slug` to `handle`",
      "alter table `users` drop `handle`",
    ];
    assert.deepEqual(
      made.map((sql) => judge.judge(sql)),
      made.map((statement) => ({ statement, verdict: "additive" })),
    );
  });

  it("knows what was made with `if not exists`, with `column` or not, and what a column was called before", () => {
    const all = [
      [
        "create table if not exists `posts` (`id` int)",
        "alter table `posts` drop `id`",
        "alter table `posts` add primary key (`id`)",
        "alter table `posts` engine = Aria",
      ],
      ["alter table `users` add column if not exists `x` int null", "alter table `users` drop column if exists `x`"],
      [
        "alter table `users` add column `x` int null",
        "alter table `users` change column `x` `y` int null",
        "alter table `users` alter column `y` drop default",
      ],
      ["create table `a` (`id` int)", "alter table `a` rename to `b`", "drop table `b`"],
      [
        "alter table `users` add `a` int null",
        "update `users` set `a` = 1 where `name` = 'x'",
        "alter table `users` add foreign key (`a`) references `t` (`id`)",
      ],
    ];
    for (const statements of all) {
      const judge = new Judge(columns);
      assert.deepEqual(
        statements.map((sql) => judge.judge(sql).verdict),
        statements.map(() => "additive"),
        statements.join("; "),
      );
    }
    const judge = new Judge(columns);
    // A table that is made for the time of the migration is another one.
    assert.deepEqual(
      ["create temporary table `users` (`id` int)", "alter table `users` drop `name`"].map(
        (sql) => judge.judge(sql).verdict,
      ),
      ["additive", "breaking"],
    );
    assert.equal(judge.judge("update `users` set `age` = 1, `new` = 2 where `age` = 3").verdict, "unknown");
  });

  it("takes the worst of several", () => {
    assert.equal(worst([]), "additive");
    assert.equal(worst([{ verdict: "additive" }, { verdict: "unknown" }]), "unknown");
    assert.equal(worst([{ verdict: "breaking" }, { verdict: "unknown" }]), "breaking");
  });
});
