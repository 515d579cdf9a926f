/**
 * Changes one thing at a time in the files that matter most (a condition, a comparison, a text, a call that is left
 * out) and runs the tests that ought to notice: `npx tsx bench/mutants.ts [PART OF A PATH] [--every N] [--json FILE]`.
 * It works in a copy of the files in Git. A change that no test notices is a survivor: it wants an assertion, or a word
 * in docs/testing.md why it makes no difference.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { type Mutant, mutantsOf, shellMutantsOf } from "./mutations.ts";

const ROOT = join(import.meta.dirname, "..");

/**
 * Files, and the folder with their tests: those that import the file, or run it where it is a script. Of the policies'
 * rules, only the tests that are called as a rule of the file are run.
 */
const SUBJECTS: readonly { readonly files: RegExp; readonly tests: string; readonly more?: readonly string[] }[] = [
  { files: /^policies\/evaluate\.ts$/, tests: "policies", more: ["rules", "guard", "configuration"] },
  {
    files: /^policies\/rules\/(?!shared).*\.ts$/,
    tests: "policies",
    more: ["rules", "settings", "stories", "remediation", "foreign"],
  },
  { files: /^migrations\/.*\.ts$/, tests: "migrations", more: ["plan"] },
  { files: /^records\/.*\.ts$/, tests: "records", more: ["release"] },
  { files: /^cli\/backup\/choosing\.ts$/, tests: "cli" },
  { files: /^cli\/backup\/(swap|making|journal)\.ts$/, tests: "cli", more: ["swap"] },
  { files: /^cli\/backup\/(objects|loader)\.ts$/, tests: "cli", more: ["backup/objects"] },
  { files: /^cli\/backup\/(sql|dumpFilter)\.ts$/, tests: "cli", more: ["backup/sql", "objects"] },
  { files: /^cli\/import\/definers\.ts$/, tests: "cli", more: ["backup/objects"] },
  { files: /^lib\/sql\/.*\.ts$/, tests: "lib", more: ["sql"] },
  { files: /^servers\/nginx\/.*\.ts$/, tests: "servers", more: ["texts", "site"] },
  {
    files: new RegExp(
      "^agent/(store/(retention|catalogue|ownership|diskSpace)|shared/(stateFiles|lock|transience)|" +
        String.raw`schedule/(cron|alarms)|database/dumpPlan|binlog/\w+)\.ts$`,
    ),
    tests: "agent",
  },
  {
    files: new RegExp(
      "^commands/(functions/)?(switch|limits|healthy|verify|answer|migrate|preflight|one-off|root-sql|" +
        String.raw`backup-user|monitor-user)\.sh$`,
    ),
    tests: "commands",
  },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { every: { type: "string", default: "1" }, json: { type: "string" }, verbose: { type: "boolean" } },
});
const [only = ""] = positionals;
const every = Number(values.every);

const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\0")
  .filter((name) => name !== "");
const copy = mkdtempSync(join(tmpdir(), "drydock-mutants-"));
for (const file of listed) {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  cpSync(join(ROOT, file), join(copy, file), { recursive: true });
}
symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
process.once("exit", () => {
  rmSync(copy, { recursive: true, force: true });
});

/** How long a change may keep its tests busy, in ms: one that takes for ever has noticed something, too. */
const PATIENCE = 120_000;

/** A thread that has Mocha loaded already, for tests that are bundled with a change. */
class Runner {
  #worker: Worker | undefined;

  async passes(bundle: string, grep: string | undefined): Promise<boolean> {
    this.#worker ??= new Worker(new URL("mutants-worker.mjs", import.meta.url), {
      execArgv: [],
      stdout: values.verbose !== true,
      stderr: values.verbose !== true,
    });
    const worker = this.#worker;
    const answer = await new Promise<boolean | undefined>((resolve) => {
      const done = (said: boolean | undefined) => {
        clearTimeout(timer);
        worker.off("message", told);
        worker.off("error", broken);
        resolve(said);
      };
      const told = (failures: number) => {
        done(failures === 0);
      };
      const broken = () => {
        done(undefined);
      };
      const timer = setTimeout(broken, PATIENCE);
      worker.on("message", told);
      worker.on("error", broken);
      worker.postMessage({ bundle, grep });
    });
    if (answer === undefined) {
      await worker.terminate();
      this.#worker = undefined;
    }
    return answer === true;
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }
}
const runner = new Runner();
let bundles = 0;

