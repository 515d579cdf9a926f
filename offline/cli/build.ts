import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { cacheRoot } from "../cache.ts";
import type { Progress } from "../progress.ts";
import { older, VERSION } from "../version.ts";

const PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const FILES = ["go.mod", "go.sum", "tools.go"];
const source = (file: string): string => join(import.meta.dirname, file);

/** Names one build: what goes into it, and for which machine. */
export function cliKey(): string {
  const sum = createHash("sha256");
  for (const file of FILES) sum.update(readFileSync(source(file)));
  return `${VERSION}-${process.platform}-${process.arch}-${sum.digest("hex").slice(0, 12)}`;
}

/** Builds Pulumi's CLI from its Go modules, unless that was done before on this machine. @returns the program's path */
export async function buildCli({ log, progress }: Progress): Promise<string> {
  const folder = join(cacheRoot(), "cli", cliKey());
  const program = join(folder, "pulumi");
  if (existsSync(program)) return program;
  mkdirSync(join(cacheRoot(), "cli"), { recursive: true });
  const draft = mkdtempSync(join(cacheRoot(), "cli", ".draft-"));
  try {
    for (const file of FILES) copyFileSync(source(file), join(draft, file));
    await checkGo(draft);
    log?.(`building Pulumi's CLI ${VERSION} from its Go modules; this happens once and takes 5 to 10 minutes`);
    log?.("downloading the Go modules");
    const packages = new Set<string>();
    await go(draft, ["list", "-deps", PACKAGE], (line, stream) => {
      if (stream === "stdout") packages.add(line);
    });
    let done = 0;
    let shown = 0;
    await go(
      draft,
      [
        "build",
        "-v",
        "-trimpath",
        "-ldflags",
        `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${VERSION}`,
        "-o",
        "pulumi",
        PACKAGE,
      ],
      (line) => {
        if (!packages.has(line)) return;
        done++;
        if (progress) progress(done, packages.size, "packages compiled");
        else if (log && done - shown >= packages.size / 10)
          log(`compiled ${(shown = done)} of ${packages.size} packages`);
      },
    );
    mkdirSync(folder, { recursive: true });
    renameSync(join(draft, "pulumi"), program);
    return program;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Go as go.mod asks for it; one from 1.21 on may fetch the right one itself. @throws Error with the remedy */
async function checkGo(folder: string): Promise<void> {
  const needed = /^go (\d+\.\d+(?:\.\d+)?)$/m.exec(readFileSync(join(folder, "go.mod"), "utf8"))![1]!;
  const remedy =
    `Install Go ${needed} or newer (https://go.dev/dl/, or apt-get install golang), ` +
    "or install Pulumi's own CLI and put it on PATH.";
  let said = "";
  try {
    await go(folder, ["version"], (line) => {
      said += line;
    });
  } catch (error) {
    throw new Error(
      `the offline engine is built with Go, and that did not work: ${(error as Error).message}\n${remedy}`,
    );
  }
  const found = /go(\d+\.\d+(?:\.\d+)?)/.exec(said)?.[1] ?? "0";
  if (older(found, needed))
    throw new Error(
      `the offline engine is built with Go ${needed} or newer, but \`go version\` says ${found}.\n${remedy}`,
    );
}

function go(
  folder: string,
  args: readonly string[],
  line: (text: string, stream: "stdout" | "stderr") => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Flags of the user's own (-mod=vendor, for one) are not meant for this build.
    const child = spawn("go", args, {
      cwd: folder,
      env: { ...process.env, GOFLAGS: "", GOWORK: "off" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const last: string[] = [];
    for (const stream of ["stdout", "stderr"] as const) {
      createInterface({ input: child[stream] }).on("line", (text) => {
        line(text, stream);
        if (stream === "stderr" && !text.startsWith("go: downloading")) last.push(text);
        if (last.length > 10) last.shift();
      });
    }
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(error.code === "ENOENT" ? "there is no `go` on PATH" : error.message)),
    );
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`go ${args[0]} ended with exit code ${code}:\n${last.join("\n")}`)),
    );
  });
}
