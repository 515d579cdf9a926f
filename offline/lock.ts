import { randomUUID } from "node:crypto";
import { holding, startOf } from "../lib/lock.ts";

export { startOf };

/**
 * Runs `work` while holding the lock file `path`, so that two clones don't do the same at once. Waits for another
 * holder that lives; a lock whose process has ended (killed, or before a reboot) counts for nothing.
 * @param doing what is done meanwhile, for who waits: `building images`
 */
export async function withLock<T>(
  path: string,
  doing: string,
  log: ((line: string) => void) | undefined,
  work: () => Promise<T>,
): Promise<T> {
  let told = false;
  const held = (holder: string): void => {
    if (!told) log?.(`another drydock (process ${holder.split(" ")[0]}) is ${doing}; waiting for it`);
    told = true;
  };
  const stale = (holder: string): boolean => {
    const [pid = "", start = ""] = holder.trim().split(" ");
    return startOf(Number(pid)) !== start;
  };
  const own = `${process.pid} ${startOf(process.pid) ?? ""} ${randomUUID()}\n`;
  return await holding(path, own, { stale, held, pause: 500 }, work);
}
