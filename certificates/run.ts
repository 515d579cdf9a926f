import { execFile } from "node:child_process";

/** How long a program may take, in ms: an authority and the name servers of the whole world are waited for. */
const PATIENCE = 10 * 60_000;

/** Runs a program to its end. @throws Error with the end of what it said */
export function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { env, timeout: PATIENCE, maxBuffer: 8 << 20 }, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else reject(new Error(reasonOf(`${stdout}${stderr}`) ?? error.message));
    });
  });
}

/** The line of a program's output that says why it failed. */
export function reasonOf(output: string): string | undefined {
  const lines = output
    .split("\n")
    .map((line) => line.replace(/^\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\dZ? /, "").trim())
    .filter((line) => line !== "");
  const told = lines.findLast((line) => /error|fail|could not|refused|invalid/i.test(line)) ?? lines.at(-1);
  return told?.slice(0, 500);
}
