/**
 * A release under load, side by side: `./drydock up`, `docker compose up` and the method of docker-rollout deploy the
 * same images of the same application on this machine, in turns. Prints wall time, when the traffic had moved, failed
 * requests, and p99 beside p99 without a release. npx tsx bench/release.ts [--runs 5] [--replicas 3,10] [--clients 4]
 * [--ways "pulumi up,docker-rollout"] [--json]
 */
import { parseArgs } from "node:util";
import { Clone, type Status } from "../test/support/clone.ts";
import { Load } from "../test/support/load.ts";
import { Peer } from "./peers/release.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    replicas: { type: "string", default: "3,10" },
    clients: { type: "string", default: "4" },
    ways: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const whole = (name: string, text: string): number => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  console.error(`--${name}: a whole number from 1, not ${text}`);
  process.exit(2);
};
const runs = whole("runs", values.runs);
const clients = whole("clients", values.clients);
const sizes = values.replicas.split(",").map((size) => whole("replicas", size));
/** How long the load runs without a release, for comparison. */
const QUIET = 10_000;
const SLOW = 5;

const say = (text: string) => process.stderr.write(`${text}\n`);
const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const median = (numbers: readonly number[]) => sorted(numbers)[Math.floor(numbers.length / 2)]!;
const p99 = (numbers: readonly number[]) => sorted(numbers)[Math.floor(numbers.length * 0.99)]!;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Way = "drydock up" | "pulumi up" | "docker-rollout" | "compose up";
const ALL: readonly Way[] = ["drydock up", "pulumi up", "docker-rollout", "compose up"];
const WAYS = values.ways === undefined ? ALL : ALL.filter((way) => values.ways!.split(",").includes(way));
if (WAYS.length === 0) {
  console.error(`--ways: some of ${ALL.join(", ")}, with commas`);
  process.exit(2);
}

interface Run {
  readonly seconds: number;
  readonly moved: number;
  readonly failed: number;
  readonly total: number;
  readonly durations: readonly number[];
  readonly reasons: Readonly<Record<string, number>>;
}
interface Sample {
  readonly replicas: number;
  readonly way: Way;
  readonly quiet: number[];
  readonly runs: Run[];
}

const clone = new Clone();
const view = "examples/laravel/resources/views/home.blade.php";
const texts = [clone.read(view), clone.read(view).replace("<h1>", '<h1 class="b">')];
const ok = async (args: string[]) => {
  const { code, stdout, stderr } = await clone.drydock(args);
  if (code !== 0) throw new Error(`./drydock ${args.join(" ")} failed:\n${stdout}\n${stderr}`);
};
/** What `eval "$(./drydock env)"` sets, once for all: a shell does it once, too. */
let shell: Record<string, string> = {};
const plain = async (args: string[]) => {
  const { code, stdout, stderr } = await clone.run("pulumi", [...args, "--non-interactive"], shell);
  if (code !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${stdout}\n${stderr}`);
};

/** Under load from its beginning to its end; the load goes on for a second after it. */
async function measured(url: string, release: () => Promise<void>): Promise<Run> {
  const load = new Load(url, { clients, slowSeconds: SLOW, limit: 200_000 });
  await sleep(1000);
  const first = new Set<string>();
  for (let i = 0; i < 40; i++) first.add((await answered(url)) ?? "");
  const began = performance.now();
  let moved = 0;
  let over = false;
  const watch = (async () => {
    while (!over) {
      const replica = await answered(url);
      if (replica !== undefined && first.has(replica)) moved = (performance.now() - began) / 1000;
      await sleep(100);
    }
  })();
  try {
    await release();
    const seconds = (performance.now() - began) / 1000;
    await sleep(1000);
    over = true;
    await watch;
    const { total, failed, durations, reasons } = await load.stop();
    return { seconds, moved, failed, total, durations: durations.filter((ms) => ms < SLOW * 1000), reasons };
  } finally {
    over = true;
    await load.stop();
  }
}

async function answered(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/release`, {
      signal: AbortSignal.timeout(5000),
      headers: { Connection: "close" },
    });
    await response.text();
    return response.headers.get("x-replica") ?? undefined;
  } catch {
    return undefined;
  }
}

