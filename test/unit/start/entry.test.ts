import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The entry script in a folder of its own, with a Node and an npm that only say what they were asked. */
describe("the entry script", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock entry-"));
    copyFileSync(join(import.meta.dirname, "../../../drydock"), join(root, "drydock"));
    mkdirSync(join(root, "bin"));
    mkdirSync(join(root, "start", "node"), { recursive: true });
    for (const file of ["package.json", "package-lock.json"])
      writeFileSync(join(root, "start", "node", file), "for Node");
    node("v22.21.0");
    // As npm does: the old packages go, its own record comes last.
    program(
      "npm",
      `echo "npm $*" >> "${root}/npm.log"; rm -rf node_modules/*; [ -z "$NPM_FAILS" ] || { echo no registry; exit 1; }
      mkdir -p node_modules/.bin; touch node_modules/.package-lock.json
      grep -q Node package.json 2>/dev/null || exit 0
      cat package-lock.json >> "${root}/node.log"
      made=node_modules/.bin/node version=\${NPM_NODE:-v24.22.3}
      printf '#!/bin/sh\\n[ "$1" = --version ] && echo %s || echo "ran by its own in $PATH"' "$version" > $made
      chmod +x $made`,
    );
    writeFileSync(join(root, "package-lock.json"), "one");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function program(name: string, script: string): void {
    writeFileSync(join(root, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const node = (version: string): void =>
    program("node", `[ "$1" = --version ] && echo ${version} || echo "ran in $PWD: $*"`);
  function run(
    args: readonly string[] = ["status"],
    env: Record<string, string> = {},
    script = join(root, "drydock"),
    cwd = root,
  ) {
    const { status, stdout, stderr } = spawnSync(script, args, {
      cwd,
      encoding: "utf8",
      env: { PATH: `${join(root, "bin")}:/usr/bin:/bin`, XDG_CACHE_HOME: join(root, "cache"), ...env },
    });
    return { status, stdout, stderr };
  }
  const installations = (): number =>
    existsSync(join(root, "npm.log")) ? readFileSync(join(root, "npm.log"), "utf8").trim().split("\n").length : 0;

  it("hands over to start/cli.mjs, with the arguments as they are, in the user's own folder", () => {
    assert.match(
      run(["artisan", "--", "a b"], {}, join(root, "drydock"), tmpdir()).stdout,
      new RegExp(`^ran in ${tmpdir()}: ${root}/start/cli\\.mjs artisan -- a b\n$`),
    );
  });

  it("finds its folder through links, relative ones too", () => {
    mkdirSync(join(root, "links"));
    symlinkSync("../drydock", join(root, "links", "one"));
    symlinkSync(join(root, "links", "one"), join(root, "bin", "two"));
    assert.match(run([], {}, join(root, "bin", "two")).stdout, new RegExp(`${root}/start/cli\\.mjs`));
  });

  for (const version of ["v22.21.0", "v22.23.5", "v24.5.0", "v25.0.0", "v26.12.1", "v30.0.0"]) {
    it(`runs by Node ${version} where that is on PATH`, () => {
      node(version);
      assert.match(run().stdout, /^ran in /);
      assert.equal(existsSync(join(root, "cache")), false);
    });
  }

  for (const version of ["v18.20.4", "v20.20.2", "v22.20.0", "v23.11.1", "v24.4.1", "", "nightly"]) {
    it(`gets a Node of its own where that on PATH is "${version}", once, and all that it starts finds it first`, () => {
      node(version);
      const { stdout, stderr } = run();
      const own = join(
        root,
        "cache",
        "drydock",
        "node",
        String(
          spawnSync("sh", ["-c", "cksum < start/node/package-lock.json"], { cwd: root, encoding: "utf8" }).stdout.split(
            " ",
          )[0],
        ),
      );
      assert.equal(stdout, `ran by its own in ${own}/node_modules/.bin:${join(root, "bin")}:/usr/bin:/bin\n`);
      assert.ok(
        stderr.startsWith(
          `→ node: Node.js ${version.slice(1)} (${root}/bin/node) does not fit; ` +
            "needed is 22.21 or a newer 22, 24.5 or newer. Getting one",
        ) || version === "nightly",
        stderr,
      );
      assert.match(stderr, /\n✓ node: v24\.22\.3\n/);
      assert.equal(readFileSync(join(root, "node.log"), "utf8"), "for Node");
      assert.deepEqual(
        readdirSync(join(root, "cache", "drydock", "node")),
        [own.split("/").at(-1)],
        "a draft was left",
      );
      assert.equal(run().stderr, "");
      assert.equal(installations(), 2, "the Node and the packages");
      assert.match(
        run([], { PATH: `${own}/node_modules/.bin:/usr/bin:/bin` }).stdout,
        /^ran by its own in (?!.*node_modules.*node_modules)/,
        "once on PATH is enough",
      );
    });
  }

  it("leaves the packages of another clone alone, which node_modules is a link to", () => {
    mkdirSync(join(root, "others"));
    writeFileSync(join(root, "others", "package"), "theirs");
    symlinkSync("others", join(root, "node_modules"));
    assert.equal(run().status, 0);
    assert.equal(readFileSync(join(root, "others", "package"), "utf8"), "theirs");
    assert.ok(existsSync(join(root, "node_modules", ".drydock-stamp")));
    assert.equal(existsSync(join(root, "others", ".drydock-stamp")), false);
  });

  it("gets another Node where its lock file has changed", () => {
    node("v20.20.2");
    run();
    writeFileSync(join(root, "start", "node", "package-lock.json"), "a newer Node");
    run([], { NPM_NODE: "v26.1.0" });
    assert.equal(readdirSync(join(root, "cache", "drydock", "node")).length, 2);
  });

  it("says why it can't get one, leaves nothing of it, and tries again next time", () => {
    node("v20.20.2");
    const { status, stderr } = run([], { NPM_FAILS: "1" });
    assert.equal(status, 1);
    assert.match(
      stderr,
      new RegExp(
        String.raw`no registry\ndrydock: Node\.js 20\.20\.2 \(.*\) does not fit; .* npm could not get one ` +
          String.raw`\(.*\)\n {2}remedy: install`,
      ),
    );
    assert.deepEqual(readdirSync(join(root, "cache", "drydock", "node")), []);
    assert.equal(run([], { NPM_NODE: "v20.0.0" }).status, 1, "one that does not fit either");
    assert.match(run().stdout, /^ran by its own/);
  });

  it("promises what package.json promises, and gets a Node that is in it, with a checksum, for each platform", () => {
    const read = (file: string) => JSON.parse(readFileSync(join(import.meta.dirname, "../../..", file), "utf8"));
    assert.equal(read("package.json").engines.node, "^22.21.0 || >=24.5.0");
    const { optionalDependencies } = read("start/node/package.json");
    const { packages } = read("start/node/package-lock.json");
    const nodes = Object.entries<Record<string, any>>(packages).filter(([path]) =>
      path.startsWith("node_modules/node-"),
    );
    assert.deepEqual(nodes.map(([, { os, cpu }]) => `${os}-${cpu}`).sort(), [
      "darwin-arm64",
      "darwin-x64",
      "linux-arm64",
      "linux-x64",
    ]);
    for (const [path, { version, integrity }] of nodes) {
      assert.equal(version, optionalDependencies[path.slice("node_modules/".length)]);
      assert.match(integrity, /^sha512-/);
      assert.ok(Number.parseInt(version, 10) >= 24 && !version.startsWith("24.4."), version);
    }
  });

  it("says that Node and npm are missing", () => {
    const missing = spawnSync("/bin/bash", [join(root, "drydock")], {
      encoding: "utf8",
      env: { PATH: only("dirname", "readlink", "cmp", "cat", "cksum"), HOME: root },
    });
    assert.equal(missing.status, 1);
    assert.match(
      missing.stderr,
      /Node\.js was not found on PATH; needed is 22\.21 or a newer 22, 24\.5 or newer\n {2}remedy: install Node 24/,
    );
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
    assert.equal(
      readFileSync(join(root, "npm.log"), "utf8"),
      "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error\n",
    );
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
