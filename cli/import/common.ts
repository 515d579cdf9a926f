import { ask, type BackupHost } from "../backup/agent.ts";
import type { Progress } from "../backup/progress.ts";
import { confirmWord } from "../backup/run.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";

export interface ImportOptions {
  readonly stack?: string;
  readonly replace?: true;
  readonly yes?: true;
  readonly json?: true;
}

/**
 * What is live is not overwritten by a slip of the finger: it takes --replace, the stack's name, and a backup of it
 * that was proven.
 * @param live what would be replaced, in words; empty: nothing
 */
export async function mayReplace(
  host: BackupHost,
  what: string,
  live: string,
  { replace, yes }: ImportOptions,
  progress: Progress,
): Promise<void> {
  const { stack } = host.session;
  if (live === "") return;
  if (replace !== true) {
    throw new CliError({
      what: `stack ${stack} has ${live} already; nothing was changed`,
      remedy: `look at it first; to have ${what} in its place (it is backed up before, and kept): add --replace`,
      code: Exit.refused,
    });
  }
  if (yes !== true)
    await confirmWord(
      stack,
      `This puts ${what} in the place of ${live}. What is live now is backed up first, and kept beside it.`,
      "--yes",
    );
  progress.say("backing up what is live");
  const { backup } = await ask(host, "run", ["--type", "full", "--reason", "before an import"], { on: progress.on });
  if (!backup.verified)
    throw new CliError({
      what: `the backup of what is live, ${backup.id}, is not verified; nothing was changed`,
      remedy: `./drydock backup show ${backup.id}${select(stack)}`,
      code: 4,
    });
}

/** Points in time begin with a backup. */
export async function backUpImport(host: BackupHost, progress: Progress): Promise<void> {
  progress.say("backing up what was imported");
  await ask(host, "run", ["--type", "full", "--reason", "after an import"], { on: progress.on });
}
