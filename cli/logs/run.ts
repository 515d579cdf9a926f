import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { CliError, Exit } from "../shared/errors.ts";
import { readLogsBefore, recordsOf } from "../shared/records.ts";
import { deployed } from "../shared/services.ts";
import { openSession } from "../shared/session.ts";
import type { Service } from "../shared/stack.ts";
import { painter } from "../shared/ui.ts";

export interface LogsOptions {
  readonly stack?: string;
  readonly follow?: true;
  readonly tail: string;
  readonly since?: string;
  readonly before?: true;
}

const COLOURS = ["cyan", "green", "yellow", "magenta", "blue"] as const;

/** Those of a role, or all. */
export function ofRole(services: readonly Service[], role: string): readonly Service[] {
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
  { follow, tail, since }: Omit<LogsOptions, "stack">,
): readonly string[] {
  if (!/^(all|\d+)$/.test(tail))
    throw new CliError({
      what: `--tail is "${tail}"`,
      remedy: "a number of lines, or all: --tail 100",
      code: Exit.usage,
    });
  return [
    "logs",
    "--tail",
    tail,
    ...(since === undefined ? [] : ["--since", since]),
    ...(follow ? ["--follow"] : []),
    container,
  ];
}

/**
 * What a role's containers of earlier releases had written, each line behind the name of its container.
 * @param kept as commands/record.sh writes it: ROLE CONTAINER | LINE
 */
export function linesBefore(kept: string, role: string, { tail }: Pick<LogsOptions, "tail">): readonly string[] {
  const containers = new Map<string, string[]>();
  for (const line of kept.split("\n")) {
    const [, of, container = "", text = ""] = /^(\S+) (\S+) \| (.*)$/.exec(line) ?? [];
    if (of === undefined || (role !== "all" && of !== role)) continue;
    containers.set(container, [...(containers.get(container) ?? []), text]);
  }
  const wanted = tail === "all" ? Infinity : Number(tail);
  return [...containers].flatMap(([container, lines]) =>
    lines.slice(Math.max(0, lines.length - wanted)).map((line) => `${container} | ${line}`),
  );
}

/** Every line behind the name of its service; several containers are interleaved as they write. */
export async function showLogs(role: string, options: LogsOptions): Promise<number> {
  const { outputs, docker, unfinished } = await deployed(await openSession({ stack: options.stack, brief: true }));
  if (options.before) {
    const records = recordsOf(outputs, docker.env.DOCKER_HOST);
    const lines = records === undefined ? [] : linesBefore(await readLogsBefore(records, docker.env), role, options);
    process.stdout.write(lines.map((line) => `${line}\n`).join(""));
    return Exit.ok;
  }
  // What failed on its way is what somebody wants to read then.
  const services = ofRole(
    [...outputs.services, ...(unfinished?.others ?? []).map((one) => ({ ...one, name: one.container }))],
    role,
  );
  const paint = painter(process.stdout);
  const width = Math.max(...services.map(({ name }) => name.length));
  const codes = await Promise.all(
    services.map(
      ({ name, container }, index) =>
        new Promise<number>((resolve, reject) => {
          const prefix = paint(COLOURS[index % COLOURS.length] ?? "cyan", `${name.padEnd(width)} |`);
          const child = spawn("docker", logArguments(container, options), {
            env: docker.env,
            stdio: ["ignore", "pipe", "pipe"],
          });
          for (const stream of [child.stdout, child.stderr])
            createInterface({ input: stream }).on("line", (line) => process.stdout.write(`${prefix} ${line}\n`));
          child.once("error", reject);
          child.once("close", (code) => resolve(code ?? Exit.failed));
        }),
    ),
  );
  return codes.every((code) => code === 0) ? Exit.ok : Exit.failed;
}
