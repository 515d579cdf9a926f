import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { defined } from "../../lib/defined.ts";
import { parseReleases } from "../../records/release.ts";
import { type Docker, type Inspected, inspect, unanswered } from "../shared/docker.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { type Records, readLogsBefore, readRecords, recordsOf } from "../shared/records.ts";
import { deployed } from "../shared/services.ts";
import { openSession } from "../shared/session.ts";
import type { StackContainer } from "../shared/stack.ts";
import { harmlessLine, painter } from "../shared/ui.ts";
import { chosenLines, keptLines, type Line, patternOf, sinceOf, stamped } from "./lines.ts";

export interface LogsOptions {
  readonly stack?: string;
  readonly follow?: true;
  readonly tail: string;
  readonly since?: string;
  readonly before?: true;
  readonly grep?: string;
  readonly release?: string;
  readonly timestamps?: true;
  readonly json?: true;
}

const COLOURS = ["cyan", "green", "yellow", "magenta", "blue"] as const;

/** Into how many pieces of 16 KiB a long line may be divided, and be shown as a whole however few lines are wanted. */
const PIECES = 64;

/** Those of a role, or all. */
export function ofRole(services: readonly StackContainer[], role: string): readonly StackContainer[] {
  const found = role === "all" ? services : services.filter((service) => service.role === role);
  if (found.length > 0) return found;
  const roles = [...new Set(services.map((service) => service.role))].sort();
  throw new CliError({
    what: `no service has the role "${role}"`,
    remedy: `one of: ${[...roles, "all"].join(", ")}`,
    code: Exit.usage,
  });
}

export function logArguments(
  container: string,
  { follow, tail, since }: Pick<LogsOptions, "follow" | "tail" | "since">,
): readonly string[] {
  if (!/^(all|\d+)$/.test(tail))
    throw new CliError({
      what: `--tail is "${tail}"`,
      remedy: "a number of lines, or all: --tail 100",
      code: Exit.usage,
    });
  return [
    "logs",
    "--timestamps",
    "--tail",
    tail,
    ...(since === undefined ? [] : ["--since", since]),
    ...(follow ? ["--follow"] : []),
    container,
  ];
}

/** Shows a line behind the name of its service, in that one's colour. */
function printer(names: readonly string[], { json, timestamps }: LogsOptions): (line: Line) => void {
  const paint = painter(process.stdout);
  // Who reads it by a program gets it as it was written.
  const shown = process.stdout.isTTY === true ? harmlessLine : (text: string) => text;
  const width = Math.max(0, ...names.map((name) => name.length));
  return (line) => {
    if (json) return void process.stdout.write(`${JSON.stringify(defined(line))}\n`);
    const colour = COLOURS[names.indexOf(line.service) % COLOURS.length] ?? "cyan";
    const at = timestamps ? `${line.at} ` : "";
    process.stdout.write(`${paint(colour, `${line.service.padEnd(width)} |`)} ${at}${shown(line.text)}\n`);
  };
}

/** What a role's containers write: of all of them together, in the order of time; or as it comes. */
export async function showLogs(role: string, options: LogsOptions): Promise<number> {
  const { before, follow, tail } = options;
  if (follow && (before || options.release !== undefined))
    throw new CliError({
      what: `--follow shows what is written from now on, and ${before ? "--before" : "--release"} what was`,
      remedy: "leave one of them out",
      code: Exit.usage,
    });
  const grep = patternOf(options.grep);
  const since = sinceOf(options.since);
  const { outputs, docker, unfinished } = await deployed(await openSession({ stack: options.stack, brief: true }));
  // What failed on its way is what somebody wants to read then.
  const all = [...outputs.services, ...(unfinished?.others ?? []).map((one) => ({ ...one, name: one.container }))];
  if (follow) return await followed(docker, outputs.stack, role, ofRole(all, role), { ...options, since }, grep);
  const records = before || options.release !== undefined ? recordsOf(outputs, docker.env.DOCKER_HOST) : undefined;
  const kept = records === undefined ? [] : keptLines(await readLogsBefore(records, docker.env));
  const release = await idOf(options.release, records, docker);
  // Of a role that is no more there may be lines.
  const there = kept.some((line) => line.role === role) ? all.filter((one) => one.role === role) : ofRole(all, role);
  const services = before ? [] : there;
  // Of each one more than is asked for, where a pattern leaves some out.
  const most = grep === undefined ? morePieces(tail) : "all";
  const live = (
    await Promise.all(services.map((one) => linesOf(docker, outputs.stack, one, { tail: most, since })))
  ).flat();
  const releases =
    release === undefined && !options.json
      ? new Map<string, string>()
      : await releasesOf(docker, services, outputs.stack);
  const lines = chosenLines([...kept, ...live.map((line) => ({ ...line, release: releases.get(line.service) }))], {
    role,
    tail,
    since,
    grep,
    release,
  });
  const print = printer([...new Set(lines.map(({ service }) => service))].sort(), options);
  for (const line of lines) print(line);
  if (lines.length === 0)
    process.stderr.write(`drydock: ${nothing(role, { ...options, ...defined({ release }) }, kept)}\n`);
  return Exit.ok;
}

