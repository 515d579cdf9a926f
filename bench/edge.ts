/**
 * What the edge costs: requests per second and latency through the edge and a stack's proxy, beside the proxy alone and
 * beside other servers that end TLS in its place, in turns on this machine. Makes an edge and a stack of its own, and
 * takes both away. Needs h2load (Debian: nghttp2-client) and openssl.
 *
 *     npx tsx bench/edge.ts [--runs 5] [--seconds 6] [--clients 16] [--caddy FILE] [--traefik FILE] [--json]
 *
 * --caddy and --traefik name programs that were built elsewhere; nginx is the stack's own. All of them run as
 * containers in the edge's network, and are asked at their own addresses: no published port is in the way.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { NETWORK } from "../contracts/edge.ts";
import { PORTS } from "../contracts/proxy.ts";
import { Clone, docker } from "../test/support/clone.ts";
import { EdgePeers, type Way } from "./peers/edge.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "6" },
    clients: { type: "string", default: "16" },
    caddy: { type: "string" },
    traefik: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const whole = (name: "runs" | "seconds" | "clients"): number => {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1 && number <= 100) return number;
  console.error(`--${name}: a whole number from 1 to 100, not ${values[name]}`);
  process.exit(2);
};
const [runs, seconds, clients] = [whole("runs"), whole("seconds"), whole("clients")];
for (const [program, debian] of [
  ["h2load", "nghttp2-client"],
  ["openssl", "openssl"],
] as const)
  if (spawnSync(program, ["--version"]).error !== undefined) {
    console.error(`${program} is not here: apt-get install ${debian}`);
    process.exit(2);
  }
for (const program of [values.caddy, values.traefik])
  if (program !== undefined && !existsSync(program)) {
    console.error(`${program}: there is no such file`);
    process.exit(2);
  }
const NAME = "shop.localhost";
/** A page of Laravel, and a file that the proxy answers by itself. */
const PATHS = { page: "/up", file: "/robots.txt" } as const;
const PROTOCOLS = ["h1", "h2"] as const;

const say = (text: string) => process.stderr.write(`${text}\n`);
const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const at = (numbers: readonly number[], part: number) => sorted(numbers)[Math.floor(numbers.length * part)] ?? 0;

interface Sample {
  /** Answered by all clients together. */
  readonly perSecond: number;
  /** Milliseconds, of a single client: nobody waits for a processor. */
  readonly p50: number;
  /** Milliseconds, with all clients. */
  readonly p99: number;
  readonly failed: number;
}

const folder = mkdtempSync(join(tmpdir(), "drydock-bench-edge-"));
const clone = new Clone();
let peers: EdgePeers | undefined;

async function did(what: string, args: string[]): Promise<void> {
  const { code, stdout, stderr } = await clone.drydock(args);
  if (code !== 0) throw new Error(`${what} failed:\n${stdout}\n${stderr}`);
}

const addressOf = (container: string): string =>
  docker("inspect", "--format", `{{(index .NetworkSettings.Networks "${NETWORK}").IPAddress}}`, container);

interface Asked {
  readonly way: Way;
  readonly path: string;
  readonly protocol: (typeof PROTOCOLS)[number];
}

/** One load, as the milliseconds of each request; h2load's log has lines of start, status and microseconds. */
function load(
  { way: { container, port, tls }, path, protocol }: Asked,
  by: number,
): { took: number[]; failed: number } {
  const log = join(folder, "log");
  rmSync(log, { force: true });
  const args = [
    ...["--clients", String(by), "--threads", "1", "--duration", String(seconds), "--warm-up-time", "1"],
    ...["--connect-to", `${addressOf(container)}:${port}`, "--log-file", log],
    ...(protocol === "h1" ? ["--h1"] : []),
    `${tls ? "https" : "http"}://${NAME}${path}`,
  ];
  // By HTTP/1.1 it waits for ever, now and then, for a server that has just closed a connection.
  for (let tries = 1; ; tries++) {
    const { status, error } = spawnSync("h2load", args, { stdio: "ignore", timeout: (seconds + 10) * 1000 });
    if (status === 0) break;
    if (tries === 3) throw error ?? new Error(`h2load ended with ${status}: h2load ${args.join(" ")}`);
    rmSync(log, { force: true });
  }
  const lines = readFileSync(log, "utf8").trim().split("\n");
  const requests = lines.map((line) => line.split("\t").map(Number));
  const good = requests.filter(([, status]) => status === 200);
  if (good.length < 10) throw new Error(`${container} ${path}: ${good.length} of ${requests.length} were answered`);
  return { took: good.map(([, , took]) => took! / 1000), failed: requests.length - good.length };
}

