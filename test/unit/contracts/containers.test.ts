import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { VARIABLES } from "../../../config/environment.ts";
import { CONTAINERS, INSIDE, STORED } from "../../../contracts/containers.ts";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";
import { readBy, textsOf } from "../../support/contracts/scripts.ts";

interface Contract {
  readonly env: readonly string[];
  readonly optional?: readonly string[];
}
const namesOf = ({ env, optional = [] }: Contract): readonly string[] => [...env, ...optional];
const containers: Readonly<Record<keyof typeof CONTAINERS, Contract>> = CONTAINERS;

const filesIn = (folder: string, ending: RegExp): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => ending.test(file))
    .map((file) => join(folder, file));
const read = (path: string): string => readFileSync(path, "utf8");
/** A PHP or TypeScript file without its comments. */
const code = (path: string): string => read(path).replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
const found = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, name]) => name!);

/** What a container has from its image or from the shell. */
const OF_THE_SHELL = ["HOME", "PATH", "PHP_INI_SCAN_DIR"];
/** What Laravel itself reads, and nobody sets unless the user does. */
const OF_LARAVEL = ["APP_CONFIG_CACHE", "REDIS_USERNAME"];

describe("the contract of the containers of the application", () => {
  const scripts = filesIn("runtime", /\.sh$/);
  const php = filesIn("runtime", /\.php$/).map(code);
  const known = namesOf(containers.laravel);

  it("has every variable that a script in them reads", () => {
    const asked = scripts.flatMap((path) => [...readBy(textsOf(path))].filter((name) => !OF_THE_SHELL.includes(name)));
    assert.ok(asked.length > 0);
    assert.deepEqual(
      asked.filter((name) => !known.includes(name)),
      [],
    );
  });

  it("has every variable that PHP in them asks for, beside those of config/environment.ts", () => {
    const asked = php.flatMap((text) => found(text, /(?:getenv|\$value)\('([A-Z_]+)'\)/g));
    assert.ok(asked.length > 5);
    const others = [...VARIABLES.map(({ name }) => name), ...OF_LARAVEL];
    assert.deepEqual(
      asked.filter((name) => !known.includes(name) && !others.includes(name)),
      [],
    );
  });

  it("has none that nothing in them names", () => {
    const texts = [...scripts.flatMap(textsOf), ...php].join("\n");
    assert.deepEqual(
      known.filter((name) => !new RegExp(`\\b${name}\\b`).test(texts)),
      [],
    );
  });

  it("has the one parameter that PHP takes from the proxy's site", () =>
    assert.deepEqual(
      php.flatMap((text) => found(text, /_SERVER\['(DRYDOCK_\w+)'\]/g)),
      [STORED],
    ));
});

describe("the contract of the database's container", () => {
  // `setting NAME` is MARIADB_NAME, MYSQL_NAME, or the path of a file with it in NAME_FILE.
  const settings = new Set(found(read("images/database/docker-entrypoint.sh"), /\$\(setting ([A-Z_]+)/g));

  it("has every setting that the image's start reads, and no other", () => {
    const told = containers.database.env
      // Of the official image alone.
      .filter((name) => name !== "MARIADB_AUTO_UPGRADE")
      .map((name) => name.replace(/^MYSQL_/, "").replace(/_FILE$/, ""));
    assert.deepEqual(told.toSorted(), [...settings].toSorted());
  });

  it("tells passwords by the path of a file alone", () => {
    const passwords = containers.database.env.filter((name) => name.includes("PASSWORD"));
    assert.equal(passwords.length, 2);
    assert.ok(passwords.every((name) => name.endsWith("_FILE")));
  });
});

describe("the contract of the agent's containers", () => {
  it("has every variable that the agent reads by its name, and every one that its scripts do", () => {
    const named = filesIn("agent", /\.ts$/).flatMap((path) => found(code(path), /process\.env(?:\.|\[")([A-Z_]+)/g));
    // The second is what the agent sets for restic.
    const own = named.filter((name) => !OF_THE_SHELL.includes(name) && name !== "AWS_SHARED_CREDENTIALS_FILE");
    const scripts = ["agent", "healthy"].flatMap((name) => [...readBy(textsOf(`images/backup/${name}`))]);
    const known = [...namesOf(containers.agent), ...namesOf(containers.companion)];
    assert.deepEqual(
      [...own, ...scripts].filter((name) => !known.includes(name)),
      [],
    );
    // By the contract's own names.
    const text = filesIn("agent", /\.ts$/).map(code).join("\n");
    for (const name of ["host", "restores"]) assert.ok(text.includes(`process.env[COMPANION.${name}]`), name);
  });

  it("is of no other image: those of Redis, of the proxy and of certificates read no variable", () => {
    for (const path of [
      "images/redis/docker-entrypoint.sh",
      "images/certificates/keeper",
      "images/certificates/healthy",
    ])
      assert.deepEqual([...readBy(textsOf(path))], [], path);
  });
});

describe("the contract of the scripts that are run in a container", () => {
  const inside: Readonly<Record<string, Contract>> = INSIDE;
  const scripts = readdirSync("commands/inside").map((file) => file.replace(/\.sh$/, ""));

  it("is there for each, and for nothing else", () =>
    assert.deepEqual(Object.keys(inside).toSorted(), scripts.toSorted()));

  it("has every variable that one reads, and none that it does not name", () => {
    // Redis's rights are a file that its start reads.
    const rights = read("commands/inside/redis-rights.sh");
    for (const name of scripts) {
      const texts = textsOf(`commands/inside/${name}.sh`);
      const known = namesOf(inside[name]!);
      const asked = [...readBy(name === "redis-start" ? [...texts, rights] : texts)];
      assert.deepEqual(
        asked.filter((one) => !known.includes(one)),
        [],
        name,
      );
      assert.deepEqual(
        known.filter((one) => !new RegExp(`\\b${one}\\b`).test(texts.join("\n"))),
        [],
        name,
      );
    }
  });

  it("is what a dump is told", () => {
    const call = /throwaway [^]*?inside\/dump\.sh/.exec(read("commands/functions/dump-one-off.sh"))?.[0] ?? "";
    assert.deepEqual(found(call, /--env ([A-Z]+)=/g).toSorted(), INSIDE.dump.env.toSorted());
  });
});

describe("the environment of each container of a stack", () => {
  let registered: readonly Registered[];
  before(async function () {
    this.timeout(120_000);
    const { resources } = await runProgram(configuration({ app: { server: "http" } }));
    registered = resources.filter(({ type }) => type === "docker:index/container:Container");
  });

  it("is that of its contract, beside the application's own block", () => {
    const block = new Set(VARIABLES.map(({ name }) => name));
    const roles: Record<string, readonly string[]> = {};
    for (const { inputs } of registered) {
      const role = inputs.labels.find(({ label }: { label: string }) => label === "drydock.role").value as string;
      const names = (inputs.envs as string[]).map((line) => line.split("=")[0]!);
      roles[role] = names.filter((name) => !block.has(name) || name === "DRYDOCK_RELEASE").toSorted();
    }
    const laravel = namesOf(containers.laravel).toSorted();
    assert.deepEqual(roles, {
      ...{ app: laravel, horizon: laravel, scheduler: laravel },
      ...{ database: containers.database.env.toSorted(), redis: [], cache: [], proxy: [], backup: [], restore: [] },
    });
  });
});
