import { Command, Option } from "commander";
import { EXIT, PORTS, titleOf } from "../contracts/agent.ts";
import { type BackupType, TYPES } from "../contracts/entry.ts";
import { defined } from "../lib/defined.ts";
import type { Agent } from "./agent.ts";
import { AgentError, messageOf } from "./shared/errors.ts";
import type { Reporter } from "./shared/events.ts";
import { output } from "./shared/output.ts";

// The agent's entry: three programs that run for long, and verbs. Each loads no more than it needs.

const program = new Command("agent")
  .description("Drydock's backup agent")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));

program
  .command("serve")
  .description("run as the agent")
  .action(async () => (await import("./schedule/serve.ts")).serve());
program
  .command("companion")
  .description("run as the companion that restores")
  .action(async () => (await import("./companion/serve.ts")).serveCompanion());
program
  .command("reader")
  .description("run as the reader of a service's volume")
  .action(async () => (await import("./reader/serve.ts")).serveReader());

verb(
  "run",
  "make a backup and prove it",
  async (agent, options: { type: BackupType; reason: string; verify: boolean }) => ({
    backup: await (await import("./snapshot/run.ts")).runBackup(agent, options),
  }),
  { changes: true },
)
  .addOption(new Option("--type <type>").choices([...TYPES]).default("full"))
  .option("--reason <text>", "why, for the catalogue", "by hand")
  .option("--no-verify", "don't restore it");
verb("list", "all backups, newest first", async (agent) => {
  const { entries, unreadable } = await agent.local.catalogue.list();
  return { backups: entries, unreadable: unreadable.length };
});
verb("show <id>", "one of them", async (agent, id: string) => ({ backup: await agent.local.catalogue.find(id) }));
verb(
  "verify <id>",
  "restore one and compare",
  async (agent, id: string) => {
    const { verifyBackup } = await import("./restore/verify.ts");
    const backup = await verifyBackup(agent, await agent.local.catalogue.find(id));
    if (!backup.verified)
      throw new AgentError(
        `backup ${backup.id} is not what was backed up: ${backup.verification?.problems.join("; ")}`,
        { code: EXIT.notVerified },
      );
    return { backup };
  },
  { changes: true },
);
verb(
  "dump <id>",
  "the database as SQL",
  async (agent, id: string, { toTime }: { toTime?: string }) =>
    await (await import("./restore/recover.ts")).dumpBackup(agent, id, toTime, output()),
  { data: true },
).option("--to-time <time>", "recovered to that moment (UTC)");
verb(
  "files <id>",
  "the files of storage/app as tar",
  async (agent, id: string, { folder, service }: { folder?: string; service?: string }) =>
    await (await import("./restore/recover.ts")).filesOf(agent, id, titled(folder, service), output()),
  { data: true },
)
  .option("--folder <path>", "those of a folder of app.persistent instead")
  .addOption(new Option("--service <name>", "those of a service's volume instead").conflicts("folder"));
verb(
  "prepare <id>",
  "a server's data, recovered and checked, in the volume for restores",
  async (agent, id: string, options: { toTime?: string; compare?: boolean }) =>
    await (await import("./restore/recover.ts")).prepareBackup(agent, id, options),
)
  .option("--to-time <time>", "recovered to that moment (UTC)")
  .option("--compare", "with what was recorded, though it was proven");
verb("replaced", "note that a server's files were put in the place of the live ones just now", async ({ local }) => {
  await (await import("./store/state.ts")).noteReplacement(local.catalogue);
  await fetch(`http://127.0.0.1:${PORTS.agent}/replaced`, { method: "POST", signal: AbortSignal.timeout(60_000) });
  return {};
});
verb("status", "how things stand", async (agent) => (await import("./schedule/status.ts")).statusOf(agent));
verb("health", "whether all is well", async (agent) => {
  const health = await (await import("./schedule/status.ts")).healthOf(agent);
  if (!health.healthy) process.exitCode = EXIT.failed;
  return health;
});
verb("stats", "how much there is", async (agent) => (await import("./schedule/status.ts")).statsOf(agent));
verb(
  "cleanup",
  "remove what is older than the retention",
  async (agent, { dryRun, yes, now }: { dryRun?: boolean; yes?: boolean; now?: string }) => {
    const { cleanUp } = await import("./upkeep/cleanup.ts");
    const time = now === undefined ? new Date() : new Date(now);
    return await cleanUp(agent, { dryRun: dryRun === true, all: yes === true, now: time });
  },
  { changes: true },
)
  .option("--dry-run", "only say what")
  .option("--yes", "however many verified ones that are")
  .option("--now <time>", "as if it were then");