const samples: Sample[] = [];
let peer: Peer | undefined;
try {
  say("setting up: the stack, its two images");
  await ok(["up"]);
  const { stdout } = await clone.run("sh", ["-c", 'eval "$(./drydock env 2> /dev/null)"; env -0']);
  shell = Object.fromEntries(
    stdout
      .split("\0")
      .filter((line) => line.startsWith("PULUMI_") || line.startsWith("PATH="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const images: string[] = [];
  for (const text of [texts[1]!, texts[0]!]) {
    clone.edit(view, () => text);
    await ok(["up"]);
    images.unshift((await clone.status()).services.find(({ role }) => role === "app")!.image);
  }

  for (const replicas of sizes) {
    await plain(["config", "set", "--path", "drydock:app.replicas", String(replicas)]);
    clone.edit(view, () => texts[0]!);
    await ok(["up"]);
    let status: Status = await clone.status();
    peer = await Peer.start(status, replicas);
    const own: Record<Way, Sample> = Object.fromEntries(
      WAYS.map((way) => [way, { replicas, way, quiet: [], runs: [] }]),
    ) as never;
    samples.push(...Object.values(own));
    const side = (way: Way) => (way === "drydock up" || way === "pulumi up" ? "stack" : "peer");
    const turn = (way: Way, work: (url: string) => Promise<void>) =>
      work(side(way) === "stack" ? status.url : peer!.url);
    /** Which of the two texts each side shows: every release is one to the other. */
    const shown = { stack: 0, peer: 0 };
    for (let run = 1; run <= runs; run++) {
      for (const way of WAYS) {
        const text = (shown[side(way)] = 1 - shown[side(way)]);
        await turn(way, async (url) => {
          const quiet = new Load(url, { clients, slowSeconds: SLOW, limit: 200_000 });
          await sleep(QUIET);
          const { durations } = await quiet.stop();
          own[way].quiet.push(...durations.filter((ms) => ms < SLOW * 1000));
          clone.edit(view, () => texts[text]!);
          const one = await measured(url, async () => {
            if (way === "drydock up") await ok(["up"]);
            else if (way === "pulumi up") await plain(["up", "--yes", "--skip-preview"]);
            else await peer!.release(way === "docker-rollout" ? "rollout" : "compose", images[text]!);
          });
          own[way].runs.push(one);
          say(
            `${replicas} replicas, ${way}: ${one.seconds.toFixed(1)} s, ` +
              `traffic moved after ${one.moved.toFixed(1)} s, ${one.failed} of ${one.total} failed ` +
              `${one.failed > 0 ? JSON.stringify(one.reasons) : ""}`,
          );
        });
        if (side(way) === "stack") status = await clone.status();
      }
    }
    peer.remove();
    peer = undefined;
  }
} finally {
  peer?.remove();
  await clone.remove();
}

const rows = samples.map(({ replicas, way, quiet, runs }) => {
  const all = runs.flatMap(({ durations }) => durations);
  const sum = (of: (run: Run) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    replicas,
    way,
    seconds: median(runs.map((run) => run.seconds)),
    moved: median(runs.map((run) => run.moved)),
    failed: sum((run) => run.failed),
    total: sum((run) => run.total),
    p99: p99(all),
    p99Quiet: p99(quiet),
  };
});
if (values.json)
  console.log(
    JSON.stringify({
      runs,
      clients,
      rows,
      samples: samples.map(({ quiet: _, runs, ...rest }) => ({
        ...rest,
        runs: runs.map(({ durations: __, ...run }) => run),
      })),
    }),
  );
else {
  console.log(
    "| replicas | way | wall time (median) | times docker-rollout | traffic moved after | failed / requests | " +
      "p99 | times p99 without a release |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  for (const row of rows) {
    const rollout = rows.find(({ replicas, way }) => replicas === row.replicas && way === "docker-rollout");
    console.log(
      `| ${row.replicas} | ${row.way} | ${row.seconds.toFixed(1)} s | ` +
        `${rollout === undefined ? "" : (row.seconds / rollout.seconds).toFixed(2)} | ${row.moved.toFixed(1)} s | ` +
        `${row.failed} / ${row.total} | ${row.p99.toFixed(0)} ms | ${(row.p99 / row.p99Quiet).toFixed(2)} |`,
    );
  }
}
