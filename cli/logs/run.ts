import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { defined } from "../../lib/defined.ts";
import { type Docker, inspect } from "../shared/docker.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { readLogsBefore, recordsOf } from "../shared/records.ts";
import { deployed } from "../shared/services.ts";
import { openSession } from "../shared/session.ts";
import type { StackContainer } from "../shared/stack.ts";
import { painter } from "../shared/ui.ts";
import { chosenLines, keptLines, type Line, patternOf, stamped } from "./lines.ts";

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
  const width = Math.max(0, ...names.map((name) => name.length));
  return (line) => {
    if (json) return void process.stdout.write(`${JSON.stringify(defined(line))}\n`);
    const colour = COLOURS[names.indexOf(line.service) % COLOURS.length] ?? "cyan";
    const at = timestamps ? `${line.at} ` : "";
    process.stdout.write(`${paint(colour, `${line.service.padEnd(width)} |`)} ${at}${line.text}\n`);
  };
}

/** What a role's containers write: of all of them together, in the order of time; or as it comes. */
export async function showLogs(role: string, options: LogsOptions): Promise<number> {
  const { outputs, docker, unfinished } = await deployed(await openSession({ stack: options.stack, brief: true }));
  const { before, follow, tail, release } = options;
  const grep = patternOf(options.grep);
  // What failed on its way is what somebody wants to read then.
  const all = [...outputs.services, ...(unfinished?.others ?? []).map((one) => ({ ...one, name: one.container }))];
  const services = before ? [] : ofRole(all, role);
  if (follow) return await followed(docker, services, options, grep);
  // Of each one more than is asked for, where a pattern or a release leaves some out.
  const most = grep === undefined ? tail : "all";
  const live = (await Promise.all(services.map((one) => linesOf(docker, one, { ...options, tail: most })))).flat();
  const releases =
    release === undefined ? new Map<string, string>() : await releasesOf(docker, services, outputs.stack);
  const records = before || release !== undefined ? recordsOf(outputs, docker.env.DOCKER_HOST) : undefined;
  const kept = records === undefined ? [] : keptLines(await readLogsBefore(records, docker.env));
  const lines = chosenLines([...kept, ...live.map((line) => ({ ...line, release: releases.get(line.service) }))], {
    role,
    tail,
    grep,
    release,
  });
  const print = printer([...new Set(lines.map(({ service }) => service))].sort(), options);
  for (const line of lines) print(line);
  return Exit.ok;
}

async function linesOf(docker: Docker, service: StackContainer, options: LogsOptions): Promise<Line[]> {
  const { code, stdout, stderr } = await docker.run(logArguments(service.container, options));
  if (code !== 0) throw new CliError({ what: `the log of ${service.name} can't be read: ${stderr.trim()}` });
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

/** As it comes, of all of them. */
async function followed(
  docker: Docker,
  services: readonly StackContainer[],
  options: LogsOptions,
  grep: RegExp | undefined,
): Promise<number> {
  const print = printer(
    services.map(({ name }) => name),
    options,
  );
  const codes = await Promise.all(
    services.map(
      ({ name, role, container }) =>
        new Promise<number>((resolve, reject) => {
          const child = spawn("docker", logArguments(container, options), {
            env: docker.env,
            stdio: ["ignore", "pipe", "pipe"],
          });
          for (const stream of [child.stdout, child.stderr])
            createInterface({ input: stream }).on("line", (text) => {
              const line = { service: name, role, ...stamped(text) };
              if (grep === undefined || grep.test(line.text)) print(line);
            });
          child.once("error", reject);
          child.once("close", (code) => resolve(code ?? Exit.failed));
        }),
    ),
  );
  return codes.every((code) => code === 0) ? Exit.ok : Exit.failed;
}
