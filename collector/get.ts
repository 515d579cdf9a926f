import { type IncomingHttpHeaders, request } from "node:http";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Longer answers are none of those that are asked for. */
const MOST = 8 << 20;

/** Asks by HTTP. @throws Error where there is no answer within the time, in ms */
export function get(url: string, { host, timeout = 5_000 }: { host?: string; timeout?: number } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { agent: false, signal: AbortSignal.timeout(timeout), headers: host === undefined ? {} : { host } },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
          if (body.length > MOST) asked.destroy(new Error(`${url} answers too much`));
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.on("error", reject);
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}
