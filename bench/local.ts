/**
 * How long the everyday commands take on the local stack: a preview and an `up` without a change, and a release whose
 * image is built already. Several runs of each, medians, and beside them a program with one resource under the same
 * engine, in the same run. Deploys a stack of its own and takes it away.
 *
 *     npx tsx bench/local.ts [--runs 5] [--replicas 3] [--set FOLDER] [--json]
 *
 * --set names another Pulumi with plugins of its own: FOLDER has bin/ (its programs) and home/ (its PULUMI_HOME).
 * Both sets then have a stack each, and take turns.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Clone, type Result } from "../test/support/clone.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    replicas: { type: "string", default: "3" },
    set: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const whole = (name: "runs" | "replicas"): number => {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1) return number;
  console.error(`--${name}: a whole number from 1, not ${values[name]}`);
  process.exit(2);
};
const runs = whole("runs");
const replicas = whole("replicas");
const say = (text: string) => process.stderr.write(`${text}\n`);
const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

async function timed(what: string, run: () => Promise<Result>): Promise<number> {
  const began = performance.now();
  const { code, stdout, stderr } = await run();
  if (code !== 0) throw new Error(`${what} failed:\n${stdout}\n${stderr}`);
  return (performance.now() - began) / 1000;
}

/** A stack of its own under one set of Pulumi's programs. */
class Bench {
  readonly samples: Record<string, number[]> = {};
  private readonly clone = new Clone();
  private readonly view = "examples/laravel/resources/views/home.blade.php";
  private readonly texts: readonly string[];
  private text = 0;

  constructor(
    readonly name: string,
    private readonly env: Record<string, string>,
  ) {
    const plain = this.clone.read(this.view);
    this.texts = [plain, plain.replace("<h1>", '<h1 class="b">')];
  }

  private note(what: string, seconds: number): void {
    (this.samples[what] ??= []).push(seconds);
    say(`${this.name}: ${what}: ${seconds.toFixed(1)} s`);
  }

  private run(file: string, args: string[]): Promise<Result> {
    return this.clone.run(file, args, this.env);
  }

  private up(): Promise<number> {
    return timed("up", () => this.run("./drydock", ["up"]));
  }

  private shell(folder: string, script: string): Promise<Result> {
    return this.run("bash", ["-c", `eval "$(./drydock env 2>/dev/null)"; cd ${folder}; ${script}`]);
  }

  async begin(): Promise<void> {
    await timed("preview", () => this.run("./drydock", ["preview"]));
    const set = `pulumi config set -s local --path drydock:app.replicas ${replicas}`;
    await timed("config", () => this.shell(".", set));
    this.note("first up (engine and images are there)", await this.up());
    // The yardstick: a program without TypeScript and with one resource.
    const empty = join(this.clone.dir, "empty");
    mkdirSync(empty);
    writeFileSync(join(empty, "Pulumi.yaml"), "name: empty\nruntime: nodejs\n");
    writeFileSync(join(empty, "package.json"), '{ "name": "empty", "main": "index.js" }\n');
    // Of Docker's, whose plugin the local stack needs, too.
    const program = ['const { Network } = require("@pulumi/docker");', 'new Network("one", {});'];
    writeFileSync(join(empty, "index.js"), `${program.join("\n")}\n`);
    const first = "pulumi stack init dev && pulumi up --yes --skip-preview --non-interactive";
    await timed("empty up", () => this.shell("empty", first));
  }

  /** Without what `./drydock env` takes. */
  private async preview(what: string, folder: string, stack: string): Promise<void> {
    const script = `date +%s.%N; pulumi preview -s ${stack} --non-interactive >&2; code=$?; date +%s.%N; exit $code`;
    const { code, stdout, stderr } = await this.shell(folder, script);
    if (code !== 0) throw new Error(`${what} failed:\n${stderr}`);
    const [from = 0, to = 0] = stdout.trim().split("\n").map(Number);
    this.note(what, to - from);
  }

  async unchanged(): Promise<void> {
    this.note("./drydock --help", await timed("help", () => this.run("./drydock", ["--help"])));
    await this.preview("preview, one resource", "empty", "dev");
    await this.preview("preview, the local stack", ".", "local");
    this.note("./drydock up, no change", await this.up());
  }

  private next(): void {
    this.text = 1 - this.text;
    this.clone.edit(this.view, () => this.texts[this.text]!);
  }

  /** Builds both images, so that the releases between them only run. */
  async build(): Promise<void> {
    this.next();
    await this.up();
  }

  async release(): Promise<void> {
    this.next();
    this.note(`release of ${replicas} replicas, image built`, await this.up());
  }

  remove(): Promise<void> {
    return this.shell("empty", "pulumi destroy -s dev --yes --skip-preview --non-interactive").then(() =>
      this.clone.remove(this.env),
    );
  }
}

const other = (folder: string): Record<string, string> => ({
  PATH: `${resolve(folder, "bin")}:${process.env.PATH ?? ""}`,
  PULUMI_HOME: resolve(folder, "home"),
});
const benches = [
  new Bench("this set", {}),
  ...(values.set === undefined ? [] : [new Bench("other set", other(values.set))]),
];
try {
  for (const bench of benches) await bench.begin();
  for (let run = 0; run < runs; run++) for (const bench of benches) await bench.unchanged();
  for (const bench of benches) await bench.build();
  for (let run = 0; run < runs; run++) for (const bench of benches) await bench.release();
} finally {
  for (const bench of benches) await bench.remove();
}

const results = benches.map(({ name, samples }) => {
  const medians = Object.fromEntries(Object.entries(samples).map(([what, seconds]) => [what, median(seconds)]));
  const previewRatio = medians["preview, the local stack"]! / medians["preview, one resource"]!;
  return { name, medians, previewRatio, samples };
});
if (values.json) console.log(JSON.stringify({ runs, replicas, sets: results }));
else {
  const [first, second] = results;
  const number = (value: number | undefined, digits: number, unit: string): string =>
    value === undefined ? "" : `${value.toFixed(digits).padStart(8)} ${unit}`;
  for (const [what, seconds] of Object.entries(first!.medians)) {
    const theirs = second?.medians[what];
    const ratio = theirs === undefined ? undefined : theirs / seconds;
    console.log(what.padEnd(42) + number(seconds, 1, "s") + number(theirs, 1, "s") + number(ratio, 2, "times"));
  }
  for (const { name, previewRatio } of results)
    console.log(`${name}: a preview takes ${previewRatio.toFixed(2)} times as long as that of one resource`);
}
