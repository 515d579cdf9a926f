import { Agent, request as httpRequest } from "node:http";

/** What a load saw. */
export interface Count {
  total: number;
  failed: number;
  /** Why, with how often. */
  readonly reasons: Record<string, number>;
  /** Rows whose POST was answered with 201: each must be in the database afterwards. */
  rows: number;
  /** Duration of each request in milliseconds. */
  readonly durations: number[];
}

/**
 * A load of mixed requests against a site on this machine: a quarter POSTs, half of the clients with keep-alive, one request of
 * several seconds always in flight. It runs until it is stopped, and at most `limit` requests.
 */
export class Load {
  readonly count: Count = { total: 0, failed: 0, reasons: {}, rows: 0, durations: [] };
  private running = true;
  private readonly clients: Promise<void>[];
  private readonly base: string;
  private readonly limit: number;

  constructor(base: string, { clients = 4, limit = 20_000, slowSeconds = 3 }: { clients?: number; limit?: number; slowSeconds?: number } = {}) {
    this.base = base;
    this.limit = limit;
    this.clients = [
      ...Array.from({ length: clients }, (_, index) => this.client(index)),
      this.slow(slowSeconds),
    ];
  }

  /** Ends the load; waits for the requests in flight. */
  async stop(): Promise<Count> {
    this.running = false;
    await Promise.all(this.clients);
    return this.count;
  }

  private async client(index: number): Promise<void> {
    const agent = new Agent({ keepAlive: index % 2 === 0, maxSockets: 1 });
    for (let i = 0; this.running && this.count.total < this.limit; i++) {
      const posts = i % 4 === 3;
      const status = await this.send(agent, posts ? "/api/rows" : i % 4 === 0 ? "/release" : i % 4 === 1 ? "/up" : "/", posts ? { n: 1 } : undefined);
      if (posts && status === 201) this.count.rows++;
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    agent.destroy();
  }

  private async slow(seconds: number): Promise<void> {
    const agent = new Agent({ keepAlive: false });
    while (this.running && this.count.total < this.limit) await this.send(agent, `/slow?seconds=${seconds}`);
  }

  private send(agent: Agent, path: string, body?: unknown): Promise<number> {
    this.count.total++;
    const began = performance.now();
    return new Promise((resolve) => {
      const done = (status: number, reason?: string) => {
        this.count.durations.push(performance.now() - began);
        if (reason !== undefined) {
          this.count.failed++;
          this.count.reasons[reason] = (this.count.reasons[reason] ?? 0) + 1;
        }
        resolve(status);
      };
      const text = body === undefined ? undefined : JSON.stringify(body);
      const request = httpRequest(new URL(path, this.base), {
        agent,
        method: text === undefined ? "GET" : "POST",
        headers: text === undefined ? {} : { "Content-Type": "application/json", Accept: "application/json", "Content-Length": Buffer.byteLength(text) },
        timeout: 30_000,
      });
      request.on("response", (response) => {
        response.resume();
        response.on("end", () => done(response.statusCode ?? 0, (response.statusCode ?? 0) < 400 ? undefined : `${path} ${response.statusCode}`));
        response.on("error", (error) => done(0, `${path} cut: ${error.message}`));
      });
      request.on("timeout", () => request.destroy(new Error("no answer in 30 s")));
      request.on("error", (error: NodeJS.ErrnoException) => done(0, `${path} ${error.code ?? error.message}`));
      request.end(text);
    });
  }
}
