import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";
import { Browser } from "../support/browser.ts";
import { Clone, docker, type Status } from "../support/clone.ts";
import { laravelImage, phpImage } from "../support/debian.ts";
import { testImage } from "../support/image.ts";
import { Load } from "../support/load.ts";

interface Case {
  readonly name: string;
  readonly suite: "bookworm" | "trixie";
  readonly laravel: 10 | 13;
  /** A folder of bases/: what is put on PHP's image. @default PHP-FPM itself */
  readonly server?: string;
  readonly port?: number;
}

/** Each is released over the one before. Laravel 11 and 12 are in no release of Debian. */
const CASES: readonly Case[] = [
  { name: "PHP's own, PHP 8.2, Laravel 10", suite: "bookworm", laravel: 10 },
  { name: "PHP's own, PHP 8.4, Laravel 10", suite: "trixie", laravel: 10 },
  { name: "PHP's own, PHP 8.4, Laravel 13", suite: "trixie", laravel: 13 },
  { name: "fpm-nginx under an init, Laravel 13", suite: "trixie", laravel: 13, server: "serversideup", port: 8080 },
  { name: "a binary with a capability, Laravel 10", suite: "trixie", laravel: 10, server: "frankenphp", port: 80 },
  { name: "one boot for many requests, Laravel 13", suite: "trixie", laravel: 13, server: "octane", port: 8000 },
  { name: "artisan serve, Laravel 13", suite: "trixie", laravel: 13, server: "serve", port: 80 },
];

const ROOT = join(import.meta.dirname, "../..");

