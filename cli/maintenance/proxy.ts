import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTar, parseTar } from "nanotar";
import type { Said } from "../shared/child.ts";
import { type Docker, dockerFailure } from "../shared/docker.ts";
import { CliError } from "../shared/errors.ts";
import { ROOT } from "../shared/project.ts";
import { filesOf } from "./files.ts";
import { type Maintenance, readState } from "./state.ts";

/** The proxy of a stack, where maintenance mode lives: it works when the application doesn't. */
export interface ProxyHost {
  readonly docker: Docker;
  readonly container: string;
  readonly stack: string;
}

/** What the proxy says of maintenance mode. */
export interface Shown {
  /** Undefined: off. */
  readonly generation?: string;
  /** Undefined where it is off, or where its file can't be read. */
  readonly state?: Maintenance;
  /** What is wrong with it, in words. */
  readonly problems: readonly string[];
  /** What was set aside because it was damaged. */
  readonly aside: readonly string[];
}

async function inProxy(
  { docker, container, stack }: ProxyHost,
  args: readonly string[],
  input?: Uint8Array,
): Promise<Said> {
  const script = readFileSync(join(ROOT, "commands/inside/maintenance.sh"), "utf8");
  const interactive = input === undefined ? [] : ["--interactive"];
  const answer = await docker.run(
    ["exec", ...interactive, container, "/bin/sh", "-c", script, "maintenance", ...args],
    input === undefined ? {} : { input },
  );
  if (
    answer.code !== 0 &&
    /No such container|is not running|Cannot connect|Is the docker daemon running/i.test(answer.stderr)
  ) {
    if (!/container/i.test(answer.stderr)) throw dockerFailure(answer.stderr, stack);
    throw new CliError({
      what: `the proxy ${container} of stack ${stack} does not run`,
      remedy: `./drydock up${stack === "local" ? "" : ` -s ${stack}`}`,
    });
  }
  return answer;
}

/** Whether requests of the earlier configuration have all ended. */
const drained = ({ stdout }: Said): boolean => stdout.includes("drained=yes");

/**
 * @param timeout how long requests in flight are waited for, in seconds
 * @throws CliError where the proxy keeps what it had
 */
export async function switchOn(
  host: ProxyHost,
  state: Maintenance,
  generation: string,
  timeout: number,
): Promise<{ readonly drained: boolean }> {
  const files = Object.entries(filesOf(state, generation)).map(([name, data]) => ({
    name,
    data,
    attrs: { mode: "640" },
  }));
  const answer = await inProxy(host, ["on", generation, String(timeout)], createTar(files));
  if (answer.code !== 0) {
    throw new CliError({
      what:
        "maintenance mode could not be switched on; what was in force still is. The proxy says: " +
        `${answer.stderr.trim()}`,
      remedy: `./drydock up${host.stack === "local" ? "" : ` -s ${host.stack}`}, then run the same command again`,
    });
  }
  return { drained: drained(answer) };
}

/** @throws CliError where the site stays closed, or nginx has another problem */
export async function switchOff(host: ProxyHost, timeout: number): Promise<{ readonly drained: boolean }> {
  const answer = await inProxy(host, ["off", String(timeout)]);
  if (answer.code !== 0)
    throw new CliError({
      what: `the proxy says: ${answer.stderr.trim()}`,
      remedy: `./drydock up${host.stack === "local" ? "" : ` -s ${host.stack}`}, then: ./drydock maintenance status`,
    });
  return { drained: drained(answer) };
}

export async function show(host: ProxyHost): Promise<Shown> {
  const { code, stdout, stderr } = await inProxy(host, ["show"]);
  if (code !== 0) throw new CliError({ what: `the proxy can't say how maintenance mode stands: ${stderr.trim()}` });
  return readShown(stdout);
}

/** Compares what is there with what the saved state makes: a difference was made by hand. */
export function readShown(output: string): Shown {
  const [head = "", archive] = output.split(/^files\n/m);
  const values = head
    .split("\n")
    .filter((line) => line.includes("="))
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const);
  const value = (key: string): string => values.find(([name]) => name === key)?.[1] ?? "";
  const aside = values.filter(([name]) => name === "aside").map(([, name]) => name);
  const generation = value("generation");
  const general = [
    ...(value("nginx") === "accepts"
      ? []
      : [`nginx would refuse its configuration at the next reload: ${value("nginx")}`]),
    ...(value("writable") === "yes" ? [] : ["the proxy's user can't write to its volume"]),
  ];
  if (generation === "") return { problems: general, aside };
  // A copy: nanotar reads the whole memory that a buffer is a part of, and Node puts small ones together.
  const files = archive === undefined ? [] : parseTar(new Uint8Array(Buffer.from(archive, "base64")));
  const found = Object.fromEntries(files.map(({ name, text }) => [name.replace(/^\.\//, ""), text]));
  const problems = [
    ...general,
    ...(value("serving") === "yes" ? [] : ["it is switched on, but nginx doesn't have it in force"]),
  ];
  let state: Maintenance;
  try {
    state = readState(String(found["state.json"] ?? ""), "its saved state");
  } catch (error) {
    return { generation, problems: [...problems, (error as Error).message], aside };
  }
  const planned = filesOf(state, generation);
  const changed = Object.keys({ ...planned, ...found }).filter(
    (name) => name !== "" && !name.endsWith("/") && planned[name] !== found[name],
  );
  return {
    generation,
    state,
    problems: changed.length === 0 ? problems : [...problems, `changed by hand: ${changed.sort().join(", ")}`],
    aside,
  };
}
