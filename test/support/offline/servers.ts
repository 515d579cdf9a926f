import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback for one test, which closes all that are in `servers`. Answers its address. */
export async function serve(
  handler: Handler,
  servers: Server[],
  secure?: { readonly key: string; readonly cert: string },
): Promise<string> {
  const server =
    secure === undefined ? createServer(handler) : (createSecureServer(secure, handler) as unknown as Server);
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return `${secure === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
