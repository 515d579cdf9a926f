import { lint } from "../../policies/lint/report.ts";
import { Exit } from "../shared/errors.ts";

/** Prints what is wrong with Dockerfiles, and answers whether something is. */
export function lintFiles(files: readonly string[], json: boolean): number {
  const { text, failed } = lint(files, json);
  process.stdout.write(text);
  return failed ? Exit.failed : Exit.ok;
}
