import { type Command, Option } from "commander";
import { TYPES } from "../../contracts/entry.ts";
import { STACK } from "../shared/options.ts";

const JSON_OPTION = ["--json", "print JSON: one object a line where something goes on, the result last"] as const;

const collected = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function register(program: Command): void {
  const backup = program
    .command("backup")
    .description("make backups, prove them, restore them")
    .option(...STACK)
    .usage("run|list|show|verify|restore|status|health|logs|stats|cleanup|repair|test|key [options]")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
Every backup is restored into a throwaway server and compared before it counts as verified. docs/backups.md tells how it
works.

Exit codes: 0 done; 1 failed, or something is wrong (status, health); 2 wrong use; 3 refused, nothing was touched; 4 not
what was backed up

Examples:
  $ ./drydock backup run                          a full backup, now
  $ ./drydock backup restore latest --into look   beside the live database, to look at it
  $ ./drydock backup restore latest --db --to-time "2026-01-31 10:29:59"
  $ ./drydock backup status`,
    );
  const verb = (name: string, description: string): Command =>
    backup
      .command(name)
      .description(description)
      .option(...STACK);
  const verbs = () => import("./run.ts");
  // Commander hands out arguments and options without types; those of the verbs are checked where they are declared.
  // biome-ignore lint/suspicious/noExplicitAny: as above
  type Loose = any;
  const on = (command: Command, work: (options: Loose, ...args: Loose[]) => Promise<number>): Command =>
    command.action(async (...all: Loose[]) => {
      process.exitCode = await work((all.at(-1) as Command).optsWithGlobals(), ...all.slice(0, -2));
    });

  on(
    verb("run", "make a backup and prove it")
      .addOption(
        new Option(
          "--type <type>",
          "full, db, files, or incremental (the database since its last physical backup)",
        ).choices([...TYPES]),
      )
      .option("--reason <text>", "why, for the list")
      .option("--no-verify", "don't restore it: it then counts as not verified")
      .option(...JSON_OPTION),
    async (options) => (await verbs()).run(options),
  );
  on(verb("list", "all backups, newest first").option(...JSON_OPTION), async (options) =>
    (await verbs()).list(options),
  );
  on(
    verb("show", "what a backup holds, and its proof")
      .argument("<id>")
      .option(...JSON_OPTION),
    async (options, id) => (await verbs()).show(id, options),
  );
  on(
    verb("verify", "restore a backup into a throwaway server and compare")
      .argument("<id>")
      .option(...JSON_OPTION),
    async (options, id) => (await verbs()).verify(id, options),
  );
  on(
    verb("restore", "replace what is live with a backup; what was live is kept beside it")
      .argument("[id]", "a backup, or latest: the newest verified one", "latest")
      .option("--db", "only the database")
      .option("--files", "only the files of storage/app")
      .option("--folder <path>", "only that folder of drydock:app.persistent; may be given again", collected)
      .option(
        "--service <name>",
        "only the volume of that service, which is stopped for it; may be given again",
        collected,
      )
      .option("--to-time <time>", "the database as it was at that second (UTC), from the binary log")
      .option("--into <schema>", "the database into a new schema of that name; nothing that is live changes")
      .option(
        "--physical",
        "the database server's files as a whole: as fast as the disk, with the server stopped for two renames",
      )
      .option("--compare", "with --physical: compare every table though the backup was proven before")
      .option("--from-s3", "first take over what is in S3: on an empty machine")
      .option("--forget-previous", "remove for good what earlier restores have kept")
      .option(
        "--resume",
        "bring a restore that was cut off (killed, or the machine stopped) to its end: done, or taken back",
      )
      .option("--no-backup", "don't make a full backup afterwards (points in time begin with the next one)")
      .option("-y, --yes", "don't ask for the stack's name")
      .option("--json", "print JSON at the end: stack, backup, reached, schema, restored[], previous[]")
      .addHelpText(
        "after",
        `
It is loaded beside the live data and compared with what was recorded (with --physical only where it has not been proven
yet, or with --compare). Then Horizon, workers and the scheduler are stopped, the site shows the page of maintenance
mode, one RENAME TABLE swaps the schemas, and all is as it was. Until then a failure changes nothing. Where it is killed
later, \`./drydock status\` says so, and the next restore, \`--resume\` or \`./drydock up\`
brings it to one of two ends: done, or taken back. One restore or \`up\` at a time, from whichever machine.`,
      ),
    async (options, id) => (await import("./restore.ts")).restore(id, options),
  );
  on(
    verb("status", "newest backup, RPO, RTO, alarms")
      .option("--from-s3", "ask the bucket itself, with your own credentials (AWS_PROFILE, …), and not the agent")
      .option(...JSON_OPTION),
    async (options) => (options.fromS3 ? await import("./fromS3.ts") : await verbs()).status(options),
  );
  on(verb("health", "whether all that backups need works").option(...JSON_OPTION), async (options) =>
    (await verbs()).health(options),
  );
  on(
    verb("logs", "what the agent writes")
      .option("-f, --follow", "keep printing new lines")
      .option("-n, --tail <lines>", "the last lines, or all", "100")
      .option("--since <time>", "only later ones: 10m, 2h"),
    async (options) => (await verbs()).logs(options),
  );
  on(verb("stats", "how much there is").option(...JSON_OPTION), async (options) => (await verbs()).stats(options));
  on(
    verb("cleanup", "remove what is past its time; the newest verified backup always stays")
      .option("--dry-run", "only say what")
      .option("-y, --yes", "don't ask")
      .option(...JSON_OPTION),
    async (options) => (await verbs()).cleanup(options),
  );
  on(
    verb("repair", "take what is damaged out of the repository, so that the next backup stores it anew")
      .option("-y, --yes", "don't ask for the stack's name")
      .option(...JSON_OPTION),
    async (options) => (await verbs()).repair(options),
  );
  on(
    verb(
      "test",
      "the whole drill: a backup of now, restored into throwaway containers, with the measured RPO and RTO",
    ).option(...JSON_OPTION),
    async (options) => (await verbs()).drill(options),
  );
  const key = backup.command("key").description("the repository's key").usage("export [file]|reset").helpCommand(false);
  key
    .command("reset")
    .description("start over when the key is lost: the backups made with it are set aside")
    .option(...STACK)
    .option("-y, --yes", "don't ask for the stack's name")
    .action(async (_: unknown, command: Command) => {
      process.exitCode = await (await verbs()).resetKey(command.optsWithGlobals());
    });
  key
    .command("export")
    .description("show it, or write it into a file (0600): without it no backup can be read")
    .argument("[file]")
    .option(...STACK)
    .option("-y, --yes", "don't ask before it is shown")
    .action(async (file: string | undefined, _: unknown, command: Command) => {
      process.exitCode = await (await verbs()).exportKey(file, command.optsWithGlobals());
    });
}
