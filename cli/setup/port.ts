import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { cacheRoot } from "../../offline/cache.ts";
import { startOf, withLock } from "../../offline/lock.ts";
import { CliError } from "../shared/errors.ts";
import { LOCAL, pathsOf } from "../shared/project.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";

/** Whether this machine would let a service listen there now. */
export function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first free port from `first` upward, on one address. */
export async function freePort(first = 8080, address = "127.0.0.1", free: typeof isFree = isFree): Promise<number> {
  for (let port = first; port < first + 200; port++) {
    // Something that listens on all addresses has the port here as well.
    if ((await free(port, address)) && (await free(port, "0.0.0.0"))) return port;
  }
  throw new CliError({
    what: `no free port from ${first} to ${first + 199} on ${address}`,
    remedy: "see who listens: ss -ltnp",
  });
}

/** A port that a clone was given, and the process that writes it into the clone's file. */
interface Claim {
  readonly port: number;
  readonly root: string;
  readonly pid: number;
  readonly start: string | undefined;
}

/**
 * The first free port that no other clone of this user was given: nobody listens there before the clone's proxy does,
 * which is minutes later.
 * @param root the clone's folder
 */
export async function claimPort(
  root: string,
  free: typeof isFree = isFree,
  registry = join(cacheRoot(), "ports.json"),
): Promise<number> {
  return await withLock(`${registry}.lock`, "choosing a port", undefined, async () => {
    const others = read(registry).filter((claim) => claim.root !== root && holds(claim));
    const port = await freePort(
      undefined,
      undefined,
      async (one, address) => !others.some((claim) => claim.port === one) && (await free(one, address)),
    );
    const own: Claim = { port, root, pid: process.pid, start: startOf(process.pid) };
    mkdirSync(dirname(registry), { recursive: true });
    writeFileSync(`${registry}.new`, `${JSON.stringify([...others, own])}\n`);
    renameSync(`${registry}.new`, registry);
    return port;
  });
}

/**
 * As long as the clone's file says so, whether or not it is deployed; before the file is there, as long as who writes
 * it lives.
 */
function holds({ port, root, pid, start }: Claim): boolean {
  try {
    const config = stackConfig(pathsOf(root), LOCAL);
    if (settingAt(config, "proxy") !== undefined) return settingAt(config, "proxy.port") === port;
  } catch {
    /* its file can't be read */
  }
  return existsSync(root) && start !== undefined && startOf(pid) === start;
}

function read(registry: string): readonly Claim[] {
  try {
    return JSON.parse(readFileSync(registry, "utf8")) as readonly Claim[];
  } catch {
    return [];
  }
}
