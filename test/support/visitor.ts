import { randomBytes } from "node:crypto";
import { type Agent, request } from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Serial number of the certificate; "" on a connection that was used before. */
  readonly certificate: string;
}

export interface Question {
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
  readonly method?: string;
  /** Whether the certificate is checked. @default true */
  readonly strict?: boolean;
}

/** One request by https to an edge on this machine, with a certificate that is checked. */
export function ask(
  edge: { readonly https: number; readonly root: string },
  name: string,
  path = "/",
  { headers = {}, agent, method = "GET", strict = true }: Question = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const question = request(
      {
        ...{ host: "127.0.0.1", port: edge.https, servername: name, ca: edge.root, path, method, timeout: 20_000 },
        ...{ headers: { host: name, ...headers }, agent: agent ?? false, rejectUnauthorized: strict },
      },
      (answer) => {
        let body = "";
        const certificate = (answer.socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? "";
        answer.setEncoding("utf8").on("data", (part: string) => (body += part));
        answer.on("end", () => resolve({ status: answer.statusCode!, body, headers: answer.headers, certificate }));
        answer.on("error", reject);
      },
    );
    question.on("timeout", () => question.destroy(new Error("no answer"))).on("error", reject);
    question.end(method === "POST" ? "x".repeat(2000) : undefined);
  });
}

/** A websocket that was opened at an edge. */
export interface OpenSocket {
  /** What came, frame by frame. */
  readonly said: readonly string[];
  readonly isOpen: () => boolean;
  /** Fewer than 126 bytes. */
  say(text: string): void;
  end(): void;
}

/** Opens a websocket at an edge on this machine, with a certificate that is checked. */
export function openSocket(
  edge: { readonly https: number; readonly root: string },
  name: string,
  path: string,
): Promise<OpenSocket> {
  return new Promise((resolve, reject) => {
    const question = request({
      ...{ host: "127.0.0.1", port: edge.https, servername: name, ca: edge.root, path, agent: false },
      headers: {
        ...{ host: name, connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
        "sec-websocket-key": randomBytes(16).toString("base64"),
      },
    });
    question.on("response", ({ statusCode }) => reject(new Error(`answered with ${statusCode}`)));
    question.on("error", reject);
    question.on("upgrade", (_, socket: Duplex, head) => {
      const said: string[] = [];
      let open = true;
      let left = Buffer.alloc(0);
      const read = (data: Buffer): void => {
        left = Buffer.concat([left, data]);
        for (let size = left[1]!; left.length >= 2 && left.length >= 2 + size; size = left[1] ?? 0) {
          said.push(left.subarray(2, 2 + size).toString());
          left = left.subarray(2 + size);
        }
      };
      read(head);
      socket.on("data", read).on("error", () => socket.destroy());
      socket.on("close", () => (open = false)).on("end", () => (open = false));
      resolve({
        said,
        isOpen: () => open,
        say(text) {
          // A mask of zeros leaves the text as it is.
          socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]));
        },
        end: () => socket.destroy(),
      });
    });
    question.end();
  });
}
