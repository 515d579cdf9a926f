import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cliArchive, pluginArchive } from "../../../offline/archives.ts";
import { STANDINS } from "../../../offline/install.ts";
import { VERSION } from "../../../offline/version.ts";
import { serve } from "../../support/offline/servers.ts";

const ROOT = join(import.meta.dirname, "../../..");
const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

describe("Pulumi's own set where none is installed", function () {
  this.timeout(60_000);
  const platform = `${process.platform}-${process.arch}`;
  const servers: Server[] = [];
  let root: string;
  let archives: Record<string, Buffer>;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-official-"));
    archives = Object.fromEntries([
      [cliArchive(platform).file, pack("pulumi", { pulumi: "echo v3.256.0", "pulumi-language-nodejs": "exit 0" })],
      ...["docker", "command"].map((name) => [
        pluginArchive(name, STANDINS[name as "docker"], platform).file,
        pack(".", { [`pulumi-resource-${name}`]: "exit 0", LICENSE: "" }),
      ]),
    ]);
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    rmSync(root, { recursive: true });
  });

  /** An archive of the official layout. */
  function pack(folder: string, programs: Readonly<Record<string, string>>): Buffer {
    const made = mkdtempSync(join(root, "pack-"));
    mkdirSync(join(made, folder), { recursive: true });
    for (const [name, script] of Object.entries(programs))
      writeFileSync(join(made, folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return execFileSync("tar", ["-czf", "-", "-C", made, ...(folder === "." ? Object.keys(programs) : [folder])]);
  }
  /** resolveEngine with a list of the archives' own checksums, in a process and a home of its own. */
  async function resolveFrom(
    mirror: string,
    env: NodeJS.ProcessEnv = {},
    list: Readonly<Record<string, Buffer>> = archives,
  ) {
    const sums = Object.fromEntries(Object.entries(list).map(([file, data]) => [file, sha256(data)]));
    const script = `import { findOfficial } from ${JSON.stringify(join(ROOT, "offline/official.ts"))};
      const options = ${JSON.stringify({
        versions: { docker: "5.2.0", command: "1.2.1" },
        download: true,
        list: sums,
      })};
      const found = await findOfficial({ ...options, log: (line) => console.error(line) });
      console.log(JSON.stringify(found ?? null));`;
    return new Promise<{ found: { path: string } | null; said: string }>((done) => {
      execFile(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "--eval", script],
        {
          cwd: ROOT,
          env: {
            PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
            HOME: root,
            XDG_CACHE_HOME: join(root, "cache"),
            DRYDOCK_PULUMI_MIRROR: mirror,
            ...env,
          },
        },
        (_, stdout, stderr) => done({ found: JSON.parse(stdout || "null"), said: stderr }),
      );
    });
  }
  const mirror = (files: Readonly<Record<string, Buffer>> = archives): Promise<string> =>
    serve(
      (request, response) =>
        files[(request.url ?? "").slice(1)] === undefined
          ? response.writeHead(404).end()
          : response.end(files[request.url!.slice(1)]),
      servers,
    );
  const plugins = (home = join(root, ".pulumi")): string[] =>
    existsSync(join(home, "plugins")) ? readdirSync(join(home, "plugins")).sort() : [];

  it("is downloaded: the CLI into the cache, the plugins to where Pulumi looks for them; once", async () => {
    const url = await mirror();
    const { found, said } = await resolveFrom(url);
    assert.equal(found?.path, join(root, "cache", "drydock", "official", VERSION), said);
    assert.deepEqual(readdirSync(found.path).sort(), ["pulumi", "pulumi-language-nodejs"]);
    assert.deepEqual(plugins(), ["resource-command-v1.2.1", "resource-docker-v5.2.0"]);
    assert.equal(execFileSync(join(found.path, "pulumi"), { encoding: "utf8" }), "v3.256.0\n");
    const again = await resolveFrom("http://127.0.0.1:9");
    assert.deepEqual([again.found?.path, again.said], [found.path, ""]);
  });

  it("is downloaded once, however many ask at the same time", async () => {
    let times = 0;
    const url = await serve((request, response) => {
      times++;
      response.end(archives[request.url!.slice(1)]);
    }, servers);
    const all = await Promise.all([1, 2, 3].map(() => resolveFrom(url)));
    assert.equal(new Set(all.map(({ found }) => found?.path)).size, 1);
    assert.equal(times, 3, "the CLI and two plugins");
  });

  it("only completes what is installed: its CLI is used, and its home has what was missing", async () => {
    const bin = join(root, ".pulumi", "bin");
    mkdirSync(bin, { recursive: true });
    for (const name of ["pulumi", "pulumi-language-nodejs"])
      writeFileSync(join(bin, name), "#!/bin/sh\necho v3.300.0\n", { mode: 0o755 });
    mkdirSync(join(root, ".pulumi", "plugins", "resource-docker-v5.2.0"), { recursive: true });
    mkdirSync(join(root, ".pulumi", "plugins", "resource-command-v1.2.1"));
    writeFileSync(join(root, ".pulumi", "plugins", "resource-command-v1.2.1.partial"), "");
    const { found, said } = await resolveFrom(await mirror());
    assert.equal(found?.path, bin, said);
    assert.deepEqual(readdirSync(join(root, ".pulumi", "plugins", "resource-command-v1.2.1")).sort(), [
      "LICENSE",
      "pulumi-resource-command",
    ]);
    assert.deepEqual(plugins(), ["resource-command-v1.2.1", "resource-docker-v5.2.0"]);
    assert.equal(existsSync(join(root, "cache", "drydock", "official")), false);
  });

  it("is completed by a plugin that one stack needs, and fails where that can't be obtained", async () => {
    const aws = pluginArchive("aws", STANDINS.aws, platform).file;
    archives[aws] = pack(".", { "pulumi-resource-aws": "exit 0" });
    const complete = async (from: string): Promise<string> => {
      const list = { [aws]: sha256(archives[aws]!) };
      const script = `import { completePlugins } from ${JSON.stringify(join(ROOT, "offline/official.ts"))};
        await completePlugins(${JSON.stringify({ versions: { aws: STANDINS.aws }, list })});`;
      const env = {
        PATH: "/usr/bin:/bin",
        HOME: root,
        XDG_CACHE_HOME: join(root, "cache"),
        DRYDOCK_PULUMI_MIRROR: from,
      };
      return new Promise((done) => {
        const args = ["--import", "tsx", "--input-type=module", "--eval", script];
        execFile(process.execPath, args, { cwd: ROOT, env }, (_, stdout, stderr) => done(stdout + stderr));
      });
    };
    assert.match(await complete("http://127.0.0.1:9"), /127\.0\.0\.1:9 can't be reached \(ECONNREFUSED\)/);
    assert.deepEqual(plugins(), []);
    assert.equal(await complete(await mirror()), "");
    assert.deepEqual(plugins(), [`resource-aws-v${STANDINS.aws}`]);
    assert.equal(await complete("http://127.0.0.1:9"), "", "it is there");
  });

  it("goes beside an installed one that is too old, which is named", async () => {
    const bin = join(root, ".pulumi", "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "pulumi"), "#!/bin/sh\necho v3.100.0\n", { mode: 0o755 });
    const { found, said } = await resolveFrom(await mirror());
    assert.equal(found?.path, join(root, "cache", "drydock", "official", VERSION));
    assert.match(said, /\.pulumi\/bin\/pulumi is version 3\.100\.0, older than 3\.256\.0/);
  });

  it("is not used where one archive has another checksum: that is an error, and nothing of it is there", async () => {
    const docker = pluginArchive("docker", "5.2.0", platform).file;
    const { found, said } = await resolveFrom(
      await mirror({ ...archives, [docker]: pack(".", { "pulumi-resource-docker": "echo other" }) }),
    );
    assert.equal(found, null);
    assert.match(said, /WrongChecksum.*: http:.*pulumi-resource-docker.* is not what was published/);
    assert.deepEqual(plugins(), []);
  });

  it("is an error where the disk is full while it is unpacked, and nothing of it stays", async function () {
    const cache = join(root, "cache");
    mkdirSync(cache);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", cache]).status !== 0) return this.skip();
    try {
      const { file } = cliArchive(platform);
      archives[file] = pack("pulumi", { pulumi: `# ${"x".repeat(2 << 20)}`, "pulumi-language-nodejs": "exit 0" });
      const { found, said } = await resolveFrom(await mirror());
      assert.equal(found, null);
      assert.match(said, new RegExp(`NoRoom.*: the disk of ${cache}/drydock/official is full: make room there`));
      assert.deepEqual(readdirSync(join(cache, "drydock", "official")), []);
    } finally {
      spawnSync("umount", [cache]);
    }
  });

  it("is passed over where an archive is missing, or its checksum neither known nor to be obtained", async () => {
    const { [cliArchive(platform).file]: cli, ...rest } = archives;
    const none = await resolveFrom(await mirror(rest));
    assert.equal(none.found, null);
    assert.match(none.said, /Pulumi's own download did not work: .* answered 404/);
    const unknown = await resolveFrom(
      await mirror(),
      { HTTPS_PROXY: "http://127.0.0.1:9" },
      { [cliArchive(platform).file]: cli! },
    );
    assert.equal(unknown.found, null);
    assert.match(unknown.said, /Pulumi's own download did not work: /);
    assert.deepEqual(plugins(), []);
  });
});
