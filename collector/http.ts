import { type ChildProcess, spawn } from "node:child_process";
import type { Gauges } from "./gauges.ts";

/** Seconds; what people feel, and what runs into time limits. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10, 30];

/** One line of nginx's (servers/nginx/site.ts): status, seconds, and the status of who answered. */
const LINE = /drydock: (\d{3}) (\d+\.\d+) ([^;]*);/g;

/** What nginx says of each request, by datagrams: a socket takes them, which Node can't do by itself. */
export class HttpCounts {
  readonly #requests;
  readonly #maintenance;
  readonly #seconds;
  #rest = "";
  #listener: ChildProcess | undefined;
  #ended = false;

  constructor(gauges: Gauges) {
    this.#requests = gauges.counter("http_requests_total", "Requests of visitors, by status", "code");
    this.#maintenance = gauges.counter("http_maintenance_total", "Requests that got the page of maintenance mode");
    this.#seconds = gauges.histogram("http_request_seconds", "How long visitors' requests took", BUCKETS);
    // Known from the start: the first error is an increase.
    for (const code of ["200", "500", "502", "503", "504"]) this.#requests.inc({ code }, 0);
  }

  /** Takes what has arrived; a line may come in two parts. */
  take(text: string): void {
    this.#rest += text;
    for (const [, code = "", seconds, upstream = ""] of this.#rest.matchAll(LINE))
      this.#count(code, Number(seconds), upstream);
    this.#rest = this.#rest.slice(this.#rest.lastIndexOf(";") + 1).slice(-4096);
  }

  #count(code: string, seconds: number, upstream: string): void {
    // The proxy's own 503 is the page of maintenance mode: where no replica answers, it says 502 or 504.
    if (code === "503" && upstream === "-") return this.#maintenance.inc();
    this.#requests.inc({ code });
    // A websocket lasts as long as its page.
    if (code !== "101") this.#seconds.observe(seconds);
  }

  /** Listens at a socket, which everybody may write to; begins anew where that ends. */
  listen(path: string, log: (line: string) => void): void {
    if (this.#ended) return;
    const listener = spawn("socat", ["-u", `UNIX-RECV:${path},mode=0666,unlink-early`, "STDOUT"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#listener = listener;
    listener.stdout.setEncoding("utf8").on("data", (text: string) => this.take(text));
    listener.on("error", (error) => log(`socat: ${error.message}`));
    listener.once("close", (code) => {
      if (this.#ended) return;
      log(`what listens to nginx ended with code ${code}; again in 5 s`);
      setTimeout(() => this.listen(path, log), 5_000);
    });
  }

  stop(): void {
    this.#ended = true;
    this.#listener?.kill();
  }
}
