import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { filesOf } from "../../cli/maintenance/files.ts";
import { docker } from "../support/clone.ts";
import { ProxyRig } from "../support/proxyRig.ts";

const MIB = 1 << 20;

/** What a path has of its own: real nginx and real PHP-FPM, no stack. */
describe("the proxy's paths", function () {
  this.timeout(120_000);
  const rig = new ProxyRig(undefined, 2);
  const post = async (path: string, size: number, chunked = false) =>
    (
      await rig.ask(path, {
        method: "POST",
        body: Buffer.alloc(size, "x"),
        headers: chunked ? [["Transfer-Encoding", "chunked"]] : [],
      })
    ).status;

  before(() => {
    rig.start();
    rig.inVolume("public", "mkdir -p releases/0123456789ab hashed");
    const { code, stderr } = rig.switch({
      proxy: {
        image: "nginx:1.30",
        uploadLimit: 1,
        timeout: 1,
        paths: { "/body": { uploadLimit: 3 }, "/body/small": { timeout: 9 }, "/slow": { timeout: 5 } },
        redirects: { "/old": "/who", "/older": { to: "https://shop.example.com/x?y=1", status: 301 } },
      },
    });
    assert.equal(code, 0, stderr);
  });
  after(() => rig.remove());

  it("take larger bodies than the rest of the site, and none that is larger still", async () => {
    for (const chunked of [false, true]) {
      assert.equal(await post("/body", 2 * MIB, chunked), 200, `chunked: ${chunked}`);
      assert.equal(await post("/body/small", 2 * MIB, chunked), 404, "of the path above it");
      assert.equal(await post("/body", 4 * MIB, chunked), 413, `chunked: ${chunked}`);
      assert.equal(await post("/who", 2 * MIB, chunked), 413, `chunked: ${chunked}`);
      assert.equal(await post("/body-other", 2 * MIB, chunked), 413, `chunked: ${chunked}`);
    }
  });

  it("may take longer to answer", async () => {
    assert.equal((await rig.ask("/slow?seconds=2&of=paths")).status, 200);
    assert.equal((await rig.ask("/slow/er")).status, 404);
  });

  it("are served as the rest of the site is: no file with a dot, and scripts by the application alone", async () => {
    const { status, body } = await rig.ask("/body/.env");
    assert.equal(status, 404);
    assert.ok(!body.includes("the application"), body);
    assert.equal((await rig.ask("/body/x.php")).body, "the application has no /body/x.php");
  });

  it("have a request of which nothing was sent answered by another replica", async () => {
    docker("stop", "--time", "0", rig.replicas[1]!);
    try {
      for (let i = 0; i < 12; i++) assert.equal(await post("/body", 1000), 200);
    } finally {
      docker("start", rig.replicas[1]!);
    }
  });

  it("lead elsewhere, with what was asked", async () => {
    const { status, headers } = await rig.ask("/old?a=b");
    assert.deepEqual([status, headers.location], [308, "/who?a=b"]);
    const older = await rig.ask("/older?a=b");
    assert.deepEqual([older.status, older.headers.location], [301, "https://shop.example.com/x?y=1"]);
    assert.equal((await rig.ask("/old/er")).status, 404);
  });

  it("are closed in maintenance mode, whatever they have", async () => {
    const files = filesOf(
      {
        since: new Date().toISOString(),
        by: "test",
        message: "Back soon",
        retryAfter: 60,
        allow: [],
        pass: null,
      } as never,
      "g1",
    );
    const write = Object.entries(files).map(
      ([name, content]) => `echo ${Buffer.from(content).toString("base64")} | base64 -d > maintenance/g1/${name}`,
    );
    const reload = ". /tmp/host/site.sh; accepted && nginx -c /var/lib/drydock/nginx.conf -s reload";
    rig.inProxy(`mkdir -p maintenance/g1; ${write.join("; ")}; ln -sfn g1 maintenance/current; ${reload}`);
    try {
      await rig.until("/who", 503);
      for (const path of ["/body", "/body/x", "/slow", "/old"]) assert.equal((await rig.ask(path)).status, 503, path);
    } finally {
      rig.inProxy(`rm maintenance/current; ${reload}`);
    }
    await rig.until("/old", 308);
  });
});
