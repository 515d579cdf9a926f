import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CliError } from "../shared/errors.ts";
import { admit, type Keys } from "./admission.ts";
import { type PageFiles, pageOf, policyOf } from "./document.ts";
import { follow, rangeOf } from "./events.ts";
import type { Checks } from "./findings.ts";
import { CHECKS } from "./page/state.ts";
import type { Poller } from "./poller.ts";

export interface Served {
  readonly keys: Keys;
  readonly poller: Poller;
  readonly checks: Checks;
  readonly files: PageFiles;
}

/** On every answer: nothing of it is kept, framed, guessed at or told to others. */
const HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** Answers who may look, and nobody else. */
function answer(
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  response: ServerResponse,
  served: Served,
): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  response.setHeader("content-security-policy", policyOf(served.files));
  const { method = "", url = "", headers } = request;
  const verdict = admit({ method, url, headers }, served.keys);
  if ("status" in verdict) {
    if (verdict.status === 405) response.setHeader("allow", "GET");
    return text(response, verdict.status, "text/plain", `${verdict.says}\n`);
  }
  if ("enter" in verdict) {
    response.setHeader("set-cookie", verdict.cookie);
    // Browsers hold back a strict cookie on a way that began at another site; one that begins here has it.
    if (verdict.strange) {
      response.setHeader("refresh", `0; url=${verdict.enter}`);
      return text(response, 200, "text/plain", "one moment\n");
    }
    response.setHeader("location", verdict.enter);
    return text(response, 303, "text/plain", `${verdict.enter}\n`);
  }
  route(verdict.path, verdict.query, response, served);
}

function route(path: string, query: URLSearchParams, response: ServerResponse, served: Served): void {
  const { poller, checks, files } = served;
  const page = { ...files, findings: [...checks.last.values()] };
  switch (path) {
    case "":
      return text(response, 200, "text/html", pageOf(poller.state, page));
    case "page.js":
      return text(response, 200, "text/javascript", files.script);
    case "state.json":
      return json(response, poller.state);
    case "events":
      return follow(response, poller, rangeOf(query.get("last")));
    default: {
      const asked = CHECKS.find((of) => path === `findings/${of}`);
      if (asked === undefined) return text(response, 404, "text/plain", "there is no such page\n");
      void checks.run(asked).then((found) => json(response, found));
    }
  }
}

function text(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8` }).end(body);
}

const json = (response: ServerResponse, value: unknown): void =>
  text(response, 200, "application/json", `${JSON.stringify(value)}\n`);

/**
 * Listens on this machine alone.
 * @param port 0: any that is free
 * @throws CliError where the port is taken
 */
export function listen(served: Served, port: number): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    try {
      answer(request, response, served);
    } catch (error) {
      text(response, 500, "text/plain", `${error instanceof Error ? error.message : String(error)}\n`);
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new CliError({
          what: `127.0.0.1:${port} can't be listened on: ${error.code ?? error.message}`,
          remedy: "another port: ./drydock dashboard --port 8900; without --port any that is free is taken",
        }),
      );
    });
    server.listen(port, "127.0.0.1", () => {
      const { port: taken } = server.address() as AddressInfo;
      const { folder, token } = served.keys;
      resolve({ server, url: `http://127.0.0.1:${taken}${folder}?token=${token}` });
    });
  });
}
