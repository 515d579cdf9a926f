import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { execArguments } from "../../../cli/artisan/run.ts";
import { chosenLines, keptLines, patternOf } from "../../../cli/logs/lines.ts";
import { logArguments, ofRole } from "../../../cli/logs/run.ts";
import { buildProgram, main } from "../../../cli/main.ts";
import { Exit } from "../../../cli/shared/errors.ts";

/** Runs a command line with what it prints held back. */
async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: "", err: "" };
  const [out, err] = [process.stdout.write, process.stderr.write];
  process.stdout.write = ((text: string) => {
    written.out += text;
    return true;
  }) as typeof process.stdout.write;
  process.stderr.write = ((text: string) => {
    written.err += text;
    return true;
  }) as typeof process.stderr.write;
  try {
    return { code: await main(argv), ...written };
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
  }
}

const CLI = join(import.meta.dirname, "../../../cli");
/** The folders beside them: what verbs share, and what sets up engine, images and the local stack. */
const verbs = readdirSync(CLI).filter((name) => !["main.ts", "shared", "setup"].includes(name));

describe("the command line", () => {
  it("has a folder for each verb, with its options in command.ts, and a description of each", async () => {
    const commands = (await buildProgram()).commands;
    assert.deepEqual(verbs.toSorted(), commands.map((command) => command.name()).toSorted());
    assert.deepEqual(
      verbs.filter((verb) => !existsSync(join(CLI, verb, "command.ts"))),
      [],
    );
    for (const command of commands) assert.notEqual(command.description(), "", command.name());
  });

  for (const verb of verbs) {
    it(`shows examples in the help of ${verb}, and ends well`, async () => {
      const { code, out } = await run(verb, "--help");
      assert.equal(code, Exit.ok);
      assert.match(out, new RegExp(`Examples:\\n  \\$ .*${verb}`));
    });
  }

  it("takes -s in every verb that is about a stack", async () => {
    for (const command of (await buildProgram()).commands.filter(
      (command) => !["test", "lint"].includes(command.name()),
    )) {
      assert.equal(
        command.options.some(({ long, short }) => long === "--stack" && short === "-s"),
        true,
        command.name(),
      );
    }
  });

  it("documents its exit codes", async () =>
    assert.match((await run("--help")).out, /Exit codes:\n  0 +done[^]*3 +refused[^]*130 +interrupted/));

  for (const [name, argv, says] of [
    ["no command at all", [], /^$/],
    ["an unknown command, with the nearest one", ["statsu"], /unknown command 'statsu'\n\(Did you mean status\?\)/],
    ["an unknown option, and where to look", ["up", "--yess"], /unknown option '--yess'[^]*drydock up --help/],
    ["an argument too many", ["status", "now"], /too many arguments for 'status'/],
    ["a missing argument", ["logs"], /missing required argument 'role'/],
    ["an unknown suite", ["test", "--only", "everything"], /Allowed choices are types, style, unit/],
  ] as const) {
    it(`takes ${name} for wrong use`, async () => {
      const { code, err } = await run(...argv);
      assert.equal(code, Exit.usage);
      assert.match(err, says);
    });
  }
});

describe("artisan", () => {
  it("runs in the application's folder, as the container's own user", () => {
    assert.deepEqual(
      execArguments("app-1-abc1234", ["migrate:status", "--pending"], { folder: "/srv/app", terminal: false }),
      [
        "exec",
        "--interactive",
        "--env",
        "HOME=/tmp",
        "--env",
        "XDG_CONFIG_HOME=/tmp/.config",
        "--env",
        "XDG_DATA_HOME=/tmp/.data",
        "--workdir",
        "/srv/app",
        "app-1-abc1234",
        "sh",
        "-c",
        'PHP_INI_SCAN_DIR="${PHP_INI_SCAN_DIR-}:/run/drydock/php" exec php artisan "$@"',
        "artisan",
        "migrate:status",
        "--pending",
      ],
    );
  });
  it("has a terminal where there is one", () => {
    assert.equal(execArguments("x", [], { folder: "/", terminal: true }).includes("--tty"), true);
  });
});

describe("logs", () => {
  const [one, two, three] = ["10:00:01.5Z", "10:00:02Z", "10:00:03Z"].map((time) => `2026-11-29T${time}`);
  const kept = [
    `app app-1-a aaaaaaaaaaaa | ${two} two`,
    `horizon horizon-a aaaaaaaaaaaa | ${one} job`,
    `app app-1-a aaaaaaaaaaaa | ${three} five`,
    `app app-2-a bbbbbbbbbbbb | ${two} three | four`,
    "damaged",
    // As an earlier version has kept it.
    "app app-0-a | before",
  ].join("\n");
  const texts = (wanted: object) =>
    chosenLines(keptLines(kept), { role: "app", tail: "all", ...wanted }).map(({ text }) => text);

  it("of several containers are in the order of time, the last ones of each", () => {
    assert.deepEqual(texts({}), ["before", "two", "three | four", "five"]);
    assert.deepEqual(texts({ tail: "1" }), ["before", "three | four", "five"]);
    assert.deepEqual(texts({ role: "all" }), ["before", "job", "two", "three | four", "five"]);
  });
  it("are those of a release, and those that match", () => {
    assert.deepEqual(texts({ release: "aaaa" }), ["two", "five"]);
    assert.deepEqual(texts({ grep: patternOf("four|FIVE"), tail: "1" }), ["three | four", "five"]);
    assert.throws(() => patternOf("("), { code: Exit.usage });
  });

  const service = (name: string, role: string) => ({ name, role, container: `${name}-abc1234`, image: "x" });
  const services = [service("app-1", "app"), service("app-2", "app"), service("redis", "redis")];

  it("are those of a role, or all", () => {
    assert.deepEqual(
      ofRole(services, "app").map(({ name }) => name),
      ["app-1", "app-2"],
    );
    assert.equal(ofRole(services, "all").length, 3);
  });
  it("of an unknown role: the known ones are named", () => {
    assert.throws(() => ofRole(services, "web"), {
      what: 'no service has the role "web"',
      remedy: "one of: app, redis, all",
      code: Exit.usage,
    });
  });
  it("are asked for as Docker wants it", () => {
    assert.deepEqual(logArguments("c", { tail: "5", since: "10m", follow: true }), [
      "logs",
      "--timestamps",
      "--tail",
      "5",
      "--since",
      "10m",
      "--follow",
      "c",
    ]);
    assert.deepEqual(logArguments("c", { tail: "all" }), ["logs", "--timestamps", "--tail", "all", "c"]);
    assert.throws(() => logArguments("c", { tail: "-1" }), { code: Exit.usage });
  });
});
