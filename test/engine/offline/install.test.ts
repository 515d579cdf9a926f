import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { cliKey } from "../../../offline/cli/build.ts";
import { installOffline } from "../../../offline/install.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

describe("offline set-up", function () {
  this.timeout(120_000);
  let folder: string;
  let cli: string;

  /** Runs resolveEngine in a process of its own, with a cache of its own. */
  const resolveIn = (env: NodeJS.ProcessEnv): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((done) => {
      const script = `import { resolveEngine } from ${JSON.stringify(join(ROOT, "offline/install.ts"))};
      const engine = await resolveEngine({ log: (line) => console.error(line) }); console.log(JSON.stringify(engine));`;
      execFile(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "--eval", script],
        { cwd: ROOT, env: { ...process.env, XDG_CACHE_HOME: folder, ...env } },
        (error, stdout, stderr) => done({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
      );
    });
  const script = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  };
  const seed = (): void => {
    mkdirSync(join(folder, "drydock", "cli", cliKey()), { recursive: true });
    linkSync(cli, join(folder, "drydock", "cli", cliKey(), "pulumi"));
  };

  before(async () => {
    cli = join((await installOffline({ log: console.error })).home, "bin", "pulumi");
  });
  beforeEach(() => {
    folder = mkdtempSync(join(dirname(cli), "..", "..", ".test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("makes one complete home, however many ask for it at once", async () => {
    seed();
    const all = await Promise.all([1, 2, 3].map(() => resolveIn({ DRYDOCK_OFFLINE: "1" })));
    const engines = all.map(({ stdout, stderr }) => JSON.parse(stdout || `"${stderr}"`));
    assert.equal(new Set(engines.map(({ home }) => home)).size, 1);
    assert.equal(engines[0].kind, "offline");
    assert.equal(all.filter(({ stderr }) => stderr.includes("bundling")).length, 1);
    assert.match(all[0]!.stderr, /stand-ins for the plugins docker 5\.2\.0, command 1\.2\.1, aws 7\.48\.0/);
    assert.deepEqual(readdirSync(engines[0].home).sort(), ["bin", "complete", "logs", "plugins", "workspaces"]);
    // A file, so that the CLI keeps no log of each command.
    const logs = join(engines[0].home, "logs");
    const plugins = () =>
      execFileSync(engines[0].bin, ["plugin", "ls"], { encoding: "utf8", env: { ...process.env, ...engines[0].env } });
    assert.match(plugins(), /docker +resource +5\.2\.0/);
    assert.ok(statSync(logs).isFile());
    rmSync(logs);
    plugins();
    assert.ok(readdirSync(logs).length > 0, "without it the CLI would keep one");
    assert.deepEqual(readdirSync(join(folder, "drydock", "home")).length, 1, "a draft was left");
    const again = await resolveIn({ DRYDOCK_OFFLINE: "1" });
    assert.doesNotMatch(again.stderr, /bundling/);
  });

  it("finds which stack is selected, and the credentials, where Pulumi's own engine does", async () => {
    seed();
    const home = join(folder, "user");
    mkdirSync(join(home, ".pulumi", "workspaces"), { recursive: true });
    writeFileSync(join(home, ".pulumi", "workspaces", "drydock-1-workspace.json"), "own");
    mkdirSync(join(folder, "drydock", "workspaces"));
    for (const name of ["drydock-1", "drydock-2"]) {
      writeFileSync(join(folder, "drydock", "workspaces", `${name}-workspace.json`), "earlier");
    }
    const env = { DRYDOCK_OFFLINE: "1", HOME: home, PULUMI_HOME: "", PULUMI_CREDENTIALS_PATH: undefined };
    const engine = JSON.parse((await resolveIn(env)).stdout);
    assert.equal(engine.env.PULUMI_CREDENTIALS_PATH, join(home, ".pulumi"));
    const selected = (name: string) => readFileSync(join(engine.home, "workspaces", `${name}-workspace.json`), "utf8");
    assert.deepEqual([selected("drydock-1"), selected("drydock-2")], ["own", "earlier"]);
    assert.ok(existsSync(join(home, ".pulumi", "workspaces", "drydock-2-workspace.json")));
  });

  it("says what is to be done where Pulumi's own engine is wanted and can't be obtained", async () => {
    const { code, stderr } = await resolveIn({
      DRYDOCK_OFFLINE: "0",
      DRYDOCK_PULUMI_MIRROR: "http://127.0.0.1:9",
      HOME: folder,
      PULUMI_HOME: "",
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    });
    assert.notEqual(code, 0);
    assert.match(stderr, /Pulumi's own CLI and plugins can't be obtained here: .*127\.0\.0\.1:9 can't be reached/);
    assert.match(stderr, /install Pulumi .*, name a mirror \(DRYDOCK_PULUMI_MIRROR=/);
  });

  it("takes the lock of a process that is gone", async () => {
    seed();
    writeFileSync(join(folder, "drydock", "install.lock"), "999999999");
    assert.equal((await resolveIn({ DRYDOCK_OFFLINE: "1" })).code, 0);
  });

  it("says what to do when Go is too old or missing", async () => {
    const bin = mkdtempSync(join(tmpdir(), "drydock-bin-"));
    script(join(bin, "go"), "echo go version go1.19.8 linux/amd64");
    const old = await resolveIn({ DRYDOCK_OFFLINE: "1", PATH: `${bin}:/usr/bin:/bin` });
    assert.notEqual(old.code, 0);
    assert.match(old.stderr, /built with Go 1\.25\.11 or newer, but `go version` says 1\.19\.8\.\nInstall Go/);
    rmSync(bin, { recursive: true });
    const none = await resolveIn({ DRYDOCK_OFFLINE: "1", PATH: "/nowhere" });
    assert.match(none.stderr, /there is no `go` on PATH\nInstall Go 1\.25\.11 or newer/);
    assert.equal(existsSync(join(folder, "drydock", "install.lock")), false, "the lock was left");
  });

  it("prefers a pulumi on PATH whose plugins are there, and then touches nothing", async () => {
    const home = join(folder, "own");
    script(join(home, "bin", "pulumi"), "echo v3.256.0");
    script(join(home, "bin", "pulumi-language-nodejs"), "exit 0");
    for (const plugin of ["docker-v5.2.0", "command-v1.2.1"])
      mkdirSync(join(home, "plugins", `resource-${plugin}`), { recursive: true });
    const { stdout, stderr } = await resolveIn({
      PULUMI_HOME: home,
      PATH: `${home}/bin:${process.env.PATH}`,
      DRYDOCK_OFFLINE: "",
    });
    const engine = JSON.parse(stdout);
    assert.deepEqual(
      [engine.kind, engine.bin, engine.env.PULUMI_HOME],
      ["official", join(home, "bin", "pulumi"), undefined],
    );
    assert.equal(stderr, "");
    // The same without PULUMI_HOME, or with that of the stand-ins: the plugins are looked for where they are put.
    const user = join(folder, "user");
    renameSync(home, join(folder, "moved"));
    mkdirSync(user);
    renameSync(join(folder, "moved"), join(user, ".pulumi"));
    const env = { HOME: user, PULUMI_HOME: "", PATH: `${user}/.pulumi/bin:${process.env.PATH}`, DRYDOCK_OFFLINE: "" };
    const plain = JSON.parse((await resolveIn(env)).stdout);
    assert.deepEqual([plain.kind, plain.env.PULUMI_HOME], ["official", join(user, ".pulumi")]);
    assert.equal(existsSync(join(folder, "drydock")), false);
  });
});
