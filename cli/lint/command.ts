import type { Command } from "commander";

export function register(program: Command): void {
  program
    .command("lint")
    .description("judge Dockerfiles: what no policy can see")
    .argument("[dockerfile...]", "files, relative to the project (default: those of images/ and examples/)")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Uses hadolint as well where it is on PATH.
A file says why a check does not fit it in a comment: # lint-allow user: nothing runs from this image

Examples:
  $ ./drydock lint
  $ ./drydock lint ../shop/Dockerfile`,
    )
    .action(async (files: readonly string[], { json }: { readonly json?: true }) => {
      const { lintFiles } = await import("./run.ts");
      process.exitCode = lintFiles(files, json === true);
    });
}
