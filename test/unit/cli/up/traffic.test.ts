import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "mocha";
import { type CliError, Exit } from "../../../../cli/shared/errors.ts";
import {
  percentile,
  type Traffic,
  TrafficWatch,
  targetOf,
  trafficLine,
  watchOptions,
} from "../../../../cli/up/traffic.ts";

const text = (_: string, plain: string): string => plain;

describe("a probe during a release", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function watched(
    answer: RequestListener,
    paths: readonly string[],
    { timeout = 10_000, enough = (): boolean => true } = {},
  ): Promise<Traffic> {
    server = createServer(answer);
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    const watch = await TrafficWatch.start(
      { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, host: "shop.example" },
      { paths, rate: 100, timeout },
    );
    // A busy machine answers fewer in that time.
    for (const end = Date.now() + 10_000; ; ) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      if (enough() || Date.now() > end) break;
    }
    return watch.stop();
  }

  it("counts what was answered, asks with GET by the site's name, over kept and fresh connections", async () => {
    const seen = new Set<string>();
    const began = Date.now();
    let asked = 0;
    const { total, failed, reasons, p50, p99, longestGap } = await watched(
      (request, response) => {
        asked++;
        seen.add(`${request.method} ${request.headers.host} ${request.url} ${request.headers.connection}`);
        response.end("ok");
      },
      ["/up", "/"],
      { enough: () => asked >= 12 },
    );
    assert.deepEqual([failed, reasons], [0, {}]);
    const took = Date.now() - began;
    assert.ok(total >= 10 && total <= 1 + took / 10, `${total} in ${took} ms`);
    assert.ok(p50 !== null && p99 !== null && p50 <= p99 && longestGap < took);
    assert.deepEqual([...seen].sort(), [
      "GET shop.example / close",
      "GET shop.example / keep-alive",
      "GET shop.example /up close",
      "GET shop.example /up keep-alive",
    ]);
  });

  it(
    "counts an error of the server, a cut connection and no answer in time as failed, " + "each by its reason",
    async () => {
      let n = 0;
      const { failed, reasons } = await watched(
        (_, response) => {
          n++;
          if (n === 5) response.writeHead(502).end();
          else if (n === 7) response.destroy();
          else if (n !== 9) response.end("ok");
        },
        ["/"],
        { timeout: 150 },
      );
      assert.equal(failed, 3);
      // Whether the connection was a kept one depends on which request came to be cut.
      const plain = Object.fromEntries(
        Object.entries(reasons).map(([reason, times]) => [reason.replace(" on a kept connection", ""), times]),
      );
      assert.deepEqual(plain, { "/ 502": 1, "/ ECONNRESET": 1, "/ no answer in 0.15 s": 1 });
    },
  );

  it("takes a status that was there before for the right one, and its change for a failure", async () => {
    let n = 0;
    const { failed, reasons } = await watched(
      (request, response) => response.writeHead(request.url === "/login" ? 401 : ++n > 8 ? 404 : 200).end(),
      ["/login", "/"],
      { enough: () => n > 10 },
    );
    assert.ok(failed > 0);
    assert.deepEqual(Object.keys(reasons), ["/ 404"]);
  });

  it("counts the page of maintenance mode apart", async () => {
    const { total, failed, maintenance, p50 } = await watched(
      (_, response) => response.writeHead(503, { "X-Drydock-Maintenance": "on" }).end(),
      ["/"],
    );
    assert.deepEqual([failed, maintenance, p50], [0, total, null]);
  });

  it("measures the longest time without an answer", async () => {
    const began = Date.now();
    const { longestGap } = await watched(
      (_, response) =>
        setTimeout(
          () => response.end(),
          Date.now() - began > 100 && Date.now() - began < 300 ? 320 - (Date.now() - began) : 0,
        ),
      ["/"],
    );
    assert.ok(longestGap >= 120, String(longestGap));
  });
});

describe("percentiles", () => {
  it("are by nearest rank", () =>
    assert.deepEqual(
      [percentile([1, 2, 3, 4], 50), percentile([1, 2, 3, 4], 99), percentile([7.6], 50), percentile([], 50)],
      [2, 4, 8, null],
    ));
});

describe("what is watched", () => {
  const config = (docker: object, proxy: object) => ({ "drydock:docker": docker, "drydock:proxy": proxy });

  it("is the published port where it is here, by the site's name", () => {
    assert.deepEqual(targetOf(config({}, { port: 8090 }), "http://127.0.0.1:8090"), { url: "http://127.0.0.1:8090" });
    assert.deepEqual(targetOf(config({}, { port: 80, interface: "0.0.0.0" }), "https://shop.example"), {
      url: "http://127.0.0.1:80",
      host: "shop.example",
    });
    assert.deepEqual(targetOf(config({}, { interface: "::1" }), "https://shop.example"), {
      url: "http://[::1]:8080",
      host: "shop.example",
    });
  });
  it("is the site's address where Docker is elsewhere", () =>
    assert.deepEqual(targetOf(config({ host: "ssh://ann@ship" }, {}), "https://shop.example"), {
      url: "https://shop.example",
    }));
  it("is the health path and the home page, unless others are named", () => {
    assert.deepEqual(watchOptions({}, "/up"), { paths: ["/up", "/"], rate: 20 });
    assert.deepEqual(watchOptions({ watchPath: ["/shop"], watchRate: "5" }, "/up"), { paths: ["/shop"], rate: 5 });
  });
  for (const wrong of [
    { watchRate: "0" },
    { watchRate: "201" },
    { watchRate: "fast" },
    { watchPath: ["up"] },
    { watchPath: ["/a b"] },
  ]) {
    it(`refuses ${JSON.stringify(wrong)}`, () =>
      assert.throws(
        () => watchOptions(wrong, "/up"),
        (error: CliError) => error.code === Exit.usage,
      ));
  }
});

describe("the line about it", () => {
  const traffic: Traffic = {
    url: "http://127.0.0.1:8080",
    paths: ["/up", "/"],
    rate: 20,
    began: "2026-01-31T10:00:00.000Z",
    ended: "2026-01-31T10:00:24.400Z",
    total: 480,
    failed: 0,
    reasons: {},
    maintenance: 0,
    p50: 12,
    p99: 80,
    longestGap: 110,
  };
  it("says that none failed", () => {
    assert.equal(
      trafficLine(traffic, text),
      "traffic  480 requests in 24 s (20/s of /up, /): 0 failed\n         p50 12 ms, p99 80 ms, " +
        "longest time without an answer 110 ms",
    );
  });
  it("can't be overlooked when one did", () => {
    assert.match(
      trafficLine({ ...traffic, failed: 3, reasons: { "/ 502": 1, "/up ECONNRESET": 2 } }, text),
      /: 3 FAILED: \/up ECONNRESET \(2×\), \/ 502 \(1×\)/,
    );
  });
});