async function pass(tests: readonly string[], grep: string | undefined, file: string, text: string): Promise<boolean> {
  if (file.endsWith(".sh")) {
    const mocha = join(ROOT, "node_modules", "mocha", "bin", "mocha.js");
    const args = [
      "--import",
      "tsx",
      mocha,
      "--no-config",
      "--exit",
      "--bail",
      "--reporter",
      "min",
      "--timeout",
      "60000",
      ...tests,
    ];
    return spawnSync(process.execPath, args, { cwd: copy, stdio: "ignore", timeout: PATIENCE }).status === 0;
  }
  bundles++;
  const bundle = join(copy, `mutant-${bundles}.mjs`);
  await build({
    stdin: {
      contents: tests.map((test) => `import ${JSON.stringify(`./${test}`)};`).join("\n"),
      resolveDir: copy,
      loader: "ts",
    },
    ...{ bundle: true, platform: "node", format: "esm", packages: "external", outfile: bundle, logLevel: "error" },
    plugins: [
      {
        name: "mutant",
        setup: (esbuild) => {
          esbuild.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
            contents: (relative(copy, path) === file ? text : readFileSync(path, "utf8"))
              .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
              .replaceAll("import.meta.filename", JSON.stringify(path))
              .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
            loader: "ts",
          }));
        },
      },
    ],
  });
  const passed = await runner.passes(bundle, grep);
  rmSync(bundle);
  return passed;
}

const survivors: Mutant[] = [];
const counts: Record<string, { made: number; survived: number }> = {};
for (const { files, tests, more = [] } of SUBJECTS) {
  for (const file of listed.filter((name) => files.test(name) && name.includes(only))) {
    const source = readFileSync(join(copy, file), "utf8");
    const [folder = "", name = ""] = file.split("/").slice(-2);
    const script = name.replace(/\.sh$/, "");
    // A test in another folder says it with the folder.
    const there = listed
      .filter((test) => test.startsWith("test/unit/") && test.endsWith(".test.ts"))
      .filter((test) => {
        const text = () => readFileSync(join(copy, test), "utf8");
        const own = test.startsWith(`test/unit/${tests}/`);
        // A rig runs a script by its name; tests of policies name scripts that they don't run.
        const named = text().includes(`${folder}/${name}`);
        if (file.endsWith(".sh")) return own && (named || (/ScriptRig/.test(text()) && text().includes(`"${script}"`)));
        return named || (own && more.some((one) => test.endsWith(`/${one}.test.ts`)));
      });
    if (there.length === 0) continue;
    const mutants = file.endsWith(".sh") ? shellMutantsOf(file, source) : mutantsOf(file, source);
    const chosen = mutants.filter((_, index) => index % every === 0);
    const names = file.startsWith("policies/rules/")
      ? [...source.matchAll(/name: "([a-z0-9-]+)"/g)].map(([, name]) => name)
      : [];
    const grep = names.length === 0 ? undefined : `(catalogue|stor|variant|setting|remed|others|${names.join("|")})`;
    if (chosen.length === 0) continue;
    if (!(await pass(there, grep, file, source))) {
      console.log(`${file}: its tests fail as it is`);
      continue;
    }
    const count = { made: 0, survived: 0 };
    counts[file] = count;
    for (const mutant of chosen) {
      const text = source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end);
      writeFileSync(join(copy, file), text);
      count.made++;
      if (await pass(there, grep, file, text)) {
        count.survived++;
        survivors.push(mutant);
        console.log(`survived: ${mutant.file}:${mutant.line}: ${mutant.what}`);
      }
    }
    writeFileSync(join(copy, file), source);
    console.log(`${file}: ${count.made - count.survived} of ${count.made} noticed`);
    if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ counts, survivors }, null, 1));
  }
}
const made = Object.values(counts).reduce((sum, one) => sum + one.made, 0);
console.log(
  `${made - survivors.length} of ${made} noticed (` +
    `${made === 0 ? 0 : Math.round((1000 * (made - survivors.length)) / made) / 10} %)`,
);
await runner.end();
