/**
 * What monitoring costs: memory and processor time of each of its containers, while nothing happens and then under
 * load, beside what the application itself uses in that time. Makes a local stack with monitoring and takes it away.
 *
 *     npx tsx bench/monitoring.ts [--quiet 10] [--loaded 60] [--rate 20] [--releases 0] [--beside NAME,…] [--json]
 *
 * --quiet and --loaded are minutes, --rate is requests a second. --releases: so many releases under load at the end,
 * and whether the numbers that are stored stay as many. --beside: containers that run already, measured with the rest.
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
    releases: { type: "string", default: "0" },
    beside: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const whole = (name: "quiet" | "loaded" | "rate" | "releases", least: number, most: number): number => {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  console.error(`--${name}: a whole number from ${least} to ${most}, not ${values[name]}`);
  process.exit(2);
};
const [quiet, loaded, rate] = [whole("quiet", 0, 600), whole("loaded", 0, 600), whole("rate", 1, 200)];
const releases = whole("releases", 0, 200);
const others = values.beside.split(",").filter(Boolean);
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
  readonly of: "monitoring" | "stack" | "others";
  /** MiB: most of the time, and at most. */
  readonly memory: number;
  readonly most: number;
  /** Percent of one core. */
  readonly cpu: number;
}

/** Looks at all containers for so many minutes. */
async function measured(stack: MeasuredStack, minutes: number): Promise<Row[]> {
  const services = [
    ...stack.status.services,
    ...others.map((container) => ({ name: container, container, role: undefined })),
  ];
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
      ...{ name, of: role === undefined ? "others" : OWN.has(role) ? "monitoring" : "stack" },
      ...{ memory: sorted[Math.floor(sorted.length / 2)]!, most: sorted.at(-1)! },
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
  const part = (of: Row["of"]) => rows.filter((row) => row.of === of);
  const each = (some: readonly Row[]) => some.map((row) => line(`\`${row.name}\``, row));
  const beside = part("others");
  return [
    "| container | memory, median | most | of one core |",
    "|---|---|---|---|",
    ...each(part("monitoring")),
    all("all of monitoring", part("monitoring")),
    all("the rest of the stack", part("stack")),
    ...(beside.length === 0 ? [] : [...each(beside), all("all of these others", beside)]),
  ].join("\n");
}

/** Whether numbers grow with releases: what is stored, and what Prometheus holds in memory of it. */
const stored = (): readonly number[] =>
  ['count({__name__=~".+"})', "prometheus_tsdb_head_series"].map((one) => stack.query(one)[0]?.value ?? 0);

/** Makes so many releases; how many numbers there were before, in the midst and after. */
async function released(): Promise<{ after: number; now: number; held: number }[]> {
  const seen: { after: number; now: number; held: number }[] = [];
  for (let count = 0; count <= releases; count++) {
    if (count > 0) {
      await stack.set("env.APP_NAME", `release ${count}`);
      await stack.again();
    }
    if (count % Math.ceil(releases / 2) !== 0 && count !== releases) continue;
    // What is gone counts for five minutes more.
    await sleep(330_000);
    const [now, held] = stored();
    seen.push({ after: count, now: now!, held: held! });
    say(`after ${count} releases: ${now} numbers, ${held} in memory`);
  }
  return seen;
}

const stack = new MeasuredStack();
try {
  await stack.up({ "monitoring.interval": "15" });
  // What starts uses more.
  await sleep(60_000);
  const result: Record<string, unknown> = {};
  const texts: string[] = [];
  if (quiet > 0) {
    say(`${quiet} min without a request`);
    const idle = await measured(stack, quiet);
    const [series] = stored();
    Object.assign(result, { idle, series });
    texts.push(`${quiet} min without a request, ${series} series:\n\n${table(idle)}`);
  }
  if (loaded > 0) {
    say(`${loaded} min of ${rate} requests a second`);
    const stop = load(stack.status.url);
    const busy = await measured(stack, loaded);
    const { asked, failed } = await stop();
    Object.assign(result, { busy, asked, failed });
    texts.push(`${loaded} min under load, ${asked} requests, ${failed} failed:\n\n${table(busy)}`);
  }
  if (releases > 0) {
    say(`${releases} releases under load`);
    const stop = load(stack.status.url);
    const seen = await released();
    const { asked, failed } = await stop();
    const told = stack.notices();
    Object.assign(result, { released: { seen, asked, failed, told } });
    const rows = seen.map(({ after, now, held }) => `| ${after} | ${now} | ${held} |`);
    texts.push(
      `${releases} releases under load, ${asked} requests, ${failed} failed, ${told.length} messages:\n\n` +
        `| releases | numbers | in Prometheus' memory |\n|---|---|---|\n${rows.join("\n")}`,
    );
  }
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : `${texts.join("\n\n")}\n`);
} finally {
  await stack.remove();
}
