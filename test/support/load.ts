import { randomInt } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";

/** Loads of one process write other numbers each: two alike would look like POSTs that were done twice. */
const BLOCKS = 2_000;
let block = randomInt(BLOCKS);

/** What a load saw. */
export interface Count {
  total: number;
  failed: number;
  /** Why, with how often. */
  readonly reasons: Record<string, number>;
  /** Rows whose POST was answered with 201: each must be in the database afterwards. */
  rows: number;
  /** The number that each of these rows has; no other row of any load has it. */
  readonly written: number[];
  /** Duration of each request in milliseconds. */
  readonly durations: number[];
}

export interface LoadOptions {
  /** @default 4 */
  readonly clients?: number;
  /** @default 20000 */
  readonly limit?: number;
  /** How long the slow request works that is always in flight. @default 5 */
  readonly slowSeconds?: number;
  /** A Unix socket that leads to the site, where its port is not this machine's. @default none */
  readonly socketPath?: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly cookies: readonly string[];
}

/**
 * A load of mixed requests against a site on this machine: a quarter POSTs (rows, and a number that each client counts
 * in its session), half of the clients with keep-alive, one request of several seconds always in flight. A session that
 * forgot its number, or counted a visit twice, is a failed request. Whether a row was written twice only the database
 * can say: who loads asks it for `written` (test/releases/once.test.ts, test/support/faults/subject.ts). It runs until
 * it is stopped, and at most `limit` requests.
 */
export class Load {
  readonly count: Count = { total: 0, failed: 0, reasons: {}, rows: 0, written: [], durations: [] };
  private running = true;
  private next = (block++ % BLOCKS) * 1_000_000;
  private readonly clients: Promise<void>[];
  private readonly base: string;
  private readonly limit: number;
  private readonly socketPath: string | undefined;

  constructor(base: string, { clients = 4, limit = 20_000, slowSeconds = 5, socketPath }: LoadOptions = {}) {
    this.base = base;
    this.limit = limit;
    this.socketPath = socketPath;
    this.clients = [...Array.from({ length: clients }, (_, index) => this.client(index)), this.slow(slowSeconds)];
  }

  /** Ends the load; waits for the requests in flight. */
  async stop(): Promise<Count> {
    this.running = false;
    await Promise.all(this.clients);
    return this.count;
  }

  private async client(index: number): Promise<void> {
    const agent = new Agent({ keepAlive: index % 2 === 0, maxSockets: 1 });
    const session = new Session();
    for (let i = 0; this.running && this.count.total < this.limit; i++) {
      if (i % 8 === 3) await this.row(agent);
      else if (i % 8 === 7) await this.visit(agent, session);
      else await this.send(agent, i % 4 === 0 ? "/release" : i % 4 === 1 ? "/up" : "/");
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    agent.destroy();
  }

  private async row(agent: Agent): Promise<void> {
    const n = this.next++;
    if ((await this.send(agent, "/api/rows", { body: { n } })).status !== 201) return;
    this.count.rows++;
    this.count.written.push(n);
  }

  private async visit(agent: Agent, session: Session): Promise<void> {
    const answer = await this.send(agent, "/api/session", { body: {}, cookie: session.cookie });
    const wrong = session.saw(answer);
    if (wrong !== undefined) this.fail(`/api/session ${wrong}`);
  }

  private async slow(seconds: number): Promise<void> {
    const agent = new Agent({ keepAlive: false });
    while (this.running && this.count.total < this.limit) {
      const { status } = await this.send(agent, `/slow?seconds=${seconds}`);
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  private fail(reason: string): void {
    this.count.failed++;
    this.count.reasons[reason] = (this.count.reasons[reason] ?? 0) + 1;
  }

  private send(
    agent: Agent,
    path: string,
    { body, cookie }: { readonly body?: unknown; readonly cookie?: string } = {},
  ): Promise<Answer> {
    this.count.total++;
    const began = performance.now();
    return new Promise((resolve) => {
      let settled = false;
      const done = (answer: Answer, reason?: string) => {
        if (settled) return;
        settled = true;
        this.count.durations.push(performance.now() - began);
        if (reason !== undefined) this.fail(reason);
        resolve(answer);
      };
      const none: Answer = { status: 0, body: "", cookies: [] };
      const text = body === undefined ? undefined : JSON.stringify(body);
      const request = httpRequest(new URL(path, this.base), {
        agent,
        ...(this.socketPath === undefined ? {} : { socketPath: this.socketPath }),
        method: text === undefined ? "GET" : "POST",
        headers: {
          ...(text === undefined
            ? {}
            : {
                "Content-Type": "application/json",
                Accept: "application/json",
                "Content-Length": Buffer.byteLength(text),
              }),
          ...(cookie === undefined ? {} : { Cookie: cookie }),
        },
        timeout: 30_000,
      });
      request.on("response", (response) => {
        const { statusCode: status = 0 } = response;
        let received = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          received += chunk;
        });
        response.on("end", () =>
          done(
            { status, body: received, cookies: response.headers["set-cookie"] ?? [] },
            status < 400 ? undefined : `${path} ${status}`,
          ),
        );
        response.on("error", (error) => done(none, `${path} cut: ${error.message}`));
      });
      request.on("timeout", () => request.destroy(new Error("no answer in 30 s")));
      request.on("error", (error: NodeJS.ErrnoException) => done(none, `${path} ${error.code ?? error.message}`));
      request.end(text);
    });
  }
}

/** A visitor whose session counts the visits; what was not answered may have been counted or not. */
class Session {
  private readonly jar = new Map<string, string>();
  private last = 0;
  private unanswered = 0;

  get cookie(): string | undefined {
    return this.jar.size === 0 ? undefined : [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** What is wrong with the session, if anything. */
  saw({ status, body, cookies }: Answer): string | undefined {
    if (status !== 200) {
      this.unanswered++;
      return undefined;
    }
    for (const cookie of cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (name !== undefined && value !== undefined) this.jar.set(name, value);
    }
    const { count } = JSON.parse(body) as { count: number };
    const [before, most] = [this.last, this.last + 1 + this.unanswered];
    this.last = count;
    this.unanswered = 0;
    if (count <= before) return "lost its session";
    return count > most ? "was done twice" : undefined;
  }
}
