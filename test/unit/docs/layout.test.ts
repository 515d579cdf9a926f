import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, it } from "mocha";
import { SUITES, type Suite } from "../../../cli/test/suites.ts";

const ROOT = join(import.meta.dirname, "../../..");
const text = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const ARCHITECTURE = text("docs/architecture.md");
const CONTRIBUTING = text("CONTRIBUTING.md");

/** Those of the project, without what git ignores. */
const folders = (...below: readonly string[]): readonly string[] =>
  [
    ...new Set(
      execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...below], {
        cwd: ROOT,
        encoding: "utf8",
      })
        .split("\0")
        .filter((file) => file !== "" && existsSync(join(ROOT, file)))
        .flatMap((file) => /^([^/.][^/]*)\//.exec(file.slice(below[0]?.length ?? 0))?.[1] ?? []),
    ),
  ].sort();

const blocks = [...ARCHITECTURE.matchAll(/^```\n(.*?)^```$/gms)].map(([, block = ""]) => block.trimEnd().split("\n"));
const [tree = [], drawing = []] = blocks;

interface Rule {
  readonly name: string;
  readonly from: { readonly path?: string };
  readonly to: { readonly path?: string; readonly pathNot?: string | readonly string[] };
}
const { forbidden } = createRequire(import.meta.url)(join(ROOT, ".dependency-cruiser.cjs")) as {
  readonly forbidden: readonly Rule[];
};

/** What the layers' check allows a folder to import, besides itself and packages. */
const allowed = new Map(
  forbidden.flatMap(({ name, from, to }) => {
    const [, folder] = /^\^([a-z]+)\/$/.exec(from.path ?? "") ?? [];
    if (folder === undefined || !name.startsWith(`${folder}-imports-only-`)) return [];
    const paths = [to.pathNot ?? []].flat().flatMap((path) => /^\^(.+)\(\/\|\$\)$/.exec(path)?.[1] ?? []);
    return [[folder, paths.sort()] as const];
  }),
);

describe("the layout", () => {
  it("in docs/architecture.md has every folder, and every program that Pulumi starts", () => {
    const named = tree.map((line) => line.split(/\s/)[0]!);
    assert.deepEqual(
      named.filter((name) => name.endsWith("/")).sort(),
      folders().map((folder) => `${folder}/`),
    );
    const programs = readdirSync(ROOT).filter((file) => file.endsWith(".ts"));
    assert.deepEqual(named.filter((name) => name.endsWith(".ts")).sort(), programs.sort());
  });

  it("there names every image and every example", () => {
    for (const folder of ["images", "examples"]) {
      const line = tree.find((one) => one.startsWith(`${folder}/`))!;
      const missing = folders(`${folder}/`).filter((name) => !new RegExp(`\\b${name}\\b`).test(line));
      assert.deepEqual(missing, [], line);
    }
  });

  it("there draws the arrows that .dependency-cruiser.cjs allows, and no other", () => {
    const drawn = new Map(
      drawing.map((line) => {
        const [, from = "", to = ""] = /^(\S+)\s+─▶ (.*)$/.exec(line) ?? assert.fail(`no arrow: ${line}`);
        return [from, to === "nothing" ? [] : to.split(", ").sort()] as const;
      }),
    );
    assert.deepEqual(Object.fromEntries(drawn), Object.fromEntries(allowed));
    assert.equal(drawn.size, drawing.length, "a folder is drawn twice");
  });

  it("is checked in every folder with sources of the program", () => {
    const ends = ["bench", "docs", "examples", "images", "test"];
    const found = folders().filter((folder) => readdirSync(join(ROOT, folder), { recursive: true }).some(isSource));
    assert.deepEqual(
      found.filter((folder) => !ends.includes(folder)),
      [...allowed.keys()].sort(),
    );
  });

  it("in agent/ has an order of all its parts", () => {
    const parts = readdirSync(join(ROOT, "agent")).filter((name) => name !== "main.ts");
    const ordered = forbidden.flatMap(({ name }) => /^agent-(.+)-imports-only-what-stands-before-it$/.exec(name) ?? []);
    assert.deepEqual(parts.sort(), ordered.filter((_, index) => index % 2 === 1).sort());
  });

  it("in CONTRIBUTING.md has every folder, and tests that there are", () => {
    const rows = CONTRIBUTING.split("\n").filter((line) => line.startsWith("| `"));
    const cell = (row: string, index: number): string[] =>
      [...(row.split(" | ")[index] ?? "").matchAll(/`([\w./-]+)`/g)].map(([, name]) => name!);
    const named = rows.flatMap((row) => cell(row, 0)).map((path) => path.split("/")[0]);
    assert.deepEqual([...new Set(named)].sort(), folders());
    assert.deepEqual(
      rows.flatMap((row) => cell(row, 2)).filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });
});

describe("the suites", () => {
  const suites = Object.entries(SUITES) as [string, Suite][];
  const named = (after: string): string[] => {
    const [, list = ""] = new RegExp(`${after}((?:\\s*\`\\w+\`,?)+)`).exec(CONTRIBUTING) ?? [];
    return [...list.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
  };
  const those = (long: boolean): string[] =>
    suites.filter(([, suite]) => (suite.long === true) === long).map(([name]) => name);

  it("are those that CONTRIBUTING.md names, the quick ones and the long ones", () => {
    assert.deepEqual(named("runs the quick suites:"), those(false));
    assert.deepEqual(named("runs the long ones too:"), those(true));
  });

  it("are called as their folders, and every folder of test/ is one, or what they share", () => {
    assert.deepEqual(
      folders("test/"),
      [...new Set([...suites.flatMap(([, { folder }]) => folder?.split("/")[1] ?? []), "support"])].sort(),
    );
    for (const [name, { folder }] of suites) if (folder !== undefined) assert.equal(folder.split("/").at(-1), name);
  });

  it("in workflows are suites", () => {
    for (const file of readdirSync(join(ROOT, ".github/workflows"))) {
      const workflow = text(`.github/workflows/${file}`);
      const [, list = ""] = /suite: \[(.*)\]/.exec(workflow) ?? [];
      const used = [...workflow.matchAll(/--only (\w+)|suite: (\w+)/g)].map(([, only, suite]) => only ?? suite!);
      for (const name of [...used, ...list.split(", ").filter((one) => one !== "")])
        assert.ok(name in SUITES, `${file}: ${name}`);
    }
  });
});

function isSource(file: string | Buffer): boolean {
  return /(?<!\.d)\.[cm]?[jt]s$/.test(String(file)) && !String(file).includes("node_modules");
}
