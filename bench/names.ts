/**
 * How the edge grows with its names: memory of nginx and of its keeper, and how long a handshake takes, with 1, 50 and
 * 200 names that each have a certificate of their own, issued by an authority on this machine (Pebble). Makes an edge
 * and takes it away. npx tsx bench/names.ts [--names 1,50,200] [--handshakes 400] [--json]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { parseArgs } from "node:util";
import { docker } from "../test/support/clone.ts";
import { startRig } from "../test/support/edge.ts";

const { values } = parseArgs({
  options: {
    names: { type: "string", default: "1,50,200" },
    handshakes: { type: "string", default: "400" },
    json: { type: "boolean", default: false },
  },
});
const whole = (option: string, text: string): number => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 10_000) return number;
  console.error(`--${option}: a whole number from 1 to 10000, not ${text}`);
  process.exit(2);
};
const sizes = values.names.split(",").map((text) => whole("names", text));
const handshakes = whole("handshakes", values.handshakes);
const say = (text: string) => process.stderr.write(`${text}\n`);
const at = (numbers: readonly number[], part: number) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length * part)]!;
const memoryOf = (container: string): string =>
  docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container).split(" / ")[0]!;

/** A whole handshake, of no session before; milliseconds. */
function shake(port: number, ca: string, servername: string): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername, ca }, () => {
      resolve(performance.now() - began);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

interface Row {
  readonly names: number;
  /** Seconds until the last one had its certificate. */
  readonly issued: number;
  readonly nginx: string;
  readonly keeper: string;
  readonly p50: number;
  readonly p99: number;
}

const rig = await startRig({ edge: { hstsAfter: 0 }, validity: 86_400 });
try {
  const proxy = rig.proxy("many");
  const rows: Row[] = [];
  for (const count of sizes) {
    const names = Array.from({ length: count }, (_, index) => `site-${index + 1}.example.com`);
    const began = performance.now();
    const { code, said } = await rig.join(
      "many-1",
      "many",
      proxy,
      names.map((name) => ({ name })),
    );
    if (code !== 0) throw new Error(said);
    const waiting = (): boolean => rig.status().names.filter(({ kind }) => kind === "authority").length < count;
    for (const end = Date.now() + 1_800_000; waiting() && Date.now() < end; ) await sleep(1_000);
    // nginx takes a certificate from the disk anew after seconds.
    await rig.issued(names.at(-1)!);
    const issued = (performance.now() - began) / 1000;
    const took: number[] = [];
    for (let i = 0; i < handshakes; i++) took.push(await shake(rig.https, rig.root, names[(i * 7) % count]!));
    rows.push({
      ...{ names: count, issued, nginx: memoryOf(rig.edge), keeper: memoryOf(rig.keeper) },
      ...{ p50: at(took, 0.5), p99: at(took, 0.99) },
    });
    say(JSON.stringify(rows.at(-1)));
  }
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else {
    process.stdout.write(
      "| names | all issued after | nginx | keeper | handshake p50 | p99 |\n|---|---|---|---|---|---|\n",
    );
    for (const { names, issued, nginx, keeper, p50, p99 } of rows)
      process.stdout.write(
        `| ${names} | ${issued.toFixed(0)} s | ${nginx} | ${keeper} | ${p50.toFixed(1)} ms | ${p99.toFixed(1)} ms |\n`,
      );
  }
} finally {
  rig.down();
}
