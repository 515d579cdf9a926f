import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { Clone, docker, type Result } from "../support/clone.ts";
import { nginxImage } from "../support/debian.ts";
import { ask } from "../support/visitor.ts";

/** Two real stacks behind a real edge, as a person makes them on his own machine. */
describe("stacks behind an edge", function () {
  this.timeout(900_000);
  const [shop, other] = [new Clone(), new Clone()];
  const folder = mkdtempSync(join(tmpdir(), "drydock-edge-"));
  const said = ({ stdout, stderr }: Result) => stdout + stderr;
  const has = (clone: Clone, name: string) =>
    clone.write("Pulumi.local.yaml", `config:\n  drydock:domains:\n    - name: ${name}\n`);
  let edge: { https: number; root: string };

  /** Visits the shop by three clients, with a connection for each request, until a command has ended. */
  async function whileAsked(command: () => Promise<Result>) {
    const seen: { at: number; ok: boolean }[] = [];
    let over = false;
    const client = async () => {
      while (!over) {
        const ok = await ask(edge, "shop.localhost", "/up").then(
          ({ status }) => status === 200,
          () => false,
        );
        seen.push({ at: Date.now(), ok });
        await sleep(50);
      }
    };
    const clients = [client(), client(), client()];
    const result = await command();
    await sleep(2_000);
    over = true;
    await Promise.all(clients);
    return { seen: seen.sort((a, b) => a.at - b.at), result };
  }

  before(() => {
    const there = docker("ps", "--all", "--quiet", "--filter", "label=drydock.role=edge");
    if (there !== "") throw new Error("this machine has an edge: ./drydock edge down first");
    has(shop, "shop.localhost");
    has(other, "shop.localhost");
  });
  after(async () => {
    await other.remove();
    await shop.drydock(["destroy", "--yes", "--volumes"]);
    await shop.drydock(["edge", "down", "--yes"]);
    for (const name of ["state", "certificates", "accounts"])
      await shop.run("docker", ["volume", "rm", `drydock-edge-${name}`]);
    rmSync(shop.dir, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  it("are refused in the preview where there is none, with the command that makes one", async () => {
    const result = await shop.drydock(["up"]);
    assert.equal(result.code, 3, said(result));
    assert.match(result.stderr, /stack local has drydock:domains, and no edge runs .*; nothing was changed\n/);
    assert.match(result.stderr, /remedy: \.\/drydock edge up\n/);
    assert.doesNotMatch(said(result), /serializing property/);
  });

  it("have one after `edge up --local`, which says what to do next", async () => {
    const result = await shop.drydock(["edge", "up", "--local"]);
    assert.equal(result.code, 0, said(result));
    assert.match(result.stdout, /Try next:\n {2}pulumi config set --path 'drydock:domains\[0\]\.name' shop\.localhost/);
    assert.doesNotMatch(result.stdout, /artisan/);
  });

  it("are reached by https, by their names", async () => {
    const result = await shop.drydock(["up"]);
    assert.equal(result.code, 0, said(result));
    const root = (await shop.drydock(["edge", "certificates", "--root"])).stdout;
    const [container] = docker("ps", "--filter", "label=drydock.role=edge", "--format", "{{.Names}}").split("\n");
    edge = { root, https: Number(docker("port", container!, "8443/tcp").split(":").at(-1)) };
    assert.equal((await ask(edge, "shop.localhost", "/up")).status, 200);
  });

  it("are refused in the preview where a name is another stack's, before anything is changed", async () => {
    const result = await other.drydock(["up"]);
    assert.equal(result.code, 3, said(result));
    assert.match(result.stderr, /names of stack local are another stack's .*: shop\.localhost \(of stack local\)/);
    assert.doesNotMatch(said(result), /serializing property/);
    const { stdout } = await other.pulumi(["stack", "export", "--stack", "local"]);
    const { deployment } = JSON.parse(stdout) as { deployment: { resources?: unknown[] } };
    assert.deepEqual(deployment.resources ?? [], []);
    assert.equal((await ask(edge, "shop.localhost", "/up")).status, 200);
  });

  it("share the machine, each by its names", async () => {
    other.edit("Pulumi.local.yaml", (text) => text.replace("shop.localhost", "other.localhost"));
    const result = await other.drydock(["up"]);
    assert.equal(result.code, 0, said(result));
    for (const name of ["shop.localhost", "other.localhost"])
      assert.equal((await ask(edge, name, "/up")).status, 200, name);
    const status = await shop.drydock(["edge", "status", "--json"]);
    assert.equal(status.code, 0, said(status));
    const { names } = JSON.parse(status.stdout) as { names: { name: string; problems: string[] }[] };
    assert.deepEqual(
      names.map(({ name, problems }) => [name, problems]),
      [
        ["other.localhost", []],
        ["shop.localhost", []],
      ],
    );
  });

  it("don't notice a release of theirs, nor that their own proxy is replaced", async () => {
    for (const [path, value] of [
      ["env.APP_NAME", "Harbour"],
      ["proxy.memory", "160"],
      ["logs.maxSize", "7"],
    ] as const) {
      await shop.pulumi(["config", "set", "--path", `drydock:${path}`, value]);
      const { seen, result } = await whileAsked(() => shop.drydock(["up"]));
      assert.equal(result.code, 0, said(result));
      const failed = seen.filter(({ ok }) => !ok).length;
      process.stdout.write(`      ${path}: ${failed} of ${seen.length} requests failed\n`);
      assert.ok(seen.length > 50 && failed === 0, `${path}: ${failed} of ${seen.length}`);
    }
  });

  it("go on being served where the next nginx could not start", async () => {
    const image = (await shop.pulumi(["config", "get", "--path", "drydock:edge.image", "-s", "edge-local"])).stdout;
    await shop.pulumi([
      "config",
      "set",
      "--path",
      "drydock:edge.image",
      await nginxImage("bookworm"),
      "-s",
      "edge-local",
    ]);
    const { seen, result } = await whileAsked(() => shop.drydock(["edge", "up", "--local"]));
    assert.notEqual(result.code, 0);
    assert.match(said(result), /refuses the edge's configuration[^]*nothing was changed/);
    assert.equal(seen.filter(({ ok }) => !ok).length, 0);
    await shop.pulumi(
      image.trim() === ""
        ? ["config", "rm", "--path", "drydock:edge.image", "-s", "edge-local"]
        : ["config", "set", "--path", "drydock:edge.image", image.trim(), "-s", "edge-local"],
    );
  });

  it("are away for about a second when nginx itself is replaced, which is said before", async () => {
    await shop.pulumi(["config", "set", "--path", "drydock:edge.trustedProxies[0]", "192.0.2.1", "-s", "edge-local"]);
    const preview = await shop.drydock(["preview", "-s", "edge-local"]);
    assert.match(preview.stdout, /the edge's nginx is made anew: for about a second nobody reaches any site/);
    const { seen, result } = await whileAsked(() => shop.drydock(["edge", "up", "--local"]));
    assert.equal(result.code, 0, said(result));
    const failed = seen.filter(({ ok }) => !ok);
    const last = seen.findLastIndex(({ ok }) => !ok);
    const first = seen.findIndex(({ ok }) => !ok);
    const gap = failed.length === 0 ? 0 : (seen[last + 1]?.at ?? Infinity) - (seen[first - 1]?.at ?? 0);
    process.stdout.write(`      away for ${gap} ms: ${failed.length} of ${seen.length} requests failed\n`);
    assert.ok(gap < 5_000, `${gap} ms`);
    assert.equal((await ask(edge, "other.localhost", "/up")).status, 200);
  });

  it("keep a certificate of the same authority in another edge that gets its copy", async () => {
    const file = join(folder, "copy.tgz");
    const result = await shop.drydock(["edge", "certificates", "--export", file]);
    assert.equal(result.code, 0, said(result));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal((await shop.drydock(["edge", "certificates", "--export", file])).code, 2, "nothing is written over");
    const keeper = docker("ps", "--filter", "label=drydock.role=certificates", "--format", "{{.Names}}");
    docker("exec", keeper, "sh", "-c", "rm -rf /accounts/local /certs/live/*");
    docker("restart", keeper);
    for (let tries = 0; tries < 40; tries++, await sleep(500))
      if (docker("exec", keeper, "sh", "-c", "ls /accounts/local 2>/dev/null || true").includes("root.pem")) break;
    assert.notEqual((await shop.drydock(["edge", "certificates", "--root"])).stdout, edge.root);
    const back = await shop.drydock(["edge", "certificates", "--import", file]);
    assert.equal(back.code, 0, said(back));
    assert.equal((await shop.drydock(["edge", "certificates", "--root"])).stdout, edge.root);
  });

  it("take their route away when they go; the edge stays as long as one has a name", async () => {
    assert.equal((await shop.drydock(["edge", "down", "--yes"])).code, 3);
    const result = await other.drydock(["destroy", "--yes"]);
    assert.equal(result.code, 0, said(result));
    await assert.rejects(ask(edge, "other.localhost", "/up"), /unrecognized name|alert/i);
  });
});
