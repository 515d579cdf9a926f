import { Exit } from "../shared/errors.ts";
import { openSession } from "../shared/session.ts";
import { painter } from "../shared/ui.ts";
import { judge } from "./checks.ts";
import { gather } from "./gather.ts";
import { reportLines } from "./report.ts";

/** Looks into what runs, prints what is wrong with it, and answers whether something is broken. */
export async function doctor({ stack, json }: { readonly stack?: string; readonly json?: true }): Promise<number> {
  const facts = await gather(await openSession({ stack }));
  const checks = judge(facts);
  process.stdout.write(
    (json
      ? JSON.stringify({ stack: facts.stack, release: facts.release, checks }, null, 2)
      : reportLines(checks, painter(process.stdout))) + "\n",
  );
  return checks.some(({ verdict }) => verdict === "broken") ? Exit.failed : Exit.ok;
}
