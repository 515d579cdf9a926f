import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request as ask, type Server } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { makeKeys } from "../../../../cli/dashboard/admission.ts";
import { Checks, rowOf } from "../../../../cli/dashboard/findings.ts";
import type { Parts } from "../../../../cli/dashboard/page/state.ts";
import { Poller } from "../../../../cli/dashboard/poller.ts";
import { listen } from "../../../../cli/dashboard/server.ts";
import { type Source, told } from "../../../../cli/dashboard/sources/source.ts";
import { CliError } from "../../../../cli/shared/errors.ts";
import type { Session } from "../../../../cli/shared/session.ts";
import { sample } from "../../../support/dashboard/sample.ts";

const files = { script: "console.log(1)", style: "p{}" };
const keys = makeKeys();

/** A source that counts how often it is read. */
class Counted implements Source {
  readonly name = "queues";
  readonly parts = ["queues"] as const;
  readonly every = 20;
  reads = 0;
  read(): Promise<Partial<Parts>> {
    this.reads++;
    return Promise.resolve({ queues: told({ queues: [], failed: this.reads }) });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

describe("the dashboard's server", () => {
  const source = new Counted();
  const poller = new Poller("shop", [source]);
  const looks = {
    drift: () =>
      sleep(50, [{ kind: "missing", name: "app-1", what: "its container was removed", remedy: "./drydock up" }]),
    doctor: async () => {
      throw new CliError({ what: "it is being changed", remedy: "wait" });
    },
    policies: async () => [],
  };
  const checks = new Checks({} as Session, looks);
  let server: Server;
  let url: URL;
  before(async () => {
    const listening = await listen({ keys, poller, checks, files }, 0);
    server = listening.server;
    url = new URL(listening.url);
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const COOKIE = `drydock-dashboard=${keys.token}`;
  const get = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = ask({ host: "127.0.0.1", port: url.port, path, method, headers }, (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (text: string) => (body += text));
        answer.on("end", () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
      });
      sent.on("error", reject);
      sent.end();
    });
  const inside = (path: string, headers: Record<string, string> = {}) =>
    get(keys.folder + path, { cookie: COOKIE, ...headers });

  it("listens on this machine alone, and prints its address with the token", () => {
    assert.equal((server.address() as AddressInfo).address, "127.0.0.1");
    assert.equal(url.hostname, "127.0.0.1");
    assert.equal(url.searchParams.get("token"), keys.token);
  });

  it("leads from the token to an address without it", async () => {
    const { status, headers, body } = await get(`${url.pathname}${url.search}`);
    assert.deepEqual([status, headers["location"]], [303, keys.folder]);
    assert.deepEqual(headers["set-cookie"], [`${COOKIE}; Path=${keys.folder}; HttpOnly; SameSite=Strict`]);
    assert.doesNotMatch(body, new RegExp(keys.token));
    const strange = await get(`${url.pathname}${url.search}`, { "sec-fetch-site": "cross-site" });
    assert.deepEqual([strange.status, strange.headers["refresh"]], [200, `0; url=${keys.folder}`]);
  });

  it("says with every answer, also a refusal, what the page may do", async () => {
    for (const answer of [await inside(""), await inside("nothing"), await get("/"), await get("/", {}, "POST")]) {
      assert.match(String(answer.headers["content-security-policy"]), /^default-src 'none'; script-src 'self';/);
      assert.match(String(answer.headers["content-security-policy"]), /frame-ancestors 'none'/);
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.equal(answer.headers["referrer-policy"], "no-referrer");
      assert.equal(answer.headers["x-content-type-options"], "nosniff");
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    }
  });

  it("answers GET alone, and tells nothing to who has no cookie or another Host", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) {
      const { status, headers } = await get(keys.folder, { cookie: COOKIE }, method);
      assert.deepEqual([status, headers["allow"]], [405, "GET"], method);
    }
    for (const path of ["", "page.js", "state.json", "events", "findings/drift", "findings/doctor"]) {
      assert.equal((await get(keys.folder + path)).status, 403, path);
      assert.equal((await inside(path, { host: "evil.test" })).status, 403, path);
    }
    assert.equal(checks.last.size, 0, "nobody has looked");
  });

  it("serves the page with its files, and the token in none of them", async () => {
    const [page, script, state] = await Promise.all(["", "page.js", "state.json"].map((path) => inside(path)));
    assert.match(String(page!.headers["content-type"]), /^text\/html/);
    assert.match(page!.body, /<h1>shop<\/h1>/);
    assert.match(page!.body, /<script defer src="page.js"><\/script>/);
    assert.equal(script!.body, files.script);
    assert.ok(page!.body.includes(`<style>${files.style}</style>`));
    const hash = createHash("sha256").update(files.style).digest("base64");
    assert.ok(String(page!.headers["content-security-policy"]).includes(`style-src 'sha256-${hash}';`));
    assert.equal(JSON.parse(state!.body).stack, "shop");
    for (const { body } of [page!, script!, state!]) assert.ok(!body.includes(keys.token));
    assert.equal((await inside("../package.json")).status, 404);
  });

  it("asks nobody as long as nobody looks", async () => {
    const before = source.reads;
    await inside("");
    await sleep(80);
    assert.equal(source.reads, before);
  });

  /** Follows the events until it is let go. */
  const follow = (path = "events") => {
    const events: { name: string; data: { parts?: object; name?: string } }[] = [];
    const sent = ask(
      { host: "127.0.0.1", port: url.port, path: keys.folder + path, headers: { cookie: COOKIE } },
      (answer) => {
        let rest = "";
        answer.setEncoding("utf8").on("data", (text: string) => {
          const parts = (rest + text).split("\n\n");
          rest = parts.pop()!;
          for (const part of parts) {
            const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
            if (name !== undefined) events.push({ name, data: JSON.parse(data!) });
          }
        });
        answer.on("error", () => undefined);
      },
    );
    sent.on("error", () => undefined);
    sent.end();
    return { events, close: () => sent.destroy() };
  };
  const until = async (holds: () => boolean) => {
    for (const began = Date.now(); !holds(); await sleep(5))
      if (Date.now() - began > 5_000) assert.fail("not within 5 s");
  };

  it("sends what is known, then what is new, to all from one look, and looks no more when they are gone", async () => {
    const viewers = [follow(), follow("events?last=day"), follow("events?last=nonsense")];
    await until(() => viewers.every(({ events }) => events.length >= 4));
    for (const { events } of viewers) {
      assert.deepEqual([events[0]!.name, Object.keys(events[0]!.data.parts!).length], ["state", 9]);
      assert.deepEqual([events[1]!.name, events[1]!.data.name], ["part", "queues"]);
    }
    const parts = viewers.map(({ events }) => events.filter(({ name }) => name === "part").length);
    assert.ok(source.reads <= Math.max(...parts) + 1, `${source.reads} reads for ${parts} events`);
    viewers[0]!.close();
    await sleep(60);
    const still = source.reads;
    await until(() => source.reads > still);
    for (const { close } of viewers) close();
    await sleep(80);
    const before = source.reads;
    await sleep(80);
    assert.equal(source.reads, before);
  });

  it("looks for drift when it is asked, once for all who ask, and says why where it can't", async () => {
    const [one, other] = await Promise.all([inside("findings/drift"), inside("findings/drift")]);
    assert.deepEqual(JSON.parse(one.body).findings[0].name, "app-1");
    assert.equal(one.body, other.body);
    const failed = JSON.parse((await inside("findings/doctor")).body);
    assert.deepEqual(failed.problem, { what: "it is being changed", remedy: "wait" });
    assert.deepEqual(JSON.parse((await inside("findings/policies")).body).findings, []);
    assert.equal((await inside("findings/others")).status, 404);
    // Who comes later is shown what was found last.
    assert.match((await inside("")).body, /its container was removed/);
  });

  it("says that a port is taken, and what to do", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    await assert.rejects(listen({ keys, poller, checks, files }, port), (error: CliError) => {
      assert.match(error.message, new RegExp(`127.0.0.1:${port} can't be listened on: EADDRINUSE`));
      assert.match(error.remedy!, /--port/);
      return true;
    });
    other.close();
  });
});

