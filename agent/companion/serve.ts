import { randomUUID } from "node:crypto";
import { createWriteStream, mkdirSync, readdirSync, statfsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { COMPANION, PORTS, STAY_EVERY } from "../../contracts/agent.ts";
import { replacedAfter } from "../binlog/replaced.ts";
import { sumsOf } from "../database/sums.ts";
import { removeAll } from "../files/remove.ts";
import { sumsBelow } from "../files/sums.ts";
import { requireSecret } from "../shared/configuration.ts";
import { AgentError, messageOf } from "../shared/errors.ts";
import { body, hasToken, json, serveHttp } from "../shared/http.ts";
import { execute } from "../shared/process.ts";
import { stopped } from "../shared/signals.ts";
import { forgetKept, isKept, kept } from "./kept.ts";
import { copyPhysically, type PhysicalInfo } from "./physicalCopy.ts";
import type { ReplayRange } from "./replay.ts";
import { RESTORES, Throwaway } from "./throwaway.ts";

/**
 * After how long, in ms, a restore that nobody asks about has been forgotten: whoever runs one says so three times as
 * often.
 */
const FORGOTTEN = 3 * STAY_EVERY;
/** How long, in ms, what was started in this container may take to end when the command line that made it has gone. */
const GRACE = 30_000;

const throwaways = new Map<string, Throwaway>();
/** What came of the last copies. */
const copies = new Map<string, PhysicalInfo | AgentError>();

/** What became of what a program here has read from a connection, by its path. */
const received = new Map<string, Promise<void>>();

/**
 * The companion: restores backups into throwaway servers and folders, for whoever shows the token. One that was made
 * for a single restore lives as long as the command line that holds its standard input.
 */
export async function serveCompanion(): Promise<void> {
  const token = requireSecret("restoreToken");
  // Whatever was being restored when it stopped last.
  mkdirSync(RESTORES, { recursive: true, mode: 0o700 });
  clear();
  const server = await serveHttp(PORTS.companion, async (request, response, url) => {
    if (url.pathname === "/healthz") return json(response, { healthy: true });
    if (!hasToken(request, token)) return json(response, { error: "the token is wrong" }, 401);
    const [, kind, id, verb, name] = url.pathname.split("/");
    if (kind === "physical") return await physical(id ?? "", request, response, url);
    if (kind === "space") return json(response, { free: freeSpace() });
    if (kind === "replaced") return json(response, { after: replacedAfter() });
    if (kind === "kept") {
      if (request.method === "DELETE") forgetKept();
      return json(response, { kept: kept() });
    }
    if (kind !== "restores") return json(response, { error: "not found" }, 404);
    if (id === undefined && request.method === "DELETE") {
      await Promise.all(
        [...throwaways].map(async ([key, one]) => {
          throwaways.delete(key);
          await one.remove();
        }),
      );
      return json(response, {});
    }
    if (id === undefined) {
      const made = new Throwaway(randomUUID().slice(0, 8));
      throwaways.set(made.id, made);
      return json(response, { id: made.id });
    }
    const throwaway = throwaways.get(id);
    if (throwaway === undefined) throw new AgentError(`no restore is called ${id}; it may have been forgotten`);
    const asked = request.method === "DELETE" ? "remove" : (verb ?? "");
    await throwaway.usage.during(() => work(throwaway, asked, name ?? "", request, response, url));
  });
  server.on("upgrade", (request, socket) => takeOver(request, socket as Socket, token));
  const sweeper = setInterval(() => void sweep(), 600_000);
  if (process.env[COMPANION.restores] === undefined) await stopped();
  else {
    process.stdout.write("listening\n");
    const left = new Promise<unknown>((resolve) => process.stdin.resume().once("close", resolve)).then(() =>
      setTimeout(GRACE),
    );
    await Promise.race([stopped(), left.then(() => clear())]);
  }
  clearInterval(sweeper);
  server.closeAllConnections();
  await Promise.all([...throwaways.values()].map((one) => one.server.stop("SIGKILL")));
}

function clear(): void {
  // .drydock is there so that the volume is never empty (components/volumes.ts).
  const stays = (name: string) => name === "template" || name.startsWith(".") || isKept(name);
  for (const name of readdirSync(RESTORES).filter((name) => !stays(name))) removeAll(join(RESTORES, name));
}

/**
 * PUT /restores/ID/unpack/NUMBER or /restores/ID/sql?schema= as an upgrade: from the answer on, the connection is
 * standard input of the program that unpacks or loads. The same without an upgrade then says what became of it.
 */
function takeOver(request: IncomingMessage, socket: Socket, token: string): void {
  const url = new URL(request.url ?? "", "http://localhost");
  const [, , id = "", verb, number] = url.pathname.split("/");
  const throwaway = throwaways.get(id);
  if (!hasToken(request, token) || throwaway === undefined || (verb !== "unpack" && verb !== "sql"))
    return void socket.end(
      'HTTP/1.1 400 Bad Request\r\n\r\n{"error":"there is no such restore, or the token is wrong","transient":false}',
    );
  socket.on("error", () => undefined);
  const switching = ["HTTP/1.1 101 Switching Protocols", "connection: upgrade", "upgrade: stream", "", ""].join("\r\n");
  const begin = (): void => void socket.write(switching);
  const read = (): Promise<void> =>
    verb === "sql"
      ? throwaway.server.load(url.searchParams.get("schema") ?? "", socket, begin)
      : throwaway.unpack(Number(number), socket, begin);
  const work = throwaway.usage.during(read).finally(() => socket.destroy());
  work.catch(() => undefined);
  received.set(request.url!, work);
}

async function sweep(): Promise<void> {
  for (const [id, one] of throwaways) {
    if (one.usage.idle() < FORGOTTEN) continue;
    throwaways.delete(id);
    await one.remove();
  }
}

const freeSpace = (): number => {
  const { bavail, bsize } = statfsSync(RESTORES);
  return bavail * bsize;
};

/**
 * GET /physical/KEY?lsn= streams a copy of the live files; GET /physical/KEY?info afterwards says what it was, or why
 * there is none.
 */
async function physical(key: string, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  if (request.method === "GET" && url.searchParams.has("info")) {
    const info = copies.get(key) ?? new AgentError("there was no such copy", { transient: true });
    if (info instanceof Error) throw info;
    return json(response, info);
  }
  for (const old of [...copies.keys()].slice(0, -8)) copies.delete(old);
  response.writeHead(200, { "content-type": "application/octet-stream", connection: "close" });
  const { socket } = response;
  if (socket === null) return;
  // The head first; then the connection is the program's.
  response.flushHeaders();
  await new Promise((resolve) => socket.write("", resolve));
  try {
    copies.set(key, await copyPhysically(socket, url.searchParams.get("lsn") ?? undefined));
    socket.end();
  } catch (error) {
    copies.set(key, error instanceof AgentError ? error : new AgentError(messageOf(error)));
    socket.destroy();
  }
}

async function work(
  one: Throwaway,
  verb: string,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const schema = url.searchParams.get("schema") ?? "";
  const backup = basename(url.searchParams.get("backup") ?? "");
  const done = (value: unknown = {}): void => json(response, value);
  switch (verb) {
    // Somebody still needs it, and has nothing else to ask for now.
    case "stay":
      return done();
    case "empty":
      await one.empty();
      return done();
    case "unpack":
    case "sql": {
      const path = request.url!;
      await received.get(path);
      received.delete(path);
      return done();
    }
    case "prepare":
      await one.prepare(Number(url.searchParams.get("increments") ?? 0));
      return done();
    case "start":
      await one.server.start();
      return done();
    case "binlog": {
      mkdirSync(one.binlogs, { recursive: true, mode: 0o700 });
      await pipeline(request, createWriteStream(join(one.binlogs, basename(name)), { mode: 0o600 }));
      return done();
    }
    case "replay": {
      const { files, ...range } = (await body(request)) as { files: string[] } & ReplayRange;
      await one.replay(files, range);
      return done();
    }
    case "sums":
      return done(await one.server.query((connection) => sumsOf(connection, schema)));
    case "dump":
      response.writeHead(200);
      return await one.server.dump(schema, url.searchParams.get("target") ?? "", response);
    case "files": {
      const folder = join(one.folder, "files");
      mkdirSync(folder, { mode: 0o700 });
      await execute("tar", ["--extract", "--no-same-owner", `--directory=${folder}`], { stdin: request });
      // Otherwise what the application has denied itself could neither be compared nor thrown away.
      await execute("chmod", ["--recursive", "u+rwX", "--", folder]);
      return done();
    }
    case "filesums":
      return done(await sumsBelow(join(one.folder, "files")));
    case "finish": {
      const objects = await one.finish(schema);
      return done({ folder: `${one.id}/data`, objects });
    }
    case "keep":
      await one.keep(backup, schema);
      return done();
    case "take":
      return done({ taken: await one.take(backup) });
    case "remove":
      throwaways.delete(one.id);
      await one.remove();
      return done();
    default:
      json(response, { error: "not found" }, 404);
  }
}
