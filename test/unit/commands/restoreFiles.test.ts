import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { cutOff } from "../../support/commands/cutOff.ts";
import { type Files, inMemory, readFiles, writeFiles } from "../../support/files.ts";

const SCRIPT = readFileSync("commands/inside/restore-files.sh", "utf8");
const LIVE = { "a/one": "live", "a/two": "live only", "it's $(x)\n": "live", "-rf": "live" };
const RESTORED = { "a/one": "restored", "b/three": "restored only", "-rf": "restored" };
const NAME = ".drydock-before-20260131_102959";

describe("putting files in place of the live ones", function () {
  this.timeout(600_000);
  let data: string;
  const write = (folder: string, files: Files): void => writeFiles(join(data, folder), files);
  const read = (folder = "."): Record<string, string> =>
    readFiles(join(data, folder), (path) => folder !== "." || !path.startsWith(".drydock-"));
  const sorted = (files: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(files).sort());
  const run = (...args: string[]): string =>
    execFileSync("sh", ["-c", SCRIPT, "restore", ...args], {
      env: { ...process.env, FILES: data },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  const begin = (): void => {
    data = inMemory("drydock-files-");
    write(".", LIVE);
    // What keeps a volume from being empty: components/volumes.ts.
    mkdirSync(join(data, ".drydock"));
    write(".drydock-restore", RESTORED);
  };
  beforeEach(begin);
  afterEach(() => rmSync(data, { recursive: true }));

  it("keeps what was live until it is forgotten, and the volume from being empty", () => {
    run("swap", NAME);
    assert.deepEqual([read(), read(NAME)], [sorted(RESTORED), sorted(LIVE)]);
    assert.deepEqual([run("left"), run("kept")], ["", NAME]);
    assert.ok(existsSync(join(data, ".drydock")));
    run("forget");
    assert.deepEqual([run("kept"), readdirSync(data).sort()], ["", ["-rf", ".drydock", "a", "b"]]);
  });

  it("can be undone, with nothing left of it", () => {
    run("swap", NAME);
    write(".", { "c/four": "of the service, while it started" });
    run("undo", NAME);
    assert.deepEqual([read(), run("left"), run("kept")], [sorted(LIVE), "", ""]);
    assert.deepEqual(readdirSync(data).sort(), ["-rf", ".drydock", "a", "it's $(x)\n"]);
    for (const other of [NAME, "a", "../x", ".drydock-before-", ".drydock-before-1;x"]) {
      assert.throws(() => run("undo", other), other);
      assert.deepEqual(read(), sorted(LIVE));
    }
  });

  it("opens what came from elsewhere to its owner, and what is public to nginx", () => {
    const modes = (...folder: string[]): string[] => {
      write(".drydock-restore/public", { x: "1" });
      execFileSync("chmod", ["-R", "go=", join(data, ".drydock-restore")]);
      chmodSync(join(data, ".drydock-restore/a/one"), 0o000);
      run("adopt", ...folder);
      return ["a/one", "public/x", "public"].map((path) =>
        (statSync(join(data, ".drydock-restore", path)).mode & 0o777).toString(8),
      );
    };
    assert.deepEqual(modes(), ["600", "644", "755"]);
    assert.deepEqual(modes("."), ["644", "644", "755"]);
  });

  it("moves, counts and removes what folders deny their owner, as the application can, and keeps their rights", () => {
    // As somebody whom rights stop.
    const uid = process.getuid!() === 0 ? 65_534 : process.getuid!();
    const own = (script: string, input?: Buffer, ...args: string[]): string =>
      execFileSync("sh", ["-c", script, "restore", ...args], {
        ...{ cwd: data, env: { ...process.env, FILES: data }, uid, input, encoding: "utf8" },
        stdio: ["pipe", "pipe", "inherit"],
      }).trim();
    const rights = (folder: string): string =>
      own("find \"$1\" -maxdepth 1 -name 's*' -printf '%m %f\\n' | sort", undefined, folder);
    const shut = (folder: string): string =>
      `mkdir -p '${folder}/shut/in' '${folder}/sealed/in'; echo x > '${folder}/shut/in/x'; echo y > ` +
      `'${folder}/sealed/in/y'; chmod 555 '${folder}/shut' '${folder}/shut/in'; chmod 0 '${folder}/sealed'`;
    execFileSync("chown", ["-R", String(uid), data]);
    own(`rm -rf .drydock-restore; ${shut(".")}; ${shut("elsewhere")}`);
    const archive = execFileSync("tar", ["-C", join(data, "elsewhere"), "-cf", "-", "."]);
    rmSync(join(data, "elsewhere"), { recursive: true });
    // One that was cut off lies there.
    own(`mkdir .drydock-restore; ${shut(".drydock-restore")}`);
    assert.equal(own(SCRIPT, archive, "unpack"), "2");
    assert.equal(rights(".drydock-restore"), "500 sealed\n555 shut");
    own(SCRIPT, undefined, "swap", NAME);
    assert.deepEqual([rights(NAME), own(SCRIPT, undefined, "left")], ["0 sealed\n555 shut", ""]);
    assert.deepEqual([read()["shut/in/x"], read()["sealed/in/y"]], ["x\n", "y\n"]);
    own(SCRIPT, undefined, "undo", NAME);
    assert.deepEqual([rights("."), readdirSync(data).length], ["0 sealed\n555 shut", 6]);
    own(SCRIPT, archive, "unpack");
    own(SCRIPT, undefined, "swap", NAME);
    own(SCRIPT, undefined, "forget");
    own(SCRIPT, archive, "unpack");
    own(SCRIPT, undefined, "clear");
    assert.deepEqual(readdirSync(data).sort(), [".drydock", "sealed", "shut"]);
  });

  it("removes nothing that is kept while a swap has not come to its end", () => {
    run("swap", NAME);
    write(".", { ".drydock-state": `arriving ${NAME}\n` });
    assert.throws(() => run("forget"));
    assert.deepEqual(read(NAME), sorted(LIVE));
  });

  it("takes a file of the user's that is called as its own folder along", () => {
    rmSync(join(data, ".drydock"), { recursive: true });
    write(".", { ".drydock": "a file" });
    write(".drydock-restore", { ".drydock": "another" });
    run("swap", NAME);
    assert.equal(read()[".drydock"], "another");
    assert.equal(read(NAME)[".drydock"], "a file");
  });

  // Moved one by one, so that it can stop between two of them.
  const oneByOne =
    'case $1 in --backup=*) [ $# -gt 4 ] && for f in "$@"; do case $f in --backup=*|-t|"$3") ;; *) ' +
    '"$0" "$1" "$2" "$3" "$f" || exit 1 ;; esac; done && exit 0 ;; esac';
  const stopAt = (nth: number, ...args: string[]): boolean =>
    cutOff(nth, { mv: oneByOne, rm: "", rmdir: "", mkdir: "", sync: "" }, SCRIPT, args, { FILES: data });

  for (const verb of ["swap", "undo"] as const) {
    it(`is brought to one of two ends wherever ${verb} was cut off, and wherever that was cut off again`, () => {
      const ends = new Set<string>();
      let cuts = 0;
      for (let last = 0, cut = true; cut; last++) {
        rmSync(data, { recursive: true });
        begin();
        if (verb === "undo") run("swap", NAME);
        cut = stopAt(last, verb, NAME);
        const why = `${verb} cut off after ${last} changes`;
        if (run("left") !== "") stopAt((last * 5) % 11, "settle");
        const left = run("left");
        const said = run("settle");
        assert.deepEqual([run("left"), existsSync(join(data, ".drydock-restore"))], ["", false], why);
        const now = read();
        const isLive = now["a/one"] === "live";
        assert.deepEqual(now, sorted(isLive ? LIVE : RESTORED), why);
        // What was live is there, either way.
        if (!isLive) assert.deepEqual(read(NAME), sorted(LIVE), why);
        if (left !== "") assert.equal(said, verb === "swap" ? NAME : `undone ${NAME}`, why);
        ends.add(isLive ? "live" : "restored");
        cuts = last;
      }
      assert.ok(cuts > 10, String(cuts));
      assert.deepEqual([...ends].sort(), ["live", "restored"]);
    });
  }
});
