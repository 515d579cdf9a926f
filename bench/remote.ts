/**
 * What a Docker host over ssh costs a release, beside one whose socket is of this machine: two stacks on one engine (a
 * machine beside this one, test/support/remote/rig.ts), one reached by its socket and one over ssh through a relay that
 * takes half of the round trip each way. The images are built before; in turns, medians. npx tsx bench/remote.ts
 * [--runs 3] [--replicas 3] [--trip 50] [--steps] [--json]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { imageTags, OF_A_STACK } from "../cli/setup/images-tags.ts";
import { Clone, type Result } from "../test/support/clone.ts";
import { PlainUp, type Step } from "../test/support/faults/steps.ts";
import { HOST, Machine } from "../test/support/remote/rig.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    replicas: { type: "string", default: "3" },
    /** In ms. */
    trip: { type: "string", default: "50" },
    /** Shows how long each step took, both ways. */
    steps: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [runs, replicas, trip] = [values.runs, values.replicas, values.trip].map(Number) as [number, number, number];
const say = (text: string) => process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

const ship = await new Machine().start();
const WAYS = { socket: 0, ssh: 0, far: trip } as const;
type Way = keyof typeof WAYS;
const samples: Record<Way, number[]> = { socket: [], ssh: [], far: [] };
const steps: Record<Way, Map<string, number[]>> = { socket: new Map(), ssh: new Map(), far: new Map() };
const clones: Clone[] = [];

/** A stack that has released both of its images. */
async function begin(host: string): Promise<Clone> {
  const clone = new Clone();
  clones.push(clone);
  const done = async (run: Promise<Result>): Promise<void> => {
    const { code, stdout, stderr } = await run;
    if (code !== 0) throw new Error(stdout + stderr);
  };
  await done(clone.drydock(["preview"]));
  for (const [path, value] of Object.entries({ "docker.host": host, "app.replicas": String(replicas) })) {
    await done(clone.pulumi(["config", "set", "-s", "local", "--path", `drydock:${path}`, value]));
  }
  for (const image of [0, 1]) {
    turn(clone, image);
    await done(clone.drydock(["up"]));
  }
  return clone;
}

const VIEW = "examples/laravel/resources/views/home.blade.php";
const turn = (clone: Clone, image: number): void =>
  clone.edit(VIEW, (page) => page.replace(/<h1[^>]*>/, `<h1 data-image="${image % 2}">`));

async function release(way: Way, clone: Clone, run: number): Promise<void> {
  turn(clone, run);
  ship.link.delay = WAYS[way] / 2;
  const began = performance.now();
  const taken: readonly Step[] = await new PlainUp(clone).steps();
  samples[way].push((performance.now() - began) / 1000);
  ship.link.delay = 0;
  for (const { name, took } of taken) steps[way].set(name, [...(steps[way].get(name) ?? []), took]);
  say(`${way}: ${samples[way].at(-1)!.toFixed(1)} s`);
  await sleep(2_000);
}

try {
  ship.load(OF_A_STACK.map((name) => imageTags()[name]));
  Object.assign(process.env, ship.env(), { DOCKER_HOST: ship.socket });
  const near = await begin(ship.socket);
  const far = await begin(HOST);
  // Each release has another image than the one before it: there are three in a round, and two images.
  for (let run = 0; run < runs; run++) {
    await release("socket", near, run);
    await release("ssh", far, 2 * run);
    await release("far", far, 2 * run + 1);
  }
} finally {
  ship.link.delay = 0;
  for (const clone of clones) await clone.remove();
  await ship.remove();
}

const medians = Object.fromEntries(Object.entries(samples).map(([way, seconds]) => [way, median(seconds)])) as Record<
  Way,
  number
>;
const ratio = medians.far / medians.socket;
if (values.json) console.log(JSON.stringify({ runs, replicas, trip, medians, ratio, samples }));
else {
  for (const way of ["socket", "ssh", "far"] as const) {
    console.log(
      `${way.padEnd(8)} ${medians[way].toFixed(1).padStart(6)} s  ${(medians[way] / medians.socket).toFixed(2)}`,
    );
  }
}
if (values.steps) {
  const rows = [...steps.far]
    .map(([name, took]) => ({ name, far: median(took), near: median(steps.socket.get(name) ?? [0]) }))
    .sort((a, b) => b.far - b.near - (a.far - a.near));
  for (const { name, far, near } of rows.slice(0, 30)) {
    console.log(`${name.padEnd(40)} ${near.toFixed(0).padStart(7)} ${far.toFixed(0).padStart(7)} ms`);
  }
}