function sampleOf(asked: Asked): Sample {
  const [alone, all] = [load(asked, 1), load(asked, clients)];
  return {
    ...{ perSecond: all.took.length / seconds, p50: at(alone.took, 0.5), p99: at(all.took, 0.99) },
    failed: alone.failed + all.failed,
  };
}

/** Bytes that a container's processes have, without the pages of files. */
const memoryOf = (container: string): string =>
  docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container).split(" / ")[0]!;

interface Row {
  readonly way: string;
  readonly protocol: (typeof PROTOCOLS)[number];
  readonly path: keyof typeof PATHS;
  readonly samples: Sample[];
}

async function measure(ways: readonly Way[]): Promise<readonly Row[]> {
  // A file by HTTP/2 is left out: nginx closes a connection after a thousand requests, and h2load ends with it.
  const rows: Row[] = ways.flatMap((way) =>
    PROTOCOLS.filter((protocol) => way.tls || protocol === "h1").flatMap((protocol) =>
      (protocol === "h1" ? (["page", "file"] as const) : (["page"] as const)).map((path) => ({
        ...{ way: way.name, protocol, path },
        samples: [],
      })),
    ),
  );
  for (let run = 0; run < runs; run++)
    for (const row of rows) {
      const way = ways.find(({ name }) => name === row.way)!;
      const sample = sampleOf({ way, path: PATHS[row.path], protocol: row.protocol });
      row.samples.push(sample);
      say(
        `${row.way} ${row.protocol} ${row.path}: ${sample.perSecond.toFixed(0)}/s, ` +
          `p50 ${sample.p50.toFixed(2)} ms, p99 ${sample.p99.toFixed(2)} ms`,
      );
    }
  return rows;
}

try {
  clone.write("Pulumi.local.yaml", `config:\n  drydock:domains:\n    - name: ${NAME}\n`);
  await did("the edge", ["edge", "up", "--local"]);
  await did("the stack", ["up"]);
  const one = (role: string): string =>
    docker("ps", "--filter", `label=drydock.role=${role}`, "--format", "{{.Names}}");
  const proxy = (await clone.status()).services.find(({ role }) => role === "proxy")!;
  peers = new EdgePeers({ name: NAME, proxy, folder, programs: values });
  const ways: readonly Way[] = [
    { name: "proxy alone", container: proxy.container, port: PORTS.site, tls: false },
    { name: "edge", container: one("edge"), port: 8443, tls: true },
    ...peers.ways,
  ];
  await new Promise((done) => setTimeout(done, 3_000));
  const rows = await measure(ways);
  const memory = Object.fromEntries(ways.map(({ name, container }) => [name, memoryOf(container)]));
  const middle = (row: Row, of: keyof Sample) =>
    at(
      row.samples.map((sample) => sample[of]),
      0.5,
    );
  const alone = (path: keyof typeof PATHS) => rows.find((row) => row.way === "proxy alone" && row.path === path)!;
  const results = rows.map((row) => ({
    ...{ way: row.way, protocol: row.protocol, path: row.path, runs: row.samples.length },
    ...{ perSecond: middle(row, "perSecond"), p50: middle(row, "p50"), p99: middle(row, "p99") },
    ratio: middle(row, "perSecond") / middle(alone(row.path), "perSecond"),
    slower: middle(row, "p50") - middle(alone(row.path), "p50"),
    failed: row.samples.reduce((sum, sample) => sum + sample.failed, 0),
  }));
  if (values.json) process.stdout.write(`${JSON.stringify({ clients, seconds, results, memory }, null, 2)}\n`);
  else {
    say("");
    process.stdout.write(
      "| way | protocol | path | requests/s | times alone | p50, one client | later than alone | p99 | failed |\n",
    );
    process.stdout.write("|---|---|---|---|---|---|---|---|---|\n");
    for (const { way, protocol, path, perSecond, ratio, p50, slower, p99, failed } of results)
      process.stdout.write(
        `| ${way} | ${protocol} | ${PATHS[path]} | ${perSecond.toFixed(0)} | ${ratio.toFixed(2)} | ` +
          `${p50.toFixed(2)} ms | ${slower.toFixed(2)} ms | ${p99.toFixed(2)} ms | ${failed} |\n`,
      );
    process.stdout.write(
      `memory afterwards: ${Object.entries(memory)
        .map(([name, size]) => `${name} ${size}`)
        .join(", ")}\n`,
    );
  }
} finally {
  peers?.remove();
  await clone.drydock(["destroy", "--yes", "--volumes"]);
  await clone.drydock(["edge", "down", "--yes"]);
  for (const name of ["state", "certificates", "accounts"])
    await clone.run("docker", ["volume", "rm", `drydock-edge-${name}`]);
  rmSync(clone.dir, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
