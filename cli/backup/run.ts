import { writeFileSync } from "node:fs";
import type { Event, Results, Status } from "../../contracts/agent.ts";
import type { BackupType } from "../../contracts/entry.ts";
import { showLogs } from "../logs/run.ts";
import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";
import { ask as askPerson, onTerminal, painter } from "../shared/ui.ts";
import { type AgentVerb, ask, type BackupHost, backupHost } from "./agent.ts";
import { backupTable, bytes, duration, entryLines } from "./format.ts";
import { Progress } from "./progress.ts";
import { refuseDuringRestore } from "./resume.ts";
import { shownName } from "./shown.ts";

export interface Common {
  readonly stack?: string;
  readonly json?: true;
}

const print = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join("\n")}\n`);
};
const printJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

/** Asks the agent with a progress bar, or with --json hands its events through, the result last. */
export async function work<V extends AgentVerb>(
  host: BackupHost,
  verb: V,
  args: readonly string[],
  json: boolean | undefined,
): Promise<Results[V]> {
  const progress = new Progress();
  try {
    const result = await ask(host, verb, args, { on: json ? (event: Event) => printJson(event) : progress.on });
    if (json) printJson(result);
    return result;
  } finally {
    progress.end();
  }
}

export async function run({
  stack,
  json,
  type,
  verify,
  reason,
}: Common & { readonly type?: BackupType; readonly verify: boolean; readonly reason?: string }): Promise<number> {
  const host = await backupHost(stack);
  return await audited(host.session, "backup", ["run", ...(type === undefined ? [] : [type])], async () => {
    const { backup } = await work(
      host,
      "run",
      ["--type", type ?? "full", "--reason", reason ?? "by hand", ...(verify ? [] : ["--no-verify"])],
      json,
    );
    if (!json) print(entryLines(backup));
    return Exit.ok;
  });
}

export async function list({ stack, json }: Common): Promise<number> {
  const host = await backupHost(stack);
  const { backups, unreadable } = await ask(host, "list");
  if (json) printJson({ stack: host.session.stack, backups, unreadable });
  else if (unreadable > 0)
    print([
      `${unreadable} more can't be read with drydock:backup.key: see ` +
        `./drydock backup status${select(host.session.stack)}`,
    ]);
  if (!json)
    print(
      backups.length === 0
        ? [`There is no backup yet: ./drydock backup run${select(host.session.stack)}`]
        : [backupTable(backups, painter(process.stdout))],
    );
  return Exit.ok;
}

export async function show(id: string, { stack, json }: Common): Promise<number> {
  const { backup } = await ask(await backupHost(stack), "show", [id]);
  if (json) printJson(backup);
  else print(entryLines(backup));
  return Exit.ok;
}

export async function verify(id: string, { stack, json }: Common): Promise<number> {
  const host = await backupHost(stack);
  return await audited(host.session, "backup", ["verify", id], async () => {
    const { backup } = await work(host, "verify", [id], json);
    if (!json) print(entryLines(backup));
    return Exit.ok;
  });
}

export async function status({ stack, json }: Common): Promise<number> {
  const host = await backupHost(stack);
  const found = await ask(host, "status");
  if (json) printJson(found);
  else print(statusLines(found, host.session.stack));
  return found.alarms.length === 0 ? Exit.ok : Exit.failed;
}

function statusLines(
  { left = [], newest, newestVerified, ageHours, rpoSeconds, rtoSeconds, binlog, s3, running, next, alarms }: Status,
  stack: string,
): string[] {
  return [
    "newest      " +
      (newest === null ? "none" : `${newest.id} (${newest.type}${newest.verified ? ", verified" : ", not verified"})`),
    "verified    " +
      (newestVerified === null
        ? "none"
        : `${newestVerified.id}${ageHours === null ? "" : `, ${ageHours.toFixed(1)} h old`}`),
    `RPO         ${rpoSeconds === null ? "unknown" : `${duration(rpoSeconds)}: this much would be lost now`}`,
    `RTO         ${rtoSeconds === null ? "unknown" : `${duration(rtoSeconds)}: the last restore took this long`}`,
    "binary log  " +
      (binlog.streaming
        ? `streaming, ${binlog.position?.file ?? "-"} ${binlog.position?.position ?? ""}`
        : "not streaming"),
    `S3          ${!s3.configured ? "not configured" : (s3.error ?? `up to ${duration(s3.lagSeconds ?? 0)} ago`)}`,
    ...(running === null ? [] : [`running     ${running.type} since ${running.since}`]),
    ...Object.entries(next).map(([name, time]) => `next        ${name}: ${time ?? "off"}`),
    ...left.map((one) => `not in it   ${one}`),
    ...(newest?.missing ?? []).map((one) => `missing     ${shownName(one)}`),
    ...(newest?.unproven ?? []).map((one) => `unproven    ${shownName(one)}`),
    ...alarms.map(({ name, since, message }) => `ALARM       ${name} since ${since}: ${shownName(message)}`),
    ...(newestVerified === null ? [`make one: ./drydock backup run${select(stack)}`] : []),
  ];
}

export async function health({ stack, json }: Common): Promise<number> {
  const found = await ask(await backupHost(stack), "health");
  if (json) printJson(found);
  else print(found.checks.map(({ name, ok, message }) => `${ok ? "ok " : "NOT"} ${name.padEnd(14)} ${message}`));
  return found.healthy ? Exit.ok : Exit.failed;
}

export const logs = (options: {
  readonly stack?: string;
  readonly follow?: true;
  readonly tail: string;
  readonly since?: string;
}): Promise<number> => showLogs("backup", options);

