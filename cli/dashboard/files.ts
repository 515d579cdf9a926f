import { CliError } from "../shared/errors.ts";
import { ROOT } from "../shared/project.ts";
import type { PageFiles } from "./document.ts";

/** Makes the browser's files, script and styles, of their sources and of uPlot: a tenth of a second. */
export async function pageFiles(): Promise<PageFiles> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["cli/dashboard/browser/main.ts", "cli/dashboard/browser/page.css"],
    outdir: "page",
    bundle: true,
    write: false,
    minify: true,
    platform: "browser",
    target: "es2022",
    format: "iife",
    charset: "utf8",
    logLevel: "silent",
  }).catch((error: Error) => {
    throw new CliError({ what: `the page could not be made: ${error.message}`, remedy: "npm ci" });
  });
  const file = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? "";
  return { script: file(".js"), style: file(".css") };
}
