import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { FOLDERS, PORTS } from "../../contracts/agent.ts";
import { type Archived, tarOf } from "../files/tar.ts";
import { requireSecret } from "../shared/configuration.ts";
import { AgentError, messageOf } from "../shared/errors.ts";
import { hasToken, json, serveHttp } from "../shared/http.ts";
import { stopped } from "../shared/signals.ts";

/** What came of the last copies. */
const copies = new Map<string, Archived | AgentError>();

/** Of restores, beside the service's own files: see commands/inside/restore-files.sh. */
const isOfRestores = (name: string): boolean => name.startsWith(".drydock-");

/**
 * The reader of a service's volume, as the service's user, who alone may read all of it: it hands the files to whoever
 * shows the token.
 */
export async function serveReader(): Promise<void> {
  const token = requireSecret("restoreToken");
  const server = await serveHttp(PORTS.companion, async (request, response, url) => {
    if (url.pathname === "/healthz") return json(response, { healthy: true });
    if (!hasToken(request, token)) return json(response, { error: "the token is wrong" }, 401);
    const [, kind, key = ""] = url.pathname.split("/");
    if (kind !== "volume" || request.method !== "GET") return json(response, { error: "not found" }, 404);
    if (url.searchParams.has("info")) return json(response, infoOf(key));
    await copy(key, response);
  });
  await stopped();
  server.closeAllConnections();
}

function infoOf(key: string): Archived {
  const info = copies.get(key) ?? new AgentError("there was no such copy", { transient: true });
  if (info instanceof Error) throw info;
  return info;
}

/**
 * GET /volume/KEY streams the volume as tar; GET /volume/KEY?info afterwards says what is in it, or why there is none.
 */
async function copy(key: string, response: ServerResponse): Promise<void> {
  for (const old of [...copies.keys()].slice(0, -1)) copies.delete(old);
  response.writeHead(200, { "content-type": "application/x-tar", connection: "close" });
  async function* noted(): AsyncGenerator<Uint8Array> {
    copies.set(key, yield* tarOf(FOLDERS.volume, isOfRestores));
  }
  try {
    await pipeline(noted(), response);
  } catch (error) {
    copies.set(key, error instanceof AgentError ? error : new AgentError(messageOf(error), { transient: true }));
    throw error;
  }
}
