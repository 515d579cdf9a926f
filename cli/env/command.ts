import type { Command } from "commander";

export function register(program: Command): void {
  const env = program
    .command("env")
    .description(
      "print the environment in which Pulumi's own CLI works in this clone; import an application's .env file",
    )
    .option("-s, --stack <name>", "the stack to be selected in it (default: as it is)")
    .option("--json", "print JSON: an object of name and value")
    .addHelpText(
      "after",
      `
Sets up the engine if it is missing (progress goes to stderr). A variable that is set already is left as it is.

Examples:
  $ eval "$(./drydock env)"
  $ pulumi preview
  $ pulumi config set --path drydock:app.replicas 4
  $ ./drydock env --json | jq -r .PULUMI_HOME
  $ ./drydock env import ../shop/.env --dry-run`,
    )
    .action(async (options: { stack?: string; json?: true }) => {
      const { printEnvironment } = await import("./run.ts");
      await printEnvironment(options);
    });
  env
    .command("import")
    .description("set the variables of a .env file in a stack's file, the secret ones encrypted")
    .argument("<file>", "the .env file; it is read as Laravel reads it")
    .option("-s, --stack <name>", "the stack (default: the selected one)")
    .option("--dry-run", "only say what would be set")
    .option("--json", "print JSON: what becomes of each variable, without any value")
    .addHelpText(
      "after",
      `
What is a secret, by its name or its value, is encrypted. It is then in Laravel's .env file alone: env() outside of
config files, once the configuration is cached, and the image's own start script can't see it; the other variables are
in each container's environment too. What Drydock sets by itself (DB_HOST, REDIS_HOST, …) is left out, and said.
Variables that the stack has already are overwritten, but those that its own database and Redis are made with. Exits
with 1 where a variable could not be taken; the others are set.

Examples:
  $ ./drydock env import ../shop/.env --dry-run
  $ ./drydock env import /srv/shop/.env -s prod`,
    )
    .action(async (file: string, _options: object, command: Command) => {
      const { importEnv } = await import("./import.ts");
      process.exitCode = await importEnv(
        file,
        command.optsWithGlobals<{ stack?: string; dryRun?: boolean; json?: boolean }>(),
      );
    });
}
