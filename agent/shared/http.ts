import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { AgentError, messageOf } from "./errors.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

/** A server that answers an error as JSON: message, and whether trying again can help. */
export function serveHttp(port: number, handler: Handler): Promise<Server> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    Promise.resolve()
      .then(() => handler(request, response, url))
      .catch((error: unknown) => {
        // Half of an answer must not look like a whole one.
        if (response.headersSent) return response.destroy();
        const { transient = false, code, remedy } = error instanceof AgentError ? error : {};
        json(response, { error: messageOf(error), transient, code, remedy }, 500);
      });
  });
  // A restore takes as long as it takes.
  server.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve(server));
  });
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

export async function body(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : (JSON.parse(text) as unknown);
}

/** Whether the request shows this token; takes as long for a wrong one as for the right one. */
export function hasToken(request: IncomingMessage, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ""), digest(`Bearer ${token}`));
}
