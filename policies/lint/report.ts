import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type LintFinding, lintFile } from "./dockerfile.ts";
import { exceptions } from "./exceptions.ts";

const ROOT = dirname(dirname(import.meta.dirname));

/** Dockerfiles of this project. */
export function ownDockerfiles(root = ROOT): string[] {
  return ["images", "examples"].flatMap((folder) =>
    (existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [])
      .map((name) => join(folder, name, "Dockerfile"))
      .filter((path) => existsSync(join(root, path)))
      .sort(),
  );
}

/** Lints files and puts the findings into words. `failed`: there is one without a written reason. */
export function lint(
  files: readonly string[],
  json = false,
  root = ROOT,
): { readonly text: string; readonly failed: boolean } {
  const paths = files.length > 0 ? files.map((file) => relative(root, resolve(file))) : ownDockerfiles(root);
  for (const path of paths)
    if (!existsSync(join(root, path)))
      throw new Error(`there is no file ${path}. Give the path of a Dockerfile: ./drydock lint ../shop/Dockerfile`);
  const findings = paths.flatMap((path) => [...lintFile(path, root, exceptions), ...hadolint(path, root)]);
  const failed = findings.some(({ reason }) => reason === undefined);
  if (json) return { text: `${JSON.stringify(findings, null, 2)}\n`, failed };
  const lines = findings.map(({ file, line, check, message, reason }) =>
    reason === undefined
      ? `${file}:${line}: [${check}] ${message}`
      : `${file}:${line}: [${check}] ${message.split("\n")[0]}\n  allowed: ${reason}`,
  );
  const count = findings.filter(({ reason }) => reason === undefined).length;
  return {
    text:
      `${[...lines, `${paths.length} files, ${count === 0 ? "nothing to fix" : `${count} to fix`}`].join("\n")}` + "\n",
    failed,
  };
}

/** The findings of hadolint where somebody has installed it; it is not part of Drydock (its licence is the GPL). */
function hadolint(path: string, root: string): LintFinding[] {
  const run = spawnSync("hadolint", ["--format", "json", "--failure-threshold", "error", path], {
    cwd: root,
    encoding: "utf8",
  });
  if (run.error !== undefined || run.stdout === "") return [];
  const findings = JSON.parse(run.stdout) as { line: number; code: string; message: string; level: string }[];
  return findings
    .filter(({ level }) => level === "error")
    .map(({ line, code, message }) => ({ file: path, line, check: code, message }));
}
