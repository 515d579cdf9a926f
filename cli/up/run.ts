import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { warnOfLostState } from "../shared/github.ts";
import { takeLock } from "../shared/locks.ts";
import { LOCAL } from "../shared/project.ts";
import { keepStdout } from "../shared/pulumi.ts";
import { clearOwnLock } from "../shared/recovery.ts";
import { openSession, type Session } from "../shared/session.ts";
import { onTerminal } from "../shared/ui.ts";
import { type UpOptions, underLock } from "./deploy.ts";
import { beginStory, type Story, tell } from "./story.ts";
import { waitSeconds, whileHeld } from "./waiting.ts";
import { beginWatch, type Watching } from "./watchTraffic.ts";

/** Brings a stack to what its file says and checks it. Returns the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const session = await openSession(options);
  const { stack } = session;
  if (stack !== LOCAL && options.yes !== true && !onTerminal()) {
    throw new CliError({
      what: `stack ${stack} is not deployed without confirmation, and there is no terminal to ask on`,
      remedy: `see what would change: ./drydock preview -s ${stack}\nthen: ./drydock up -s ${stack} --yes`,
      code: Exit.refused,
    });
  }
  const wait = waitSeconds(options.wait);
  if (options.json) keepStdout();
  warnOfLostState(session);
  const story = beginStory(stack);
  return audited(session, "up", [], async () => {
    try {
      return await whileHeld(wait, () => attempt(session, options, story));
    } catch (error) {
      story.error = error;
      throw error;
    } finally {
      tell(story, options.summary);
    }
  });
}

/**
 * One `up`, with the stack's lock. One in Pulumi's state that an ended job of this machine has left doesn't stop it.
 */
async function attempt(session: Session, options: UpOptions, story: Story): Promise<number> {
  const { stack, paths } = session;
  const lock = takeLock(paths.lock(stack), stack);
  let watch: Watching | undefined;
  try {
    watch = await beginWatch(session, options);
    try {
      return await underLock(session, lock, options, { watch, story });
    } catch (error) {
      const abandoned = await clearOwnLock(session, error);
      if (abandoned === undefined) throw error;
      return await underLock(session, lock, options, { watch, story, abandoned });
    }
  } finally {
    story.traffic = await watch?.finish();
    lock.release();
  }
}
