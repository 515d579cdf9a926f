import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, Exit } from "../shared/errors.ts";
import { LOCAL, ROOT } from "../shared/project.ts";
import { foreground, interruption } from "../shared/signals.ts";
import { painter, step } from "../shared/ui.ts";
import {
  add,
  type Counts,
  chosen,
  countsOf,
  isSuccess,
  type Need,
  NONE,
  SUITES,
  type Suite,
  type SuiteName,
  total,
} from "./suites.ts";

export interface TestOptions {
  readonly all?: true;
  readonly only?: SuiteName;
  readonly grep?: string;
}

/** What is checked for types, each with its own: Node's, and those of a browser. */
const PROJECTS = [".", "cli/dashboard/browser"];

/** Runs the suites one after the other, each in its own process, and ends with the sum of their counts. */
export async function runTests(options: TestOptions): Promise<number> {
  const paint = painter(process.stdout);
  const ready = readiness();
  let sum = NONE;
  for (const name of chosen(options)) {
    const suite: Suite = SUITES[name];
    if (suite.folder !== undefined && !hasTests(suite.folder)) continue;
    process.stdout.write(`\n${paint("bold", `── ${name}`)}\n`);
    const counts = await ready(suite.needs)
      .then((env) => run(suite, options.grep, env))
      .catch((error: unknown) => {
        process.stderr.write(`${describe(error)}\n`);
        return { ...NONE, failed: 1 };
      });
    process.stdout.write(
      `── ${name}: ${counts.passed} ok, ` +
        `${counts.failed} not ok${counts.skipped > 0 ? `, ${counts.skipped} left out` : ""}\n`,
    );
    sum = add(sum, counts);
    if (interruption() !== undefined) break;
  }
  process.stdout.write(`\n${total(sum)}\n`);
  if (interruption() !== undefined) return Exit.interrupted;
  return isSuccess(sum) ? Exit.ok : Exit.failed;
}

function hasTests(folder: string): boolean {
  const path = join(ROOT, folder);
  return existsSync(path) && readdirSync(path, { recursive: true }).some((file) => String(file).endsWith(".test.ts"));
}

/**
 * Sets up what a suite needs, once. Tests get the engine, and no state or passphrase: each brings its own.
 */
function readiness(): (needs: readonly Need[]) => Promise<NodeJS.ProcessEnv> {
  let engine: Promise<NodeJS.ProcessEnv> | undefined;
  let containers: Promise<NodeJS.ProcessEnv> | undefined;
  return async (needs) => {
    let env: NodeJS.ProcessEnv = {};
    if (needs.includes("engine")) {
      engine ??= import("../setup/engine.ts").then(async ({ ensureEngine }) => ({
        ...(await ensureEngine()).variables,
      }));
      env = { ...env, ...(await engine) };
    }
    if (needs.includes("containers")) {
      containers ??= import("../setup/index.ts").then(async ({ ensureContainers }) => ({
        DOCKER_HOST: (await ensureContainers(LOCAL)).host,
      }));
      env = { ...env, ...(await containers) };
    }
    if (needs.includes("linters")) {
      const { ensureLinters } = await import("../setup/linters.ts");
      env = { ...env, ...(await step("linters", ({ log }) => ensureLinters(log))) };
    }
    return env;
  };
}

async function run(
  { folder, without, timeout }: Suite,
  grep: string | undefined,
  extra: NodeJS.ProcessEnv,
): Promise<Counts> {
  const env = { ...process.env, ...extra };
  if (folder === undefined) {
    let counts = NONE;
    for (const project of PROJECTS) {
      const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
      const code = await foreground(process.execPath, [tsc, "--noEmit", "--project", project], env, ROOT);
      counts = add(counts, code === 0 ? { ...NONE, passed: 1 } : { ...NONE, failed: 1 });
    }
    return counts;
  }
  const scratch = mkdtempSync(join(tmpdir(), "drydock-test-"));
  const file = join(scratch, "counts.json");
  try {
    const code = await foreground(
      process.execPath,
      [
        "--import",
        "tsx",
        join(ROOT, "node_modules", "mocha", "bin", "mocha.js"),
        // The rc file is for `npx mocha`: its spec would be added to this one. A test that failed may have left
        // something at work, which would keep the process for ever.
        "--no-config",
        "--exit",
        "--reporter",
        join(import.meta.dirname, "reporter.ts"),
        "--timeout",
        String(timeout),
        ...(without === undefined ? [] : ["--ignore", `${without}/**`]),
        ...(grep === undefined ? [] : ["--grep", grep]),
        `${folder}/**/*.test.ts`,
      ],
      { ...env, DRYDOCK_COUNTS: file },
      ROOT,
    );
    return countsOf(existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Counts) : undefined, code);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
