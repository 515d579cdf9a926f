import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The entry script in a folder of its own, with a Node and an npm that only say what they were asked. */
describe("the entry script", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock entry-"));
    copyFileSync(join(import.meta.dirname, "../../../drydock"), join(root, "drydock"));
    mkdirSync(join(root, "bin"));
    program("node", '[ "$1" = --version ] && echo v20.18.1 || echo "ran in $PWD: $*"');
    // As npm does: the old packages go, its own record comes last.
    program("npm", `echo "npm $*" >> "${root}/npm.log"; rm -rf node_modules; [ -z "$NPM_FAILS" ] || { echo no registry; exit 1; }; mkdir node_modules; touch node_modules/.package-lock.json`);
    writeFileSync(join(root, "package-lock.json"), "one");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function program(name: string, script: string): void {
    writeFileSync(join(root, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  function run(args: readonly string[] = ["status"], env: Record<string, string> = {}, script = join(root, "drydock"), cwd = root) {
    const { status, stdout, stderr } = spawnSync(script, args, { cwd, encoding: "utf8", env: { PATH: `${join(root, "bin")}:/usr/bin:/bin`, ...env } });
    return { status, stdout, stderr };
  }
  const installations = (): number => (existsSync(join(root, "npm.log")) ? readFileSync(join(root, "npm.log"), "utf8").trim().split("\n").length : 0);

  it("hands over to start/cli.mjs, with the arguments as they are, in the user's own folder", () => {
    assert.match(run(["artisan", "--", "a b"], {}, join(root, "drydock"), tmpdir()).stdout,
      new RegExp(`^ran in ${tmpdir()}: ${root}/start/cli\\.mjs artisan -- a b\n$`));
  });

  it("finds its folder through links, relative ones too", () => {
    mkdirSync(join(root, "links"));
    symlinkSync("../drydock", join(root, "links", "one"));
    symlinkSync(join(root, "links", "one"), join(root, "bin", "two"));
    assert.match(run([], {}, join(root, "bin", "two")).stdout, new RegExp(`${root}/start/cli\\.mjs`));
  });

  for (const version of ["v18.20.4", "v20.17.0"]) {
    it(`refuses Node ${version} with the remedy`, () => {
      program("node", `echo ${version}`);
      const { status, stderr } = run();
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`Node\\.js ${version.slice(1).replaceAll(".", "\\.")} \\(.*\\) is too old; 20\\.18 or newer is needed\n  remedy: install Node`));
      assert.equal(installations(), 0);
    });
  }

  it("takes a newer Node", () => {
    program("node", '[ "$1" = --version ] && echo v24.1.0 || echo ran');
    assert.equal(run().stdout, "ran\n");
  });

  it("says that Node is missing", () => {
    const missing = spawnSync("/bin/bash", [join(root, "drydock")], { encoding: "utf8", env: { PATH: only("dirname", "readlink", "cmp", "cat") } });
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /Node\.js was not found on PATH; 20\.18 or newer is needed\n {2}remedy: install Node/);
  });

  /** A PATH with nothing but these programs. */
  function only(...names: readonly string[]): string {
    const folder = join(root, "only");
    mkdirSync(folder);
    for (const name of names) symlinkSync(`/usr/bin/${name}`, join(folder, name));
    return folder;
  }

  it("installs the packages once, says so, and again when the lock file has changed", () => {
    const first = run();
    assert.match(first.stderr, /→ packages: npm ci/);
    assert.equal(readFileSync(join(root, "npm.log"), "utf8"), "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error\n");
    assert.equal(run().stderr, "");
    assert.equal(installations(), 1);
    appendFileSync(join(root, "package-lock.json"), "two");
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(root, "package-lock.json"), later, later);
    run();
    assert.equal(installations(), 2);
  });

  it("does not install again what the user has just installed himself", () => {
    run();
    appendFileSync(join(root, "package-lock.json"), "two");
    const before = new Date(Date.now() - 3_000);
    utimesSync(join(root, "node_modules", ".package-lock.json"), before, before);
    run();
    assert.equal(installations(), 1);
  });

  it("says why the packages could not be installed, and tries again next time", () => {
    const { status, stdout, stderr } = run([], { NPM_FAILS: "1" });
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /no registry\ndrydock: npm ci failed in .*\n {2}remedy: check that npm reaches its registry/);
    assert.equal(run().status, 0);
    assert.equal(installations(), 2);
  });
});
