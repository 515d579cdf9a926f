import assert from "node:assert/strict";
import { createServer as createSite } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Registry } from "prom-client";
import { Gauges } from "../../../collector/gauges.ts";
import { Laravel } from "../../../collector/laravel.ts";
import type { CollectorSettings } from "../../../contracts/monitoring.ts";

const fpm = { path: "/var/www/html", maxChildren: 5, queues: [], horizon: false, scheduler: false };
const settings: CollectorSettings = {
  ...{ stack: "shop", interval: 5, roles: [], docker: false, domains: [], fpm },
  site: { host: "shop.example.com", path: "/up" },
};
const PROCESS = JSON.stringify({ fpm: null, opcache: null });
const LARAVEL = JSON.stringify({ queues: [], failed: 7, horizon: null, scheduled: null });

/** An answer as PHP-FPM sends it. */
function answer(content: string): Buffer {
  const record = (type: number, body: string) => {
    const head = Buffer.from([1, type, 0, 1, 0, 0, 0, 0]);
    head.writeUInt16BE(Buffer.byteLength(body), 4);
    return Buffer.concat([head, Buffer.from(body)]);
  };
  return Buffer.concat([record(6, `\r\n\r\n\x1e${content}\n`), record(3, "\0\0\0\0\0\0\0\0")]);
}

/** A replica whose processes answer at once, and whose Laravel may hang. */
class Replica {
  readonly server: Server;
  hangs = false;
  /** Questions to Laravel that have not been answered. */
  readonly open = new Set<Socket>();
  constructor() {
    this.server = createServer((socket) => {
      socket.on("error", () => undefined).on("close", () => this.open.delete(socket));
      socket.once("data", (asked) => {
        if (asked.includes("/process")) socket.end(answer(PROCESS));
        else if (this.hangs) this.open.add(socket);
        else socket.end(answer(LARAVEL));
      });
    }).listen(0, "127.0.0.1");
  }
  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  end(): void {
    for (const socket of this.open) socket.end(answer(LARAVEL));
  }
}

describe("measuring Laravel", () => {
  const replicas = [new Replica(), new Replica()];
  const proxy = createSite((_, response) => response.end(replicas.map(({ address }) => address).join(","))).listen(0);
  after(() => {
    for (const one of replicas) one.end();
    for (const one of [...replicas.map(({ server }) => server), proxy]) one.close();
  });

  const registry = new Registry();
  const laravel = new Laravel(
    new Gauges(registry),
    settings,
    fpm,
    `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    300,
  );
  const value = async (name: string): Promise<number | undefined> => {
    const metric = await registry.getSingleMetric(`drydock_${name}`)!.get();
    return metric.values[0]?.value;
  };

  it("takes one process of a replica at most while Laravel hangs, and goes on by itself", async () => {
    await laravel.round();
    assert.deepEqual([await value("laravel_up"), await value("failed_jobs")], [1, 7]);
    for (const one of replicas) one.hangs = true;
    for (let round = 0; round < 3; round++) await laravel.round();
    assert.deepEqual(
      replicas.map(({ open }) => open.size),
      [1, 1],
    );
    assert.deepEqual([await value("laravel_up"), await value("failed_jobs")], [0, undefined]);
    for (const one of replicas) one.hangs = false;
    // One that goes on to hang does not hide that the other is well.
    replicas[0]!.end();
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let round = 0; round < 2; round++) {
      await laravel.round();
      assert.deepEqual([await value("laravel_up"), await value("failed_jobs")], [1, 7]);
    }
  });
});
