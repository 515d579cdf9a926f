import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { FOLDERS, PORTS, type Results } from "../../contracts/agent.ts";
import { syncFolder } from "../../lib/stateFiles.ts";
import type { Agent } from "../agent.ts";
import { messageOf, refused } from "../shared/errors.ts";
import { LOCK, withLock } from "../shared/lock.ts";

/** What is made with the key. */
const MADE = ["repository", "backups", "binlogs"];

/**
 * Begins anew with the key that the agent has now; what another key has made is kept aside, for whoever finds that key.
 * @throws AgentError (refused) where the present key reads what is there
 */
export async function beginAnew({ local, reporter }: Agent): Promise<Results["reset"]> {
  return await withLock(LOCK, "a new beginning", 0, async () => {
    const { entries, unreadable } = await local.catalogue.list();
    const known = MADE.filter((name) => existsSync(join(FOLDERS.backups, name)));
    const why =
      entries.length > 0
        ? undefined
        : unreadable.length > 0
          ? "entries"
          : await local.restic.run(["cat", "config"]).then(() => undefined, messageOf);
    if (why === undefined || known.length === 0)
      throw refused(
        "what is there was made with drydock:backup.key, or there is nothing: it stays",
        "./drydock backup list",
      );
    const aside = `aside-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
    mkdirSync(join(FOLDERS.backups, aside), { mode: 0o700 });
    for (const name of known) renameSync(join(FOLDERS.backups, name), join(FOLDERS.backups, aside, name));
    syncFolder(FOLDERS.backups);
    await local.restic.ensure();
    // The log from where the server still has it.
    await fetch(`http://127.0.0.1:${PORTS.agent}/anew`, { method: "POST", signal: AbortSignal.timeout(5_000) });
    reporter.log(
      "warn",
      `what another key has made is kept in ${aside} of the volume of backups; the repository is started anew`,
    );
    return { aside };
  });
}
