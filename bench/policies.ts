/**
 * How long the pack takes, in processor time: the start, and 50, 500 and 2,000 resources behind the SDK's own handlers.
 * npx tsx bench/policies.ts [--json]; exit code 1 where a limit is broken.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { catalogue } from "../policies/catalogue.ts";
import { analyze, type Res } from "../test/support/policies/engine.ts";
import { stackOf } from "../test/support/policies/stack.ts";

const SIZES = [50, 500, 2000];
/** Milliseconds that rules may add to a resource, and the pack's start to a preview. */
const LIMITS = { resource: 25, start: 1000 };
/** How much more a resource may cost in a stack of 2,000 than in one of 50: 1 is linear. */
const GROWTH = 2;
const ROOT = dirname(import.meta.dirname);

function resources(count: number): Res[] {
  const good = stackOf();
  const list = Array.from({ length: Math.ceil(count / good.length) }, (_, copy) =>
    good.map(
      (one): Res => ({
        ...one,
        name: `${one.name}-${copy}`,
        dependsOn: (one.dependsOn ?? []).map((name) => `${name}-${copy}`),
        from: Object.fromEntries(
          Object.entries(one.from ?? {}).map(([key, names]) => [key, names.map((name) => `${name}-${copy}`)]),
        ),
      }),
    ),
  )
    .flat()
    .slice(0, count);
  const names = new Set(list.map(({ name }) => name));
  return list.map((one) => ({
    ...one,
    dependsOn: one.dependsOn?.filter((name) => names.has(name)),
    from: Object.fromEntries(
      Object.entries(one.from ?? {}).map(([key, list_]) => [key, list_.filter((name) => names.has(name))]),
    ),
  })) as Res[];
}

async function measure(count: number): Promise<number> {
  const list = resources(count);
  const before = process.cpuUsage();
  await analyze(catalogue, list);
  return process.cpuUsage(before).user / 1000;
}

/** Processor time until the pack has told the engine its port, as the language host starts it. */
function start(): Promise<number> {
  const pack = join(ROOT, "policies");
  const child = spawn(
    process.execPath,
    ["--require", "./quick.cjs", join(ROOT, "node_modules/@pulumi/pulumi/cmd/run-policy-pack"), "127.0.0.1:1", pack],
    { cwd: pack, stdio: ["ignore", "pipe", "inherit"] },
  );
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.stdout.once("data", () => {
      const [, rest = ""] = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ");
      const fields = rest.split(" ");
      child.kill();
      resolve((Number(fields[11]) + Number(fields[12])) * 10);
    });
  });
}

// A pack that has just started compiles as it goes; what is compared here is a resource in a small stack and one in a
// large stack.
for (let i = 0; i < 8; i++) await measure(50);
const stacks = [];
for (const count of SIZES) {
  const ms = await measure(count);
  stacks.push({ resources: count, ms: Math.round(ms), each: Number((ms / count).toFixed(2)) });
}
await start(); // builds the bundle where it isn't there
const starts = [await start(), await start(), await start()].sort((a, b) => a - b);
const ratio = Number((stacks.at(-1)!.each / stacks[0]!.each).toFixed(2));
const result = { stacks, growth: ratio, start: starts[1]! };

if (process.argv.includes("--json")) console.log(JSON.stringify(result));
else {
  for (const { resources: count, ms, each } of stacks)
    console.log(`${String(count).padStart(5)} resources: ${ms} ms, ${each} ms each (limit ${LIMITS.resource})`);
  console.log(`a resource among ${SIZES.at(-1)} costs ${ratio} times one among ${SIZES[0]} (limit ${GROWTH})`);
  console.log(`start: ${result.start} ms (limit ${LIMITS.start})`);
}
if (stacks.some(({ each }) => each > LIMITS.resource) || ratio > GROWTH || result.start > LIMITS.start)
  process.exitCode = 1;
