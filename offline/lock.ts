import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Runs `work` while holding a lock file. One whose process is gone doesn't count; two don't break it at once. */
export async function locked<T>(file: string, log: ((line: string) => void) | undefined, work: () => Promise<T>): Promise<T> {
  for (let tries = 0; !take(file); tries++) {
    if (tries === 0) log?.(`another set-up is running (process ${holder(file) ?? "unknown"}); waiting for it`);
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    const handle = openSync(file, "wx");
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const pid = holder(file);
    if (pid !== undefined && !alive(pid)) rmSync(file, { force: true });
    return false;
  }
}

function holder(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return pid > 0 ? pid : undefined; // empty: it is just being written
  } catch {
    return undefined;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