verb("check", "check the whole repository, and read a part of it", async (agent) => {
  const { checkRepository } = await import("./upkeep/damage.ts");
  const { healthOf } = await import("./schedule/status.ts");
  await checkRepository(agent, "10%");
  await agent.s3?.restic.check();
  const health = await healthOf(agent);
  if (!health.healthy)
    throw new AgentError(
      health.checks
        .filter(({ ok }) => !ok)
        .map(({ name, message }) => `${name}: ${message}`)
        .join("; "),
    );
  return health;
});
verb(
  "repair",
  "take what is damaged out of the repository",
  async (agent) => (await import("./upkeep/damage.ts")).repair(agent),
  { changes: true },
);
verb(
  "copy",
  "put into S3 what is not there yet",
  async (agent) => {
    await (await import("./upkeep/copy.ts")).copyMissing(agent);
    return {};
  },
  { changes: true },
);
verb(
  "adopt",
  "take over what is in S3, on an empty machine",
  async (agent, { takeOver }: { takeOver?: boolean }) => ({
    adopted: await (await import("./upkeep/copy.ts")).adopt(agent, takeOver === true),
  }),
  { changes: true },
).option("--take-over", "the bucket too, though another agent is at work on it");
verb("key", "the repository's key", async () => ({
  key: (await import("./shared/configuration.ts")).requireSecret("repositoryKey"),
}));
verb(
  "reset",
  "begin anew with the key, and keep what another key has made aside",
  async (agent) => (await import("./upkeep/reset.ts")).beginAnew(agent),
  { changes: true },
);
verb(
  "state <id>",
  "what else was kept with a backup: environment, maintenance mode, releases",
  async (agent, id: string) => {
    const { id: found } = await agent.local.catalogue.find(id);
    return { state: (await agent.local.catalogue.attachment<object>(found, "state")) ?? null };
  },
);
verb("describe", "note the environment (standard input) for the next backups", async () => {
  await (await import("./store/state.ts")).describeEnvironment(process.stdin);
  return {};
});

program.parseAsync().then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(EXIT.failed);
  },
);

/**
 * Adds a verb of the agent's command line. It ends with one event, `result` or `error`, and an exit code.
 * @param changes whether it may change the backups. @default false
 * @param data whether standard output is data, and its events go to standard error. @default false
 */
function verb(
  name: string,
  description: string,
  work: (agent: Agent, ...args: never[]) => Promise<object>,
  { data = false, changes = false } = {},
): Command {
  return program
    .command(name)
    .description(description)
    .option("--json", "one JSON object a line")
    .action(async function (this: Command) {
      const [{ agentOf }, { Reporter }] = await Promise.all([import("./agent.ts"), import("./shared/events.ts")]);
      const { json } = this.opts<{ json?: boolean }>();
      process.exitCode = await finish(
        new Reporter({ json: json === true, output: data ? 2 : 1 }),
        changes,
        (reporter) => work(agentOf(reporter), ...([...this.processedArgs, this.opts()] as never[])),
      );
    });
}

function titled(folder: string | undefined, service: string | undefined): string | undefined {
  if (folder !== undefined) return titleOf({ kind: "folder", name: folder });
  return service === undefined ? undefined : titleOf({ kind: "service", name: service });
}

/** Does a verb's work and ends with its one event; what may have changed the backups tells the agent that runs. */
async function finish(
  reporter: Reporter,
  changes: boolean,
  work: (reporter: Reporter) => Promise<object>,
): Promise<number> {
  try {
    const result = await work(reporter);
    const { key } = result as { key?: string };
    // The one result that is a secret is no event, for events are stripped of secrets.
    if (key === undefined) reporter.emit({ event: "result", ...result });
    else process.stdout.write(`${JSON.stringify({ event: "result", key })}\n`);
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    const known = error instanceof AgentError ? error : undefined;
    const code = known?.code ?? EXIT.failed;
    reporter.log("error", messageOf(error));
    reporter.emit({ event: "error", message: messageOf(error), ...defined({ remedy: known?.remedy }), code });
    return code;
  } finally {
    // The agent looks at once, and need not wait for its next round.
    if (changes)
      await fetch(`http://127.0.0.1:${PORTS.agent}/changed`, { signal: AbortSignal.timeout(2_000) }).catch(
        () => undefined,
      );
  }
}
