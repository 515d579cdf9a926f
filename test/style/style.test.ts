import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";

const ROOT = join(import.meta.dirname, "../..");
const program = (name: string): string => join(ROOT, "node_modules", ".bin", name);

/** Runs a tool in the project; its output is the message of the failure. */
function passes(command: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  assert.equal(status, 0, `${command} ${args.slice(0, 6).join(" ")}\n${error?.message ?? ""}${stdout}${stderr}`);
}

/** Files that git knows, as far as they match. */
function tracked(...patterns: readonly string[]): readonly string[] {
  const { stdout } = spawnSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...patterns],
    { cwd: ROOT, encoding: "utf8" },
  );
  return stdout.split("\0").filter((file) => file !== "");
}

/**
 * A case that needs a program which packages don't bring. Without it the case is left out and says so; where
 * DRYDOCK_TOOLS is `required`, as in continuous integration, it fails.
 */
function withProgram(name: string, title: string, work: () => void): void {
  const installed = spawnSync(name, ["--version"]).error === undefined;
  if (installed || process.env.DRYDOCK_TOOLS === "required") it(title, work);
  else it.skip(`${title} (left out: ${name} is not on PATH)`);
}

/** Whatever a shell runs, by its name or by its first line. */
function scripts(): readonly string[] {
  return tracked(".").filter(
    (file) =>
      file.endsWith(".sh") || (!/\.\w+$/.test(file) && /^#!.*\b(ba)?sh\b/.test(readFileSync(join(ROOT, file), "utf8"))),
  );
}

/**
 * What may be wider than 120 columns, besides tables in Markdown: data, what is generated from sources that are held to
 * it, and the one script that belongs to the proxy's start: another text there replaces the proxy, for its looks alone.
 */
const WIDE = new RegExp(
  [
    String.raw`\.(json|sum|svg|lock)$`,
    "^docs/(policies|settings|environment|alerts)\\.md$",
    "^test/support/nginx/texts/",
    "^commands/inside/maintenance\\.sh$",
  ].join("|"),
);

/** Words that nobody else uses for it, and what everybody says. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\b(mend(s|ed|ing)?|Mend(s|ed|ing)?)\b/, "fix, repair"],
  [/\b[Bb]egun\b/, "started"],
  [/\b(is|are|was|were|be) had\b/, "held, obtained, available"],
  [/\bhear from\b/i, "subscribe to"],
  [/\b(is|are|was|were) whole\b|\bwriteWhole\b/, "complete, atomic"],
];

/** Where such a word is data, or belongs to the proxy's start. */
const OWN_WORDS = new RegExp(
  [
    String.raw`\.(json|sum|svg|lock)$`,
    "^test/style/",
    String.raw`^commands/inside/maintenance\.sh$`,
    // An application's own column.
    "^examples/shop/|^test/(images/matrix|e2e/workers)\\.test\\.ts$",
    // What earlier versions have written into audit.jsonl.
    String.raw`^records/audit\.ts$|^test/unit/records/release\.test\.ts$`,
  ].join("|"),
);

const isBinary = (file: string): boolean => readFileSync(join(ROOT, file)).includes(0);

describe("the style of the sources", () => {
  it("is the formatter's, and the linter has nothing to say: npx biome check --write", () => {
    passes(program("biome"), ["check", "--error-on-warnings"]);
  });

  it("ends lines at 120 columns, texts too", () => {
    const long = tracked(".")
      .filter((file) => !WIDE.test(file) && !isBinary(file))
      .flatMap((file) =>
        readFileSync(join(ROOT, file), "utf8")
          .split("\n")
          .flatMap((line, index) =>
            line.length > 120 && !(file.endsWith(".md") && line.trimStart().startsWith("|"))
              ? [`${file}:${index + 1}: ${line.length} columns`]
              : [],
          ),
      );
    assert.deepEqual(long, []);
  });

  it("says it in the field's words: docs/glossary.md has those that are ours", () => {
    const said = tracked(".")
      .filter((file) => !OWN_WORDS.test(file) && !isBinary(file))
      .flatMap((file) =>
        readFileSync(join(ROOT, file), "utf8")
          .split("\n")
          .flatMap((line, index) =>
            WORDS.filter(([word]) => word.test(line)).map(
              ([word, better]) => `${file}:${index + 1}: ${word.exec(line)![0]}: ${better}`,
            ),
          ),
      );
    assert.deepEqual(said, []);
  });

  it("keeps to the layers, without cycles: .dependency-cruiser.cjs says which folder may import which", () => {
    passes(program("depcruise"), ["--output-type", "err", ...SOURCES]);
  });

  it("exports nothing that nobody imports, and depends on nothing that it does not use", () => {
    passes(program("knip"), ["--no-progress"]);
  });

  withProgram("shellcheck", "has shell scripts that shellcheck accepts", () => {
    passes("shellcheck", ["--severity=warning", "--external-sources", ...scripts()]);
  });

  withProgram("php", "has PHP that PHP can read", () => {
    for (const file of tracked("*.php", "examples/laravel/artisan")) passes("php", ["-n", "-l", file]);
  });

  it("has Dockerfiles that ./drydock lint accepts", () => {
    passes("./drydock", ["lint"]);
  });

  withProgram("hadolint", "has Dockerfiles that hadolint accepts, those of tests too", () => {
    passes("hadolint", ["--failure-threshold", "info", ...tracked("Dockerfile", "**/Dockerfile")]);
  });

  withProgram("actionlint", "has workflows that actionlint accepts", () => {
    passes("actionlint", []);
  });
});

/** All folders with sources of the program; those of tests are not held to layers. */
const SOURCES = [...new Set(tracked("*.ts", "*.cjs", "*.mjs").map((file) => file.split("/")[0]!))].filter(
  (folder) => !["test", "docs", "examples", "images"].includes(folder) && !folder.startsWith("."),
);
