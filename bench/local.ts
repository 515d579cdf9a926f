/**
 * How long the everyday commands take on the local stack: a preview and an `up` without a change, and a release whose image is
 * built already. Several runs of each, medians, and beside them a program with one resource under the same engine, in the same run.
 * Deploys a stack of its own and takes it away. npx tsx bench/local.ts [--runs 5] [--json]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Clone, type Result } from "../test/support/clone.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "5" }, json: { type: "boolean", default: false } } });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) {
  console.error(`--runs: a whole number from 1, not ${values.runs}`);
  process.exit(2);
}
const say = (text: string) => process.stderr.write(`${text}\n`);
const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

async function timed(what: string, run: () => Promise<Result>): Promise<number> {
  const began = performance.now();
  const { code, stdout, stderr } = await run();
  if (code !== 0) throw new Error(`${what} failed:\n${stdout}\n${stderr}`);
  return (performance.now() - began) / 1000;
}

const clone = new Clone();
const samples: Record<string, number[]> = {};
const note = (what: string, seconds: number) => {
  (samples[what] ??= []).push(seconds);
  say(`${what}: ${seconds.toFixed(1)} s`);
};

try {
  note("first up (engine and images are there)", await timed("up", () => clone.drydock(["up"])));

  // The yardstick: a program without TypeScript and with one resource.
  const empty = join(clone.dir, "empty");
  mkdirSync(empty);
  writeFileSync(join(empty, "Pulumi.yaml"), "name: empty\nruntime: nodejs\n");
  writeFileSync(join(empty, "package.json"), '{ "name": "empty", "main": "index.js" }\n');
  writeFileSync(join(empty, "index.js"), 'const command = require("@pulumi/command");\nnew command.local.Command("one", { create: "true" });\n');
  const inEmpty = (args: string) => clone.run("bash", ["-c", `eval "$(./drydock env 2>/dev/null)"; cd empty; ${args}`]);
  await timed("empty up", () => inEmpty("pulumi stack init dev && pulumi up --yes --skip-preview --non-interactive"));

  // One shell for both, so that what `./drydock env` takes is in neither.
  const preview = (folder: string, stack: string) =>
    clone.run("bash", ["-c", `eval "$(./drydock env 2>/dev/null)"; cd ${folder}; date +%s.%N; pulumi preview -s ${stack} --non-interactive >&2; code=$?; date +%s.%N; exit $code`]);
  const inner = async (what: string, folder: string, stack: string) => {
    const { code, stdout, stderr } = await preview(folder, stack);
    if (code !== 0) throw new Error(`${what} failed:\n${stderr}`);
    const [from = 0, to = 0] = stdout.trim().split("\n").map(Number);
    note(what, to - from);
  };
  for (let run = 0; run < runs; run++) {
    await inner("preview, one resource", "empty", "dev");
    await inner("preview, the local stack", ".", "local");
    note("./drydock up, no change", await timed("up", () => clone.drydock(["up"])));
  }

  // The two images are built once, so that the releases between them only run.
  const view = "examples/laravel/resources/views/home.blade.php";
  const texts = [clone.read(view), clone.read(view).replace("<h1>", '<h1 class="b">')];
  clone.edit(view, () => texts[1]!);
  await timed("up", () => clone.drydock(["up"]));
  for (let run = 0; run < runs; run++) {
    clone.edit(view, () => texts[run % 2]!);
    note("release of 3 replicas, image built", await timed("release", () => clone.drydock(["up"])));
  }
} finally {
  await clone.remove();
}

const medians = Object.fromEntries(Object.entries(samples).map(([what, seconds]) => [what, median(seconds)]));
const ratio = medians["preview, the local stack"]! / medians["preview, one resource"]!;
if (values.json) console.log(JSON.stringify({ runs, medians, previewRatio: ratio, samples }));
else {
  for (const [what, seconds] of Object.entries(medians)) console.log(`${what.padEnd(42)} ${seconds.toFixed(1).padStart(6)} s  (median of ${samples[what]!.length})`);
  console.log(`preview: ${ratio.toFixed(2)} times the program with one resource`);
}
