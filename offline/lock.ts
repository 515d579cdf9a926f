import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** The moment a process was started, in the kernel's ticks: with the number of the process it names it for good. undefined when it has ended. */
export function startOf(pid: number, proc = "/proc"): string | undefined {
  try {
    const stat = readFileSync(`${proc}/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/**
 * Runs `work` while holding the lock file `path`, so that two clones don't do the same at once. Waits for another holder that lives;
 * a lock whose process has ended (killed, or before a reboot) counts for nothing.
 * @param doing what is done meanwhile, for who waits: `building images`
 */
export async function withLock<T>(path: string, doing: string, log: ((line: string) => void) | undefined, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const id = randomUUID();
  const own = `${path}.${id}`;
  const content = `${process.pid} ${startOf(process.pid) ?? ""} ${id}\n`;
  writeFileSync(own, content);
  let told = false;
  try {
    // A link either is made with its content or is not: nobody sees a lock without a holder.
    while (!tryLink(own, path)) {
      const holder = read(path);
      const [pid = "", start = ""] = holder.trim().split(" ");
      if (holder !== "" && startOf(Number(pid)) !== start) {
        if (read(path) === holder) rmSync(path, { force: true });
        continue;
      }
      if (!told && holder !== "") log?.(`another drydock (process ${pid}) is ${doing}; waiting for it`);
      told = true;
      await new Promise((wake) => setTimeout(wake, 500));
    }
    return await work();
  } finally {
    rmSync(own, { force: true });
    if (read(path) === content) rmSync(path, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
