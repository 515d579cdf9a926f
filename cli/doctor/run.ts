import { Exit } from "../shared/errors.ts";
import { tellFound } from "../shared/found.ts";
import { deployed } from "../shared/services.ts";
import { openSession } from "../shared/session.ts";
import { painter } from "../shared/ui.ts";
import { judge } from "./checks.ts";
import { gather } from "./gather.ts";
import { reportLines } from "./report.ts";

/** Looks into what runs, prints what is wrong with it, and answers whether something is broken. */
export async function doctor({ stack, json }: { readonly stack?: string; readonly json?: true }): Promise<number> {
  const session = await openSession({ stack });
  const [facts, target] = await Promise.all([gather(session), deployed(session)]);
  const checks = judge(facts);
  const found = checks.filter(({ verdict }) => verdict !== "fine").map(({ verdict }) => verdict);
  await tellFound(target, "doctor", found);
  process.stdout.write(
    (json
      ? JSON.stringify({ stack: facts.stack, release: facts.release, checks }, null, 2)
      : reportLines(checks, painter(process.stdout))) + "\n",
  );
  return checks.some(({ verdict }) => verdict === "broken") ? Exit.failed : Exit.ok;
}
