import { defined } from "../../lib/defined.ts";
import { restoreReport } from "../backup/resume.ts";
import { Exit } from "../shared/errors.ts";
import { allHealthy, type Report, statusTable } from "../shared/report.ts";
import { type Deployed, deployed, readReport } from "../shared/services.ts";
import { openSession } from "../shared/session.ts";
import { painter } from "../shared/ui.ts";

/** Prints the stack's containers, and answers whether all of them are healthy. */
export async function status({ stack, json }: { readonly stack?: string; readonly json?: true }): Promise<number> {
  const report = await statusOf(await deployed(await openSession({ stack, brief: true })));
  process.stdout.write(`${json ? JSON.stringify(report, null, 2) : statusTable(report, painter(process.stdout))}\n`);
  return allHealthy(report) ? Exit.ok : Exit.failed;
}

/** What `status --json` prints. */
export async function statusOf(target: Deployed): Promise<Report> {
  const [services, restore] = await Promise.all([readReport(target), restoreReport(target)]);
  return { ...services, ...defined({ restore }) };
}
