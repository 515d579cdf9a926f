import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { type AuditLine, artisanWithoutSecrets, resultOf, STARTED, withoutSecrets } from "../../records/audit.ts";
import { CliError, Exit } from "./errors.ts";
import { appendRecord, rememberedRecords } from "./records.ts";
import type { Session } from "./session.ts";
import { interruption } from "./signals.ts";

/** How long a verb waits at its end until its line is written, in ms; the line is written later all the same. */
const PATIENCE = 400;

/**
 * Runs a verb that changes something, and leaves a line in the stack's audit log at its beginning and its end. The verb
 * never fails for it, and hardly waits for it. Before the first release there is no log.
 *
 * @param args the verb's arguments; secrets are taken out of them here
 * @returns the verb's exit code
 */
export async function audited(
  session: Pick<Session, "paths" | "stack" | "env">,
  verb: string,
  args: readonly string[],
  work: () => Promise<number>,
): Promise<number> {
  const began = Date.now();
  const line: AuditLine = {
    id: randomBytes(6).toString("hex"),
    at: new Date(began).toISOString(),
    by: `${userInfo().username}@${hostname()}`,
    verb,
    args: verb === "artisan" ? artisanWithoutSecrets(args) : withoutSecrets(args),
    result: STARTED,
  };
  const write = async (entry: AuditLine): Promise<void> => {
    try {
      const records = rememberedRecords(session);
      if (records !== undefined) await appendRecord(records, session.env, "audit.jsonl", entry, PATIENCE);
    } catch {
      /* the log is for reading later; the verb's own result is what counts now */
    }
  };
  const end = (code: number): Promise<void> =>
    write({ ...line, result: resultOf(code), seconds: Math.round((Date.now() - began) / 100) / 10 });
  void write(line);
  try {
    const code = await work();
    await end(code);
    return code;
  } catch (error) {
    await end(interruption() !== undefined ? Exit.interrupted : error instanceof CliError ? error.code : Exit.failed);
    throw error;
  }
}
