import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { Gauges } from "../../../collector/gauges.ts";
import { HttpCounts } from "../../../collector/http.ts";

describe("what nginx says of requests", () => {
  let registry: Registry;
  let counts: HttpCounts;
  beforeEach(() => {
    registry = new Registry();
    counts = new HttpCounts(new Gauges(registry));
  });
  const line = (status: number, seconds: number, upstream = String(status)) =>
    `<190>Nov 29 16:22:25 drydock: ${status} ${seconds.toFixed(3)} ${upstream};`;
  const value = async (name: string, labels: object = {}) => {
    const metric = await registry.getSingleMetric(name)!.get();
    const found = metric.values.find(
      (one) =>
        JSON.stringify(one.labels) === JSON.stringify(labels) &&
        (!("metricName" in one) || !/_(sum|count)$/.test(String(one.metricName))),
    );
    return found?.value;
  };

  it("is counted by status, and by how long it took", async () => {
    counts.take(line(200, 0.03) + line(200, 1.5) + line(404, 0.001) + line(502, 0, "502, 502"));
    assert.equal(await value("drydock_http_requests_total", { code: "200" }), 2);
    assert.equal(await value("drydock_http_requests_total", { code: "404" }), 1);
    assert.equal(await value("drydock_http_requests_total", { code: "502" }), 1);
    assert.equal(await value("drydock_http_request_seconds", { le: 0.05 }), 3);
    assert.equal(await value("drydock_http_request_seconds", { le: 2 }), 4);
  });

  it("may come in parts", async () => {
    const text = line(200, 0.03) + line(500, 0.2);
    for (const letter of text) counts.take(letter);
    assert.equal(await value("drydock_http_requests_total", { code: "200" }), 1);
    assert.equal(await value("drydock_http_requests_total", { code: "500" }), 1);
  });

  it("counts the page of maintenance mode apart, but not a 503 of the application", async () => {
    counts.take(line(503, 0, "-") + line(503, 0.1));
    assert.equal(await value("drydock_http_maintenance_total"), 1);
    assert.equal(await value("drydock_http_requests_total", { code: "503" }), 1);
  });

  it("says nothing of how long a websocket was open", async () => {
    counts.take(line(101, 3600));
    assert.equal(await value("drydock_http_requests_total", { code: "101" }), 1);
    assert.equal(await value("drydock_http_request_seconds", { le: "+Inf" }), 0);
  });

  it("is left out where it is not nginx's", async () => {
    counts.take(`nonsense\n<3>${"x".repeat(10_000)}`);
    counts.take(line(200, 0.1));
    assert.equal(await value("drydock_http_requests_total", { code: "200" }), 1);
  });

  it("has no label of the visitors': their numbers stay the same however many there are", async () => {
    for (let index = 0; index < 1000; index++) counts.take(line(200, index / 100));
    const lines = (await registry.metrics()).split("\n").filter((one) => one.startsWith("drydock_"));
    assert.equal(lines.length, 5 + 1 + 13 + 2);
  });
});
