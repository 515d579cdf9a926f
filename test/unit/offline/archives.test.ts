import assert from "node:assert/strict";
import type { Server } from "node:http";
import { cliArchive, expectedChecksum, listed, PLATFORMS, pluginArchive } from "../../../offline/archives.ts";
import { STANDINS } from "../../../offline/install.ts";
import { VERSION } from "../../../offline/version.ts";
import { type Handler, serve } from "../../support/offline/servers.ts";

describe("Pulumi's own archives", () => {
  it("have the official names, in both places", () => {
    assert.deepEqual(cliArchive("linux-x64", {}).urls, [
      `https://get.pulumi.com/releases/sdk/pulumi-v${VERSION}-linux-x64.tar.gz`,
      `https://github.com/pulumi/pulumi/releases/download/v${VERSION}/pulumi-v${VERSION}-linux-x64.tar.gz`,
    ]);
    assert.deepEqual(pluginArchive("docker", "5.2.0", "darwin-x64", {}).urls, [
      "https://get.pulumi.com/releases/plugins/pulumi-resource-docker-v5.2.0-darwin-amd64.tar.gz",
      "https://github.com/pulumi/pulumi-docker/releases/download/v5.2.0/" +
        "pulumi-resource-docker-v5.2.0-darwin-amd64.tar.gz",
    ]);
    assert.match(pluginArchive("command", "1.2.1", "linux-arm64", {}).file, /-linux-arm64\.tar\.gz$/);
    assert.deepEqual(cliArchive("linux-x64", { DRYDOCK_PULUMI_MIRROR: "https://mirror.example/pulumi/" }).urls, [
      `https://mirror.example/pulumi/pulumi-v${VERSION}-linux-x64.tar.gz`,
    ]);
  });

  it("of the CLI have a checksum in the list on each platform; no entry is of a version that is not used", () => {
    const list = listed();
    const known = PLATFORMS.flatMap((platform) => [
      cliArchive(platform).file,
      ...Object.entries(STANDINS).map(([name, version]) => pluginArchive(name, version, platform).file),
    ]);
    for (const platform of PLATFORMS) assert.match(list[cliArchive(platform).file] ?? "", /^[0-9a-f]{64}$/);
    for (const [file, sum] of Object.entries(list)) assert.ok(known.includes(file) && /^[0-9a-f]{64}$/.test(sum), file);
    assert.equal(new Set(Object.values(list)).size, Object.keys(list).length, "no sum stands twice");
  });

  describe("without an entry in the list", () => {
    const servers: Server[] = [];
    afterEach(() => {
      for (const server of servers.splice(0)) server.close();
    });
    const ask = async (answer: Handler): Promise<string> =>
      expectedChecksum({ file: "x.tar.gz", urls: [], release: `${await serve(answer, servers)}/tags/v1` }, {});

    it("have the checksum that the release's page says", async () => {
      const assets = [
        { name: "y.tar.gz", digest: `sha256:${"b".repeat(64)}` },
        { name: "x.tar.gz", digest: `sha256:${"a".repeat(64)}` },
      ];
      assert.equal(await ask((_, response) => response.end(JSON.stringify({ assets }))), "a".repeat(64));
    });
    for (const [what, body, status] of [
      ["names no such file", { assets: [{ name: "y.tar.gz", digest: `sha256:${"b".repeat(64)}` }] }, 200],
      ["has no digest", { assets: [{ name: "x.tar.gz", digest: null }] }, 200],
      ["has another algorithm's", { assets: [{ name: "x.tar.gz", digest: `sha1:${"a".repeat(40)}` }] }, 200],
      ["is not there", {}, 404],
      ["may not be asked", { message: "rate limit" }, 403],
    ] as const) {
      it(`are not downloaded where that page ${what}`, async () => {
        await assert.rejects(
          ask((_, response) => response.writeHead(status).end(JSON.stringify(body))),
          /no checksum is known of x\.tar\.gz, so it is not downloaded: /,
        );
      });
    }
    it("are not downloaded where that page is no JSON, or without end", async () => {
      await assert.rejects(
        ask((_, response) => response.end("<html>")),
        /no checksum is known/,
      );
      await assert.rejects(
        ask((_, response) => {
          response.write("x".repeat(2 << 20));
          response.end();
        }),
        /more than a megabyte/,
      );
    });
  });
});
