import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  const imports = program
    .command("import")
    .description("bring data from elsewhere into a stack: a dump of its database, a folder of its files")
    .option(...STACK)
    .usage("dump|files [options]")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
Both are loaded beside what is live and put in its place while nobody writes, as a restore does it. What is live is
kept. Where there is something already, that takes --replace, and a backup of it is made and proven first.

Exit codes: 0 done; 1 failed; 2 wrong use; 3 refused, nothing was touched; 4 the backup of what is live could not be
proven

Examples:
  $ ./drydock import dump shop.sql.gz
  $ ssh old mariadb-dump --single-transaction --routines --triggers --events shop | ./drydock import dump -
  $ ./drydock import files /srv/old/storage/app`,
    );

  const common = (command: Command): Command =>
    command
      .option(...STACK)
      .option("--replace", "what is live may be replaced: it is backed up first, and kept beside")
      .option("--no-backup", "don't make a full backup afterwards (points in time begin with the next one)")
      .option("-y, --yes", "don't ask for the stack's name");

  common(
    imports
      .command("dump")
      .description("put a dump of mariadb-dump, mysqldump or the like in the place of the stack's database")
      .argument("<file>", "SQL of one database, plain or packed with gzip, zstd, xz or bzip2; - is standard input"),
  )
    .option(
      "--keep-definers",
      "views, triggers, routines and events stay whose they were (without: they become the application's)",
    )
    .option("--json", "print JSON at the end: stack, schema, tables, objects, definers[], previous, pending[]")
    .addHelpText(
      "after",
      `
The dump's own name of its database does not matter. Migrations that it lacks are named at the end, with the command
that runs them.

Examples:
  $ ./drydock import dump shop.sql.gz
  $ ./drydock import dump shop.sql --replace -s staging`,
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const { importDump } = await import("./dump.ts");
      process.exitCode = await importDump(file, command.optsWithGlobals());
    });

  common(
    imports
      .command("files")
      .description("put a folder's files in the place of the application's, storage/app; they become its user's")
      .argument("<dir>", "what is in it comes into storage/app"),
  )
    .option("--folder <path>", "into a folder of drydock:app.persistent instead, such as public/uploads")
    .option("--json", "print JSON at the end: stack, files, bytes, previous")
    .addHelpText(
      "after",
      `
Examples:
  $ ./drydock import files /srv/old/storage/app
  $ ./drydock import files /srv/old/public/uploads --folder public/uploads
  $ ./drydock import files uploads --replace --yes`,
    )
    .action(async (dir: string, _: unknown, command: Command) => {
      const { importFiles } = await import("./files.ts");
      process.exitCode = await importFiles(dir, command.optsWithGlobals());
    });
}
