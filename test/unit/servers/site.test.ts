import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { HASHED, type Site, sitePath } from "../../../servers/nginx/site.ts";
import { siteOf } from "../../support/nginx/texts.ts";

describe("a site's path of its own", () => {
  it("is in its text, and the same for the same text", () => {
    assert.ok(siteOf().includes(`location = ${sitePath(siteOf())} {`));
    assert.equal(sitePath(siteOf()), sitePath(siteOf()));
  });

  it("is another for other settings and other replicas of the same release", () => {
    const paths = [
      siteOf(),
      siteOf({ proxy: { image: "nginx:1.30", uploadLimit: 77 } }),
      siteOf({}, { replicas: ["app-1", "app-2"] }),
      siteOf({}, { release: "ba9876543210" }),
    ].map(sitePath);
    assert.equal(new Set(paths).size, paths.length);
  });

  it("is asked of a site alone", () => {
    assert.throws(() => sitePath("server { listen 8080; }"), /not the text of a site/);
  });
});

/** What a setting changes in a site: the lines that it takes away, and those that it adds. */
function changed(overrides: Record<string, unknown>): readonly [without: string[], beside: string[]] {
  const lines = (text: string) => text.split("\n").filter((line) => !line.includes("/site/"));
  const [usual, other] = [lines(siteOf()), lines(siteOf(overrides))];
  return [usual.filter((line) => !other.includes(line)), other.filter((line) => !usual.includes(line))];
}

describe("a site", () => {
  it("repeats no request that a replica has had, by whatever protocol", () => {
    for (const app of [{ server: "fpm" }, { server: "http" }]) {
      const text = siteOf({ app: { image: "a:1", ...app } });
      const said = [...text.matchAll(/\b\w+_next_upstream (?<how>[^;]*);/g)].map(({ groups }) => groups!.how);
      assert.ok(said.length >= 2);
      assert.deepEqual([...new Set(said)], ["off"]);
      assert.doesNotMatch(text, /non_idempotent/);
    }
  });

  it("passes on only a request of which nothing was sent", () => {
    const [, first = ""] = /map \$upstream_bytes_sent \$drydock_failed \{\n {2}volatile;\n {2}"~([^"]*)" @app;/.exec(
      siteOf(),
    )!;
    for (const nothing of ["-", "0", "0, 0", "- : 0"]) assert.match(nothing, new RegExp(first));
    for (const something of ["1", "10", "0, 512", "512, 0", "0, 0, 0", ""])
      assert.doesNotMatch(something, new RegExp(first));
  });

  it("closes what visitors hold open where the stack says when", () => {
    assert.deepEqual(changed({ proxy: { image: "nginx:1.30", drainTimeout: 45 } }), [
      [],
      ["#main worker_shutdown_timeout 45s;"],
    ]);
  });

  it("has no limit of connections where that is 0", () => {
    assert.deepEqual(changed({ proxy: { image: "nginx:1.30", connections: 0 } }), [["  limit_conn visitors 256;"], []]);
  });

  it("has for a path what the nearest one above it says, in whatever order they are named", () => {
    const image = "nginx:1.30";
    const text = siteOf({ proxy: { image, paths: { "/a/b": { timeout: 5 }, "/a": { timeout: 9, uploadLimit: 3 } } } });
    const [, at] = /location = \/a\/b \{\n {4}client_max_body_size 3m;\n {4}try_files \$uri @(app_\d);/.exec(text)!;
    assert.match(text.split(`location @${at} {`)[1]!.split("}")[0]!, /fastcgi_read_timeout 5s;/);
  });

  it("serves no folder that is not in public, whoever may see it", () => {
    const persistent = { "storage/exports": { visibility: "public" }, "public/media": { visibility: "public" } };
    assert.match(siteOf({ app: { image: "a:1", persistent } }), /location ~ \^\/\(storage\|media\)\/ \{/);
  });

  it("believes one proxy in front as it believes several", () => {
    const [, beside] = changed({ proxy: { image: "nginx:1.30", trustedProxies: ["10.0.0.1"] } });
    assert.deepEqual(beside, [
      "set_real_ip_from 10.0.0.1;",
      "real_ip_header X-Forwarded-For;",
      "real_ip_recursive on;",
      "  10.0.0.1 1;",
    ]);
  });

  it("is served under the machine's own names where it is local, or its address is, and nowhere else", () => {
    const own = (stage: Site["stage"], url: string) =>
      siteOf({}, { stage, url }).includes('"~*^localhost(?::[0-9]+)?$"');
    assert.deepEqual(
      [
        own("local", "https://shop.example.com"),
        own("production", "http://127.0.0.1:8080"),
        own("production", "https://shop.example.com"),
      ],
      [true, true, false],
    );
  });

  it("compresses nothing where that is switched off", () => {
    const [without, beside] = changed({ proxy: { image: "nginx:1.30", gzip: false } });
    assert.deepEqual(beside, []);
    assert.ok(without.every((line) => line.startsWith("gzip") || /brotli/.test(line)) && without.length === 6);
  });

  it("keeps a file for a year only where its name has a hash", () => {
    const hashed = new RegExp(HASHED);
    for (const name of ["app-BxY3k2_a.js", "app.4a3b2c1d5e6f.css", "app-a1b2c3d4.js.map", "chunk-abcdefgH.js"])
      assert.match(name, hashed);
    for (const name of ["app.js", "app-invoices.js", "jquery-3.7.1.js", "app.4a3b2c1d.css.gz", "app-BxY3k2_.js"])
      assert.doesNotMatch(name, hashed);
  });
});
