import { Argument, type Command } from "commander";
import { STACK } from "../shared/options.ts";
import type { ImageOptions } from "./run.ts";

/** What can be built: the application, and what Drydock runs beside it. */
const NAMES = ["app", "backup", "proxy", "database", "redis", "monitoring", "php"] as const;

export function register(program: Command): void {
  const image = program
    .command("image")
    .description("build the images of a stack: the application's (drydock:app.build), and those that run beside it")
    .option(...STACK)
    .addHelpText(
      "after",
      `
Examples:
  $ ./drydock image build
  $ ./drydock image push app backup --registry registry.example.com/shop`,
    );
  const verb = (name: "build" | "push", description: string) =>
    image
      .command(name)
      .description(description)
      .addArgument(
        new Argument("[names...]", "which ones (default: all but php, which is a base for applications)").choices(
          NAMES,
        ),
      )
      .option(...STACK)
      .option("--json", "print JSON: images[] {name, image, digest, setting}");
  verb("build", "build them on this machine's Docker engine, unless they are there")
    .addHelpText(
      "after",
      `
Examples:
  $ ./drydock image build app -s staging`,
    )
    .action(run("build"));
  verb("push", "build them, push them to a registry, and print the settings that name them by digest")
    .requiredOption(
      "-r, --registry <prefix>",
      "the registry, and a path in it: registry.example.com/shop; docker must be logged in there",
    )
    .option("-t, --tag <tag>", "the application's tag (default: made of what it is built from)")
    .addHelpText(
      "after",
      `
Examples:
  $ docker login registry.example.com
  $ ./drydock image push --registry registry.example.com/shop
  $ ./drydock image push app --registry registry.example.com/shop --tag 1.4 --json | jq -r '.images[0].digest'`,
    )
    .action(run("push"));
}

const run =
  (verb: "build" | "push") =>
  async (names: readonly string[], _options: object, command: Command): Promise<void> => {
    const { makeImages } = await import("./run.ts");
    const which = names.length > 0 ? names : NAMES.filter((name) => name !== "php");
    process.exitCode = await makeImages(verb, which, command.optsWithGlobals<ImageOptions>());
  };
