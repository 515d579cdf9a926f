import { execFileSync, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inMemory } from "../files.ts";

/**
 * Runs a script and stops it before its nth change: a program that isn't run any more is a machine that stopped.
 * Answers whether it was stopped.
 * @param changes programs that change something, and what is run in each before it counts
 */
export function cutOff(
  nth: number,
  changes: Readonly<Record<string, string>>,
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): boolean {
  const bin = inMemory("drydock-bin-");
  for (const [name, before] of Object.entries(changes)) {
    const real = execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    writeFileSync(
      join(bin, name),
      `#!/bin/sh
[ ! -e ${bin}/stopped ] || exit 1
${before}
read -r count < ${bin}/count
if [ "$count" -ge ${nth} ]; then : > ${bin}/stopped; read -r pid < ${bin}/pid; kill -9 "$pid"; exit 1; fi
echo $((count + 1)) > ${bin}/count
${name === "sync" ? "" : `exec ${real} "$@"`}
`,
      { mode: 0o755 },
    );
  }
  writeFileSync(join(bin, "count"), "0");
  const { signal } = spawnSync("sh", ["-c", `echo $$ > ${bin}/pid\n${script}`, "restore", ...args], {
    env: { ...process.env, ...env, PATH: `${bin}:${process.env.PATH}` },
    stdio: "ignore",
  });
  rmSync(bin, { recursive: true });
  return signal === "SIGKILL";
}
