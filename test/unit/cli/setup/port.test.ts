import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseDocument } from "yaml";
import { claimPort, freePort } from "../../../../cli/setup/port.ts";

describe("a free port", () => {
  it("is the first that nobody listens on, on this address and on all", async () => {
    const taken = new Set(["8080 127.0.0.1", "8081 0.0.0.0"]);
    assert.equal(
      await freePort(8080, "127.0.0.1", (number, address) => Promise.resolve(!taken.has(`${number} ${address}`))),
      8082,
    );
  });
  it("ends with an error when there is none", async () => {
    await assert.rejects(
      freePort(8080, "127.0.0.1", () => Promise.resolve(false)),
      /no free port from 8080 to 8279/,
    );
  });
});

describe("the port of a new clone", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-ports-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const clone = (name: string): string => {
    mkdirSync(join(folder, name, ".drydock"), { recursive: true });
    return join(folder, name);
  };
  const portOf = (root: string): unknown =>
    parseDocument(readFileSync(join(root, "Pulumi.local.yaml"), "utf8")).getIn(["config", "drydock:proxy", "port"]);
  const says = (root: string, port: number): void =>
    writeFileSync(join(root, "Pulumi.local.yaml"), `config:\n  drydock:proxy:\n    port: ${port}\n`);
  const claim = (root: string): Promise<number> =>
    claimPort(root, () => Promise.resolve(true), join(folder, "ports.json"));
  /** A process of its own that sets this clone's file up as the first `up` does, with a Pulumi that stores nothing. */
  const setUp = (root: string) => {
    const script = `
      import { pathsOf } from "./cli/shared/project.ts";
      import { ensureLocalFile } from "./cli/setup/local.ts";
      const pulumi = { capture: async () => ({ code: 0, stdout: "", stderr: "" }) };
      const images = { base: "b:1", php: "p:1", proxy: "x:1", database: "d:1", redis: "r:1", backup: "k:1" };
      await ensureLocalFile({ pulumi, paths: pathsOf(${JSON.stringify(root)}) }, images, () => {}, false);`;
    return spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
      env: { ...process.env, XDG_CACHE_HOME: folder },
      stdio: ["ignore", "inherit", "pipe"],
    });
  };

  it("is another one for each of two that are set up at the same moment", async () => {
    const roots = [clone("a"), clone("b")];
    await Promise.all(
      roots.map(async (root) => {
        const child = setUp(root);
        const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
        assert.equal(code, 0, said);
      }),
    );
    const ports = roots.map(portOf);
    assert.ok(
      ports.every((port) => typeof port === "number"),
      String(ports),
    );
    assert.notEqual(ports[0], ports[1]);
  });

  it("is nobody else's as long as the clone's file says so, deployed or not", async () => {
    const [a, b] = [clone("a"), clone("b")];
    assert.equal(await claim(a), 8080);
    says(a, 8080);
    assert.equal(await claim(b), 8081);
    says(a, 9000);
    says(b, 8081);
    assert.equal(await claim(clone("c")), 8080);
    rmSync(b, { recursive: true });
    assert.equal(await claim(clone("d")), 8081);
  });

  it("is the same when the clone asks again", async () => {
    const a = clone("a");
    assert.deepEqual([await claim(a), await claim(a)], [8080, 8080]);
  });

  it("is free again where who was given it has ended without writing it down", async () => {
    const registry = join(folder, "ports.json");
    writeFileSync(registry, JSON.stringify([{ port: 8080, root: clone("a"), pid: process.pid, start: "1" }]));
    assert.equal(await claim(clone("b")), 8080);
    writeFileSync(registry, "cut o");
    assert.equal(await claim(clone("c")), 8080);
    assert.ok(!existsSync(`${registry}.lock`) && !existsSync(`${registry}.new`));
  });
});
