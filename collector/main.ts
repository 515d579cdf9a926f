import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Registry } from "prom-client";
import { collectorSchema, FOLDERS, HTTP_SOCKET, PORTS, SETTINGS } from "../contracts/monitoring.ts";
import { Certificates } from "./certificates.ts";
import { Containers } from "./containers.ts";
import { Found } from "./found.ts";
import { Gauges } from "./gauges.ts";
import { HttpCounts } from "./http.ts";
import { Laravel } from "./laravel.ts";
import { Site } from "./site.ts";

/** Milliseconds between two looks at the certificates: what a new one has taken the place of is soon no alert's. */
const CERTIFICATES = 300_000;
/** Docker is asked once in this many rounds: it has to look at each container. */
const DOCKER_EVERY = 2;

const settings = collectorSchema.parse(JSON.parse(process.env[SETTINGS] ?? "null"));
const log = (message: string): void => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), message })}\n`);
};

const registry = new Registry();
const gauges = new Gauges(registry);
const http = new HttpCounts(gauges);
const site = new Site(gauges, settings.site);
const laravel = settings.fpm && new Laravel(gauges, settings, settings.fpm);
const containers = settings.docker ? new Containers(gauges, settings, undefined, undefined, log) : undefined;
const found = new Found(gauges);
const certificates = new Certificates(gauges, settings.domains);

http.listen(join(FOLDERS.proxy, HTTP_SOCKET), log);
const server = createServer((request, response) => {
  if (request.url === "/healthz") return void response.end("well\n");
  if (request.url !== "/metrics") return void response.writeHead(404).end();
  registry.metrics().then(
    (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
    (error: Error) => response.writeHead(500).end(error.message),
  );
}).listen(PORTS.collector);

for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.once(signal, () => {
    http.stop();
    server.close();
    process.exit(0);
  });

/** By themselves: names that can't be reached from here must not hold up the rest. */
async function lookAtCertificates(): Promise<never> {
  for (;;) {
    await certificates.round();
    await sleep(CERTIFICATES);
  }
}

log(`measures ${settings.stack} every ${settings.interval} s`);
void lookAtCertificates();
for (let round = 0; ; round++) {
  const began = performance.now();
  found.round();
  const due = [site.round(), laravel?.round(), ...(round % DOCKER_EVERY === 0 ? [containers?.round()] : [])];
  for (const { reason } of (await Promise.allSettled(due)).filter((one) => one.status === "rejected"))
    log(reason instanceof Error ? reason.message : String(reason));
  await sleep(Math.max(1_000, settings.interval * 1000 - (performance.now() - began)));
}