/** The shop of examples/ in images that are laid out as those are that people bring. */
describe("images as they come", function () {
  this.timeout(1_500_000);
  const clone = new Clone();
  let status: Status;
  /** Cases that have got as far as their upload: a run may be of some of them. */
  const uploaded: number[] = [];
  const pulumi = async (...args: string[]) => {
    const { code, stdout, stderr } = await clone.pulumi(args);
    assert.equal(code, 0, stdout + stderr);
  };
  const set = (path: string, value: string) => clone.set(path, value);
  const drydock = async (...args: string[]) => {
    const { code, stdout, stderr } = await clone.drydock(args);
    assert.equal(code, 0, stdout + stderr);
    return stdout + stderr;
  };
  const up = async () => {
    await drydock("up");
    status = await clone.status();
  };
  const totals = async () =>
    (await (await fetch(new URL("/api/totals", status.url))).json()) as {
      count: number;
      view: number;
      trigger: number;
    };
  const visitor = async () => {
    const browser = new Browser(status.url);
    const page = await (await browser.get("/form")).text();
    return { browser, token: /name="_token" value="([^"]+)"/.exec(page)?.[1] ?? assert.fail(page.slice(0, 300)) };
  };

  before(async () => {
    await pulumi("stack", "select", "--create", "local");
    for (const [path, value] of [
      ["app.replicas", "2"],
      ["app.stopTimeout", "15"],
      ['app.persistent["public/uploads"].visibility', "public"],
      ["horizon.enabled", "false"],
      ["env.CACHE_STORE", "database"],
      ["proxy.uploadLimit", "256"],
      ["workers.queue.command", '["php","artisan","queue:work","--sleep=1"]'],
      ["workers.queue.replicas", "2"],
      ["workers.queue.longestJob", "20"],
      ["workers.sockets.command", '["php","artisan","sockets:start"]'],
      ["workers.sockets.http.port", "8081"],
      ["workers.sockets.http.paths", '["/sockets"]'],
    ] as const)
      await set(path, value);
  });
  after(() => clone.remove());

  for (const [index, { name, suite, laravel, server, port }] of CASES.entries()) {
    it(`${name}: up, a release under load, backup, restore, rollback`, async () => {
      const php = await phpImage(
        suite,
        laravel === 10 ? await laravelImage("trixie") : imageTags().php,
        `laravel${laravel}`,
      );
      const base =
        server === undefined
          ? php
          : await testImage({
              name: `drydock/test-${server}:${laravel}`,
              folder: join(import.meta.dirname, "bases", server),
              suite,
              depends: php,
              args: { BASE: php },
            });
      const shop = await testImage({
        name: "drydock/test-shop:1",
        folder: join(ROOT, "examples/shop"),
        depends: base,
        args: { BASE: base },
      });
      await set("app.image", shop);
      await set("app.server", server === undefined ? "fpm" : "http");
      await set("app.port", String(port ?? 9000));
      const first = status === undefined ? undefined : new Load(status.url, { clients: 3, slowSeconds: 1 });
      await up();
      assert.deepEqual((await first?.stop())?.reasons ?? {}, {}, "from the image before");

      // The same image, another variable.
      const load = new Load(status.url, { clients: 3, slowSeconds: 1 });
      const { release } = status;
      await set("env.SHOP_CASE", String(index));
      await up();
      assert.notEqual(status.release, release);
      const { reasons, written } = await load.stop();
      assert.deepEqual(reasons, {});
      const { count, view, trigger } = await totals();
      assert.ok(
        count >= written.length && view === count && trigger === count,
        JSON.stringify({ count, view, trigger }),
      );

      // A form, a session, a picture in public/uploads, which outlives releases and is the same for all replicas.
      const { browser, token } = await visitor();
      const form = new FormData();
      form.set("_token", token);
      form.set("note", `case ${index}`);
      if (server !== "octane") form.set("picture", new Blob(["a picture"], { type: "text/plain" }), "a.txt");
      const body = server === "octane" ? new URLSearchParams({ _token: token, note: `case ${index}` }) : form;
      const sent = await browser.request("/form", { method: "POST", body });
      assert.equal(sent.status, 302, await sent.text());
      assert.match(await (await browser.get("/form")).text(), new RegExp(`case ${index}`));
      if (server !== "octane") uploaded.push(index);
      for (const kept of uploaded)
        for (let times = 0; times < 3; times++)
          assert.equal((await fetch(new URL(`/uploads/case-${kept}.txt`, status.url))).status, 200);

      // A job of the pool is done once.
      await browser.json("/api/invoices", { id: `job-${index}`, seconds: 1 });
      const done = async () =>
        (
          (await (await fetch(new URL("/api/invoices", status.url))).json()) as {
            id: string;
            begun: number;
            done: number;
          }[]
        ).find(({ id }) => id === `job-${index}`);
      for (let times = 0; times < 60 && (await done())?.done !== 1; times++)
        await new Promise((resolve) => setTimeout(resolve, 500));
      assert.deepEqual([(await done())?.begun, (await done())?.done], [1, 1]);

      await drydock("backup", "run");
      const before = (await totals()).count;
      await browser.json("/api/rows", { n: -1 });
      assert.equal((await totals()).count, before + 1);
      await drydock("backup", "restore", "latest", "--db", "--yes", "--no-backup");
      assert.equal((await totals()).count, before);
      await drydock("backup", "restore", "--forget-previous", "--yes");

      // Another image, which there is a way back from.
      const again = `drydock/test-shop-again:${index}`;
      execFileSync("docker", ["build", "--quiet", "--tag", again, "-"], {
        input: `FROM ${shop}\nLABEL again=${index}\n`,
      });
      await set("app.image", again);
      await up();
      const back = new Load(status.url, { clients: 3, slowSeconds: 1 });
      await drydock("rollback", "--yes");
      assert.deepEqual((await back.stop()).reasons, {}, "of the rollback");
      await drydock("rollback", "--forward", "--yes");
      status = await clone.status();
      const user = docker(
        "inspect",
        "--format",
        "{{.Config.User}}",
        status.services.find(({ role }) => role === "app")!.container,
      );
      assert.equal(user, "33:33");
    });
  }
});
