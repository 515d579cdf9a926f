import { audited } from "../shared/audit.ts";
import { Exit } from "../shared/errors.ts";
import { takeLock } from "../shared/locks.ts";
import { ask, type BackupHost } from "./agent.ts";
import type { RestoreOptions } from "./choosing.ts";
import { filesPlaces } from "./places.ts";
import { Progress } from "./progress.ts";
import { previousSchemas } from "./restoreDatabase.ts";
import { inFiles, keptIn } from "./restoreFiles.ts";
import { isElsewhere, underRestoreLock } from "./resume.ts";
import { confirmWord } from "./run.ts";
import { forgetPhysical, keptPhysical } from "./settlePhysical.ts";
import { databaseOf, query, quoted } from "./sql.ts";
import type { Say } from "./swap.ts";

/** Brings what a restore has left that was cut off to its end. */
export async function resume(host: BackupHost, { json }: RestoreOptions): Promise<number> {
  const { stack, paths } = host.session;
  return await audited(host.session, "backup", ["restore", "--resume"], async () => {
    const clone = takeLock(paths.lock(stack), stack);
    const progress = new Progress();
    const said: string[] = [];
    const say: Say = (line, level) => {
      said.push(line);
      progress.say(line, level);
    };
    try {
      const settled = await underRestoreLock(
        host,
        { purpose: "restore", about: "", say, settleAlways: true },
        async (_, found) => found,
      );
      if (json) process.stdout.write(`${JSON.stringify({ stack, settled, said })}\n`);
      else process.stdout.write(settled ? "All is as it should be again.\n" : "No restore was cut off.\n");
      return Exit.ok;
    } finally {
      progress.end();
      clone.release();
    }
  });
}

/** Takes away what earlier restores have kept. */
export async function forget(host: BackupHost, { yes, json }: RestoreOptions): Promise<number> {
  const { stack } = host.session;
  const { backups } = await ask(host, "list");
  const known = backups.find(({ database }) => database !== undefined)?.database;
  const database = known === undefined || isElsewhere(host.deployed) ? undefined : databaseOf(host, known.engine);
  const schemas = database === undefined ? [] : await previousSchemas(database, known!.schema);
  const physical = database === undefined ? [] : await keptPhysical(database);
  const places = await filesPlaces(host);
  const kept = await Promise.all(
    places.map(async (place) => ({ place, names: (await inFiles(host, place, "kept")).split("\n").filter(Boolean) })),
  );
  const folders = kept.flatMap(({ place, names }) => names.map((name) => keptIn(place, name)));
  const all = [...schemas, ...physical, ...folders];
  if (all.length > 0 && yes !== true)
    await confirmWord(stack, `This removes for good what restores have kept: ${all.join(", ")}.`, "--yes");
  const about = "what restores have kept is being removed";
  return await audited(
    host.session,
    "backup",
    ["restore", "--forget-previous"],
    async () =>
      await underRestoreLock(
        host,
        { purpose: "restore", about, say: (line) => void process.stderr.write(`→ ${line}\n`) },
        async () => {
          for (const schema of schemas) await query(database!, `DROP DATABASE ${quoted(schema)}`);
          if (physical.length > 0) await forgetPhysical(database!);
          for (const { place, names } of kept) if (names.length > 0) await inFiles(host, place, "forget");
          process.stdout.write(
            json
              ? `${JSON.stringify({ stack, removed: all })}\n`
              : all.length === 0
                ? "Nothing is kept.\n"
                : `Removed: ${all.join(", ")}\n`,
          );
          return Exit.ok;
        },
      ),
  );
}