/** A release's id, where somebody has said its number. */
async function idOf(
  said: string | undefined,
  records: Records | undefined,
  docker: Docker,
): Promise<string | undefined> {
  if (records === undefined || said === undefined || !/^\d{1,6}$/.test(said)) return said;
  const { "releases.jsonl": lines } = await readRecords(records, docker.env, ["releases.jsonl"]);
  return parseReleases(lines).find(({ sequence }) => sequence === Number(said))?.release ?? said;
}

/** Why nothing is shown, where somebody might take that for a fault. */
function nothing(role: string, { before, release, grep, since, tail }: LogsOptions, kept: readonly Line[]): string {
  if (Number(tail) === 0) return "of each container 0 lines were asked for (--tail)";
  const of = role === "all" ? "any container" : `role ${role}`;
  if (before && !kept.some((line) => role === "all" || line.role === role))
    return (
      `of ${of} no lines are kept: those of replicas, Horizon, the scheduler and workers are, ` +
      "when a release takes them away (drydock:logs.keepDays)"
    );
  if (release !== undefined && kept.every((line) => !line.release?.startsWith(release)))
    return `no line of ${of} is of release ${release}: ./drydock releases shows which there were`;
  return grep !== undefined || since !== undefined ? `no line of ${of} fits` : `${of} has written nothing`;
}

/** How many pieces are asked for, so that the first of the last lines is complete: Docker counts pieces of 16 KiB. */
const morePieces = (tail: string): string => (/^[1-9]\d*$/.test(tail) ? String(Number(tail) + PIECES) : tail);

async function linesOf(
  docker: Docker,
  stack: string,
  service: StackContainer,
  options: Pick<LogsOptions, "tail" | "since">,
): Promise<Line[]> {
  const { code, stdout, stderr } = await docker.run(logArguments(service.container, options));
  if (code !== 0)
    throw (
      unanswered(stderr, stack) ?? new CliError({ what: `the log of ${service.name} can't be read: ${stderr.trim()}` })
    );
  return [stdout, stderr]
    .flatMap((text) => text.split("\n"))
    .filter((line) => line !== "")
    .map((line) => ({ service: service.name, role: service.role, ...stamped(line) }));
}

/** Which release each of them is of. */
async function releasesOf(
  docker: Docker,
  services: readonly StackContainer[],
  stack: string,
): Promise<Map<string, string>> {
  const found = await inspect(
    docker,
    services.map(({ container }) => container),
    stack,
  );
  return new Map(
    services.flatMap(({ name, container }) => {
      const release = found.find(({ Name }) => Name === `/${container}`)?.Config.Labels?.["drydock.release"];
      return release === undefined ? [] : [[name, release] as const];
    }),
  );
}

/** As it comes, of all of them, and of those that start meanwhile: a release replaces containers. */
async function followed(
  docker: Docker,
  stack: string,
  role: string,
  services: readonly StackContainer[],
  options: LogsOptions,
  grep: RegExp | undefined,
): Promise<number> {
  const print = printer(
    services.map(({ name }) => name),
    options,
  );
  const children = new Set<ChildProcess>();
  process.once("exit", () => {
    for (const child of children) child.kill();
  });
  const start = (args: readonly string[]): ChildProcess => {
    const child = spawn("docker", args, { env: docker.env, stdio: ["ignore", "pipe", "pipe"] });
    children.add(child.once("close", () => children.delete(child)));
    return child;
  };
  const follow = ({ name, role, container }: Omit<StackContainer, "image">, wanted: LogsOptions): void => {
    const child = start(logArguments(container, wanted));
    for (const stream of [child.stdout!, child.stderr!])
      eachLine(stream, (text) => {
        const line = { service: name, role, ...stamped(text) };
        if (grep === undefined || grep.test(line.text)) print(line);
      });
  };
  // Labels are the same in every clone's stack of that name; networks are not.
  const networks = new Set((await inspect(docker, containersOf(services), stack)).flatMap(networksOf));
  const events = start([
    ...["events", "--filter", "type=container", "--filter", "event=start", "--filter", `label=drydock.stack=${stack}`],
    ...["--format", '{{.Time}} {{index .Actor.Attributes "name"}} {{index .Actor.Attributes "drydock.role"}}'],
  ]);
  for (const service of services) follow(service, options);
  eachLine(events.stdout!, async (text) => {
    const [since, container = "", startedRole = ""] = text.split(" ");
    if (role !== "all" && startedRole !== role) return;
    const [found] = await inspect(docker, [container], stack).catch(() => []);
    if (found === undefined || !networksOf(found).some((network) => networks.has(network))) return;
    const name = container.replace(/-[0-9a-f]{7}$/, "");
    follow({ name, role: startedRole, container }, { ...options, tail: "all", ...defined({ since }) });
  });
  return await new Promise((resolve, reject) => {
    events.once("error", reject);
    events.once("close", (code) => resolve(code ?? Exit.failed));
  });
}

const containersOf = (services: readonly StackContainer[]) => services.map(({ container }) => container);
const networksOf = ({ NetworkSettings }: Inspected) => Object.keys(NetworkSettings?.Networks ?? {});

/** Lines as Docker writes them: what a terminal takes for the end of one besides is part of it. */
function eachLine(stream: Readable, on: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(on);
  });
}
