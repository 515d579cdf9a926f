import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { Certificates } from "../../../collector/certificates.ts";
import { Gauges } from "../../../collector/gauges.ts";

describe("looking at certificates", () => {
  it("waits for no name longer than for itself, and forgets what can't be seen any more", async () => {
    const registry = new Registry();
    const names = ["a.example.com", ...Array.from({ length: 40 }, (_, index) => `silent-${index}.example.com`)];
    let there = true;
    const most = { now: 0, ever: 0 };
    const certificates = new Certificates(new Gauges(registry), names, async (name) => {
      most.ever = Math.max(most.ever, ++most.now);
      await new Promise((resolve) => setTimeout(resolve, name.startsWith("silent") ? 20 : 0));
      most.now--;
      if (name.startsWith("silent") || !there) throw new Error("no answer");
      return { notBefore: 1, notAfter: 2, trusted: false };
    });
    const shown = async () =>
      (await registry.getSingleMetric("drydock_certificate_trusted")!.get()).values.map(({ labels, value }) => [
        labels["domain"],
        value,
      ]);
    await certificates.round();
    assert.deepEqual(await shown(), [["a.example.com", 0]]);
    assert.equal(most.ever, 8);
    there = false;
    await certificates.round();
    assert.deepEqual(await shown(), []);
  });
});
