import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { Browser } from "../support/browser.ts";
import { Clone, docker, type Status } from "../support/clone.ts";
import { testImage } from "../support/image.ts";
import { Load } from "../support/load.ts";

/**
 * Images that serve HTTP themselves, each released over the one before: with the start that they have, and nothing of
 * ours in them.
 */
describe("images with a server of their own", function () {
  this.timeout(900_000);
  const clone = new Clone();
  let status: Status;
  let application: string;
  const pulumi = async (...args: string[]) => {
    const { code, stderr } = await clone.pulumi(["config", ...args]);
    assert.equal(code, 0, stderr);
  };
  const up = async () => {
    const { code, stdout, stderr } = await clone.drydock(["up"]);
    assert.equal(code, 0, stdout + stderr);
    status = await clone.status();
    return stdout + stderr;
  };
  const image = (name: string) =>
    testImage({
      name: `drydock/test-${name}:1`,
      folder: join(import.meta.dirname, "servers", name),
      depends: application,
      args: { BASE: application },
    });

  before(async () => {
    await up();
    application = status.services.find(({ role }) => role === "app")!.image;
    await pulumi("rm", "--path", "drydock:app.build");
    await pulumi("set", "--path", "drydock:app.replicas", "2");
    await pulumi("set", "--path", "drydock:app.server", "http");
    await pulumi("set", "--path", "drydock:proxy.trustedProxies[0]", "127.0.0.1");
  });
  after(() => clone.remove());

  for (const [name, port] of [
    ["fpm-nginx", 8080],
    ["capable", 80],
    ["serve", 80],
  ] as const) {
    it(`${name}: starts by itself, is released without a failed request, and knows its visitors`, async () => {
      await pulumi("set", "--path", "drydock:app.image", await image(name));
      await pulumi("set", "--path", "drydock:app.port", String(port));
      const load = new Load(status.url, { clients: 3, slowSeconds: 1 });
      await up();
      assert.deepEqual((await load.stop()).reasons, {});
      const replica = status.services.find(({ role }) => role === "app")!.container;
      // The caches are built, and the settings of PHP are those of the stack.
      docker("exec", replica, "test", "-s", "bootstrap/cache/config.php");
      const { Config, HostConfig } = JSON.parse(docker("inspect", replica))[0];
      assert.deepEqual(
        [Config.Entrypoint.slice(0, 2), HostConfig.CapDrop, HostConfig.CapAdd],
        [["/bin/sh", "/drydock/start.sh"], ["ALL"], ["NET_BIND_SERVICE"]],
      );
      const visitor = new Browser(status.url);
      const headers = { "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9" };
      const token =
        /name="_token" value="([^"]+)"/.exec(await (await visitor.request("/form", { headers })).text())?.[1] ??
        assert.fail("no token");
      const sent = await visitor.request("/form", {
        method: "POST",
        headers,
        body: new URLSearchParams({ note: name, _token: token }),
      });
      assert.deepEqual(
        [sent.status, new URL(sent.headers.get("location") ?? "").protocol],
        [302, "https:"],
        "it goes on as it came",
      );
    });
  }
});
