import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { defined } from "../lib/defined.ts";
import { brokenConnection, withCommands } from "./shared/connection.ts";
import { CliError, describe, Exit } from "./shared/errors.ts";
import { ROOT } from "./shared/project.ts";

/** A module that adds its verbs to the program. It loads what its action needs only when that runs. */
interface Verbs {
  register(program: Command): void;
}

/** By the verb; in the order in which the help lists them. */
const MODULES: Readonly<Record<string, () => Promise<Verbs>>> = {
  up: () => import("./up/command.ts"),
  preview: () => import("./preview/command.ts"),
  status: () => import("./status/command.ts"),
  releases: () => import("./releases/command.ts"),
  rollback: () => import("./rollback/command.ts"),
  audit: () => import("./audit/command.ts"),
  artisan: () => import("./artisan/command.ts"),
  import: () => import("./import/command.ts"),
  backup: () => import("./backup/command.ts"),
  logs: () => import("./logs/command.ts"),
  alerts: () => import("./alerts/command.ts"),
  metrics: () => import("./metrics/command.ts"),
  dashboard: () => import("./dashboard/command.ts"),
  maintenance: () => import("./maintenance/command.ts"),
  doctor: () => import("./doctor/command.ts"),
  host: () => import("./host/command.ts"),
  edge: () => import("./edge/command.ts"),
  drift: () => import("./drift/command.ts"),
  destroy: () => import("./destroy/command.ts"),
  image: () => import("./image/command.ts"),
  env: () => import("./env/command.ts"),
  test: () => import("./test/command.ts"),
  policies: () => import("./policies/command.ts"),
  check: () => import("./check/command.ts"),
  lint: () => import("./lint/command.ts"),
};

export const EXIT_CODES = `
Exit codes:
  0    done (also: nothing to change)
  1    failed, or something is not healthy; what to do is in the message
  2    wrong use: unknown command, option or argument
  3    refused: the stack is being changed by somebody else, it is in production, or --yes is missing
  4    drift: something was changed by hand (only of the command drift)
  130  interrupted by Ctrl-C (143: terminated), after what had started was finished
  artisan exits with the code of the command in the container

Environment:
  Pulumi's own variables are respected: PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE, PULUMI_HOME, PULUMI_STACK, …
  DOCKER_HOST  the Docker engine, where the stack's settings don't name one
  GITHUB_ACTIONS, GITHUB_STEP_SUMMARY: in a workflow of GitHub errors are annotations, and up writes the job's summary
  DRYDOCK_OFFLINE  1: the engine that is built here; 0: never that one, only Pulumi's own
  NO_COLOR     no colours
  DEBUG        stack traces of errors`;

/** @param verb where it is known, only its module is loaded: a tenth of a second */
export async function buildProgram(verb?: string): Promise<Command> {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const program = new Command("drydock")
    .usage("COMMAND [options]")
    .description("Laravel in production on Docker: a Pulumi program, and the commands around it.")
    .version(version, "-V, --version", "print Drydock's version")
    .helpOption("-h, --help", "show help (of a command: ./drydock COMMAND --help)")
    .helpCommand(false)
    .showSuggestionAfterError()
    .showHelpAfterError("(./drydock --help shows what there is)")
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      "after",
      `
Examples:
  $ ./drydock up                        set up what is missing, deploy the local stack, check it
  $ ./drydock status                    what runs, and is it healthy
  $ ./drydock artisan -- migrate:status
  $ eval "$(./drydock env)"             from here on, pulumi itself works in this clone
${EXIT_CODES}`,
    );
  const named = verb !== undefined && Object.hasOwn(MODULES, verb) ? [MODULES[verb]!] : Object.values(MODULES);
  for (const load of named) (await load()).register(program);
  for (const command of program.commands) {
    command.exitOverride().showHelpAfterError(`(./drydock ${command.name()} --help shows how it is used)`);
  }
  return program;
}

/** Runs a command line and returns the process's exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const debug = (process.env.DEBUG ?? "") !== "";
  try {
    const program = await buildProgram(argv[0]);
    if (argv.length === 0) {
      program.outputHelp();
      return Exit.usage;
    }
    await program.parseAsync(argv, { from: "user" });
    const code = Number(process.exitCode ?? Exit.ok);
    const broken = code === Exit.ok ? undefined : brokenConnection();
    if (broken !== undefined) process.stderr.write(`${describe(broken, debug)}\n`);
    return code;
  } catch (thrown) {
    // What Docker's client and Pulumi say of it is not what a person looks for.
    const error = thrown instanceof CommanderError ? thrown : together(thrown, brokenConnection());
    // Commander has already printed what was wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : Exit.usage;
    process.stderr.write(`${describe(error, debug)}\n`);
    if (process.env.GITHUB_ACTIONS === "true")
      process.stderr.write((await import("./shared/github.ts")).annotateError(error));
    return error instanceof CliError ? error.code : Exit.failed;
  }
}

/** A failure that comes from a broken connection is told as such, behind what was said of it. */
function together(error: unknown, broken: CliError | undefined): unknown {
  if (broken === undefined || (error instanceof CliError && error.code !== Exit.failed)) return error;
  const what = error instanceof Error ? error.message : String(error);
  if (what.startsWith(broken.message)) return error;
  return new CliError({ what: `${broken.message}: ${what}`, ...defined({ remedy: broken.remedy }) });
}

/** The process: runs its command line, and ends it. */
export async function run(): Promise<void> {
  const { handSignalsOver } = await import("./shared/signals.ts");
  handSignalsOver();
  // Whoever talks to a Docker host over ssh from here on does so over one connection.
  process.env.PATH = withCommands(process.env.PATH);
  // A reader that went away (`| head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
  });
  const code = await main(process.argv.slice(2));
  // Exits at once: an open connection of a library must not hold the shell. What was written to a pipe goes out first.
  process.stdout.write("", () => process.exit(code));
}
