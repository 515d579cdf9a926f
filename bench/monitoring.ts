/**
 * What monitoring costs: memory and processor time of each of its containers, while nothing happens and then under
 * load, beside what the application itself uses in that time. Makes a local stack with monitoring and takes it away.
 *
 *     npx tsx bench/monitoring.ts [--quiet 10] [--loaded 60] [--rate 20] [--json]
 *
 * --quiet and --loaded are minutes, --rate is requests a second.
 */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { MeasuredStack } from "../test/support/alerts/measured.ts";

const { values } = parseArgs({
  options: {
    quiet: { type: "string", default: "10" },
    loaded: { type: "string", default: "60" },
    rate: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
  },
});
const whole = (name: "quiet" | "loaded" | "rate", most: number): number => {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  console.error(`--${name}: a whole number from 1 to ${most}, not ${values[name]}`);
  process.exit(2);
};
const [quiet, loaded, rate] = [whole("quiet", 600), whole("loaded", 600), whole("rate", 200)];
const say = (text: string) => process.stderr.write(`${text}\n`);
/** Between two looks at the memory, in ms. */
const PAUSE = 10_000;
const OWN = new Set(["prometheus", "alertmanager", "collector", "exporter", "gate"]);

interface Use {
  /** Seconds of processor time since the container was started. */
  readonly cpu: number;
  /** Bytes, without the kernel's cache of files. */
  readonly memory: number;
}

/** What Docker has counted of a container. */
function useOf(container: string): Promise<Use> {
  return new Promise((resolve, reject) => {
    const path = `/containers/${container}/stats?stream=false&one-shot=true`;
    const question = request({ socketPath: "/var/run/docker.sock", path }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => {
        const { cpu_stats: cpu, memory_stats: memory } = JSON.parse(text);
        const cache = memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0;
        resolve({ cpu: cpu.cpu_usage.total_usage / 1e9, memory: memory.usage - cache });
      });
    });
    question.on("error", reject).end();
  });
}

interface Row {
  readonly name: string;
  readonly own: boolean;
  /** MiB: most of the time, and at most. */
  readonly memory: number;
  readonly most: number;
  /** Percent of one core. */
  readonly cpu: number;
}

/** Looks at all containers for so many minutes. */
async function measured(stack: MeasuredStack, minutes: number): Promise<Row[]> {
  const services = stack.status.services;
  const looks = async () => await Promise.all(services.map(({ container }) => useOf(container)));
  const began = performance.now();
  const first = await looks();
  const memory = services.map((): number[] => []);
  let last = first;
  for (const end = began + minutes * 60_000; performance.now() < end; ) {
    await sleep(PAUSE);
    last = await looks();
    for (const [index, use] of last.entries()) memory[index]!.push(use.memory / 2 ** 20);
  }
  const took = (performance.now() - began) / 1000;
  return services.map(({ name, role }, index) => {
    const sorted = memory[index]!.sort((a, b) => a - b);
    return {
      ...{ name, own: OWN.has(role), memory: sorted[Math.floor(sorted.length / 2)]!, most: sorted.at(-1)! },
      cpu: ((last[index]!.cpu - first[index]!.cpu) / took) * 100,
    };
  });
}

/** Asks for pages at that rate until it is stopped; answers with how many were asked for, and how many failed. */
function load(url: string): () => Promise<{ asked: number; failed: number }> {
  const count = { asked: 0, failed: 0 };
  let running = true;
  const paths = ["/", "/up", "/release", "/api/health"];
  const done = (async () => {
    const open = new Set<Promise<void>>();
    for (const began = performance.now(); running; count.asked++) {
      await sleep(Math.max(0, began + (count.asked * 1000) / rate - performance.now()));
      // A site that doesn't keep up is asked no faster.
      while (open.size >= 50) await Promise.race(open);
      const one = fetch(new URL(paths[count.asked % paths.length]!, url))
        .then(async (answer) => {
          await answer.arrayBuffer();
          if (!answer.ok) count.failed++;
        })
        .catch(() => void count.failed++)
        .finally(() => open.delete(one));
      open.add(one);
    }
    await Promise.all(open);
  })();
  return async () => {
    running = false;
    await done;
    return count;
  };
}

const sum = (rows: readonly Row[], key: "memory" | "most" | "cpu") => rows.reduce((all, row) => all + row[key], 0);

function table(rows: readonly Row[]): string {
  const line = (name: string, { memory, most, cpu }: Pick<Row, "memory" | "most" | "cpu">) =>
    `| ${name} | ${memory.toFixed(0)} MiB | ${most.toFixed(0)} MiB | ${cpu.toFixed(2)} % |`;
  const all = (title: string, some: readonly Row[]) =>
    line(title, { memory: sum(some, "memory"), most: sum(some, "most"), cpu: sum(some, "cpu") });
  const own = rows.filter((row) => row.own);
  return [
    "| container | memory, median | most | of one core |",
    "|---|---|---|---|",
    ...own.map((row) => line(`\`${row.name}\``, row)),
    all("all of monitoring", own),
    all(
      "the rest of the stack",
      rows.filter((row) => !row.own),
    ),
  ].join("\n");
}

const stack = new MeasuredStack();
try {
  await stack.up({ "monitoring.interval": "15" });
  // What starts uses more.
  await sleep(60_000);
  say(`${quiet} min without a request`);
  const idle = await measured(stack, quiet);
  const series = stack.query('count({__name__=~".+"})')[0]?.value ?? 0;
  say(`${loaded} min of ${rate} requests a second`);
  const stop = load(stack.status.url);
  const busy = await measured(stack, loaded);
  const { asked, failed } = await stop();
  if (values.json) process.stdout.write(`${JSON.stringify({ idle, busy, asked, failed, series }, null, 2)}\n`);
  else
    process.stdout.write(
      `${quiet} min without a request, ${series} series:\n\n${table(idle)}\n\n` +
        `${loaded} min under load, ${asked} requests, ${failed} failed:\n\n${table(busy)}\n`,
    );
} finally {
  await stack.remove();
}