describe("what the dashboard shows of the policies", () => {
  const finding = { rule: "image-pinned", level: "mandatory", resource: "app-1" };
  it("is what is wrong and the remedy, and where the reason is", () => {
    const message = 'container "app-1": image is shop:latest\nnot by digest\nWhy: it moves (004)\nRemedy: name one';
    assert.deepEqual(rowOf({ ...finding, message }), {
      ...{ kind: "mandatory", name: "image-pinned", what: 'container "app-1": image is shop:latest; not by digest' },
      remedy: "name one\n./drydock policies explain image-pinned",
    });
  });
  it("is the whole of a message that has no remedy", () => {
    assert.deepEqual(rowOf({ ...finding, message: "undecided" }), {
      ...{ kind: "mandatory", name: "image-pinned", what: "undecided" },
      remedy: "./drydock policies explain image-pinned",
    });
  });
});

describe("what the dashboard's server knows", () => {
  it("keeps what it knew where a look fails, and says why", async () => {
    let fail = false;
    const source: Source = {
      ...{ name: "containers", parts: ["containers"], every: 1_000 },
      read: () =>
        fail
          ? Promise.reject(new CliError({ what: "Docker is gone", remedy: "docker version" }))
          : Promise.resolve({ containers: sample.parts.containers }),
    };
    const poller = new Poller("shop", [source]);
    await poller.readOnce();
    fail = true;
    const { parts } = await poller.readOnce();
    assert.deepEqual(parts.containers, {
      ...sample.parts.containers,
      problem: { what: "Docker is gone", remedy: "docker version" },
    });
    assert.deepEqual(parts.queues, {});
  });

  it("is read at once where a key is another, and each range only where somebody looks at it", async () => {
    const wanted: string[][] = [];
    let release = "a";
    const sources: Source[] = [
      {
        name: "containers",
        parts: ["containers"],
        every: 20,
        read: async () => ({ containers: told({ stack: "", url: "", release, services: [] }) }),
      },
      {
        ...{ name: "releases", parts: ["charts"], every: 60_000 },
        read: async ({ ranges }) => {
          wanted.push([...ranges]);
          return { charts: told({}) };
        },
        key: ({ containers }) => containers.value?.release ?? "",
      },
    ];
    const poller = new Poller("shop", sources);
    const leave = poller.view("day", () => undefined);
    await sleep(100);
    // Once at the beginning, and once when it was first known who serves.
    const before = wanted.length;
    assert.ok(before >= 1 && before <= 2, String(before));
    release = "b";
    await sleep(100);
    leave();
    assert.equal(wanted.length, before + 1);
    assert.deepEqual([...new Set(wanted.flat())], ["day"]);
  });
});
