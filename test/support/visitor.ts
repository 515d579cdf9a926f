import { type Agent, request } from "node:https";
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
