import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { execArguments } from "../../../cli/artisan/run.ts";
import { chosenLines, keptLines, patternOf, sinceOf, stamped } from "../../../cli/logs/lines.ts";
import { logArguments, ofRole, showLogs } from "../../../cli/logs/run.ts";
import { buildProgram, main } from "../../../cli/main.ts";
import { Exit } from "../../../cli/shared/errors.ts";
import { printed } from "../../support/printed.ts";

/** Runs a command line with what it prints held back. */
async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const { value, ...written } = await printed(() => main(argv));
  return { code: value, ...written };
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

  it("are those since a time, of which nothing else is known than that they are later", () => {
    assert.deepEqual(texts({ since: "2026-11-29T10:00:02.500Z" }), ["five"]);
    assert.deepEqual(texts({ since: "2026-11-29T10:00:02.000Z" }), ["two", "three | four", "five"]);
  });
  it("keep what a terminal would take for the end of a line", () => {
    const [line] = keptLines("app app-1-abc1234 aaaa00000000 | 2026-01-01T00:00:01.000000000Z 50 %\r\u2028100 %\r");
    assert.equal(line?.text, "50 %\r\u2028100 %\r");
  });
  it("are complete where Docker has written them in pieces", () => {
    const at = "2026-01-01T00:00:01.123456789Z";
    const pieces = ["a".repeat(16_384), "b".repeat(16_384), "c 2026-01-01T00:00:01.123456780Z d"];
    assert.deepEqual(stamped(pieces.map((piece) => `${at} ${piece}`).join("")), { at, text: pieces.join("") });
    assert.deepEqual(stamped("without a time"), { at: "", text: "without a time" });
  });
  it("are chosen of many in no time", () => {
    const line = { service: "app-1", role: "app", at: "", text: "x" };
    const began = Date.now();
    assert.equal(chosenLines(Array(300_000).fill(line), { role: "app", tail: "2" }).length, 2);
    assert.ok(Date.now() - began < 5_000, `${Date.now() - began} ms`);
  });

  it("are asked for since a time of this machine's, or so long ago", () => {
    const now = Date.parse("2026-02-01T12:00:00Z");
    for (const [said, time] of [
      ["10m", "2026-02-01T11:50:00.000Z"],
      ["1h30m", "2026-02-01T10:30:00.000Z"],
      ["1.5h", "2026-02-01T10:30:00.000Z"],
      ["90s", "2026-02-01T11:58:30.000Z"],
      ["2d", "2026-01-30T12:00:00.000Z"],
      ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000Z"],
      ["2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00.000Z"],
      ["2026-01-31T10:00:00", new Date(2026, 0, 31, 10).toISOString()],
      ["2026-01-31 10:00", new Date(2026, 0, 31, 10).toISOString()],
      ["2026-01-31", new Date(2026, 0, 31).toISOString()],
      ["1769853600", "2026-01-31T10:00:00.000Z"],
    ] as const)
      assert.equal(sinceOf(said, now), time, said);
    for (const said of ["yesterday", "10", "10 m", "", "2026-13-01", "m", "99999999999d", "9".repeat(20)])
      assert.throws(() => sinceOf(said, now), { code: Exit.usage }, said);
    assert.equal(sinceOf(undefined, now), undefined);
  });

  it("can't be followed where they are gone", async () => {
    for (const options of [{ before: true }, { release: "aaaa" }] as const)
      await assert.rejects(showLogs("app", { follow: true, tail: "1", ...options }), { code: Exit.usage });
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