export async function stats({ stack, json }: Common): Promise<number> {
  const found = await ask(await backupHost(stack), "stats");
  if (json) printJson(found);
  else
    print([
      `backups     ${found.backups}, ${found.verified} of them verified`,
      `repository  ${bytes(found.repositoryBytes)} for ${bytes(found.restoreBytes)} that could be restored`,
      `binary log  ${bytes(found.binlogBytes)} in ${found.binlogSegments} segments`,
      `free        ${bytes(found.freeBytes)}`,
    ]);
  return Exit.ok;
}

export async function cleanup({
  stack,
  json,
  dryRun,
  yes,
}: Common & { readonly dryRun?: true; readonly yes?: true }): Promise<number> {
  const host = await backupHost(stack);
  const look = await ask(host, "cleanup", ["--dry-run"]);
  if (dryRun || look.removed.length + look.removedSegments === 0) {
    if (json) printJson(look);
    else
      print([
        `${dryRun ? "Would remove" : "Nothing to remove"}` +
          (dryRun
            ? `: ${look.removed.join(", ") || "no backup"}, ${look.removedSegments} segments of the binary log`
            : "") +
          `; ${look.kept.length} backups stay.`,
      ]);
    return Exit.ok;
  }
  if (yes !== true)
    await confirmWord(
      host.session.stack,
      `${look.removed.length} backups and ${look.removedSegments} segments of the binary log are past their time ` +
        `and will be removed${look.removed.length === 0 ? "" : `: ${look.removed.join(", ")}`}.`,
      "--yes",
    );
  await refuseDuringRestore(host.docker, host.deployed);
  return await audited(host.session, "backup", ["cleanup"], async () => {
    const { removed, kept } = await work(host, "cleanup", ["--yes"], json);
    if (!json) print([`Removed ${removed.length} backups; ${kept.length} stay.`]);
    return Exit.ok;
  });
}

/** The whole drill: a backup of now, and its proof. */
export async function drill({ stack, json }: Common): Promise<number> {
  const host = await backupHost(stack);
  return await audited(host.session, "backup", ["test"], async () => {
    const { backup } = await work(host, "run", ["--type", "full", "--reason", "drill"], json);
    const found = await ask(host, "status");
    if (!json)
      print([
        ...entryLines(backup),
        "",
        `RPO ${found.rpoSeconds === null ? "unknown" : duration(found.rpoSeconds)}, ` +
          `RTO ${duration(backup.verification?.seconds ?? 0)} (measured)`,
      ]);
    return backup.verified ? Exit.ok : 4;
  });
}

/** The one place where the key is shown: to who asks for it, on a terminal or into a file of his own. */
export async function exportKey(
  file: string | undefined,
  { stack, yes }: { readonly stack?: string; readonly yes?: true },
): Promise<number> {
  const host = await backupHost(stack);
  if (yes !== true && file === undefined)
    await confirmWord(
      host.session.stack,
      "Anyone with this key and access to the bucket has all data of the stack. The key is about to be shown.",
      "--yes, or name a file",
    );
  return await audited(host.session, "backup", ["key", "export"], async () => {
    const { key } = await ask(host, "key");
    if (file === undefined) process.stdout.write(`${key}\n`);
    else {
      try {
        writeFileSync(file, `${key}\n`, { mode: 0o600, flag: "wx" });
      } catch (error) {
        throw new CliError({
          what: `the key was not written: ${(error as Error).message}`,
          remedy: "name a file that isn't there yet",
          code: Exit.refused,
        });
      }
      process.stderr.write(`${file}: the key of stack ${host.session.stack}; keep it away from the backups\n`);
    }
    return Exit.ok;
  });
}

/** Takes out of the repository what is damaged: the next backup stores it anew. */
export async function repair({ stack, yes, json }: Common & { readonly yes?: true }): Promise<number> {
  const host = await backupHost(stack);
  if (yes !== true)
    await confirmWord(
      host.session.stack,
      "This reads the whole repository and takes out what is damaged. Backups that need it can't be restored " +
        "from here any more, as they can't now.",
      "--yes",
    );
  return await audited(host.session, "backup", ["repair"], async () => {
    const { files, affected } = await work(host, "repair", [], json);
    const s = select(host.session.stack);
    if (!json)
      print([
        `${files} damaged files were taken out` +
          `${affected.length === 0 ? "" : `; without them are: ${affected.join(", ")}`}. Make a full backup: ` +
          `./drydock backup run${s}`,
      ]);
    return Exit.ok;
  });
}

/** Begins anew where the key is lost with which the backups were made. */
export async function resetKey({ stack, yes }: { readonly stack?: string; readonly yes?: true }): Promise<number> {
  const host = await backupHost(stack);
  if (yes !== true)
    await confirmWord(
      host.session.stack,
      "This starts over with the key in the stack's file. Backups made with another key are set aside, and can't be " +
        "read without that key.",
      "--yes",
    );
  return await audited(host.session, "backup", ["key", "reset"], async () => {
    const { aside } = await ask(host, "reset");
    print([
      `What another key has made is kept in the volume of backups as ${aside}. Make a backup: ` +
        `./drydock backup run${select(host.session.stack)}`,
    ]);
    return Exit.ok;
  });
}

/** Nothing is overwritten by a slip of the finger: the stack's name has to be typed. */
export async function confirmWord(stack: string, what: string, instead: string): Promise<void> {
  if (!onTerminal())
    throw new CliError({
      what: `${what} There is no terminal to ask on; nothing was changed`,
      remedy: `add ${instead}`,
      code: Exit.refused,
    });
  process.stderr.write(`${what}\n`);
  if ((await askPerson(`Type the stack's name (${stack}) to go on: `)) !== stack)
    throw new CliError({ what: "not confirmed; nothing was changed", code: Exit.refused });
}
