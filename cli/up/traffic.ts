import { mkdirSync, writeFileSync } from "node:fs";
import { Agent, request as plain, type RequestOptions } from "node:http";
import { Agent as SecureAgent, request as secure } from "node:https";
import { join } from "node:path";
import { defined } from "../../lib/defined.ts";
import { CliError, Exit } from "../shared/errors.ts";
import type { Paths } from "../shared/project.ts";
import { settingAt } from "../shared/stack.ts";
import type { Painter } from "../shared/ui.ts";

/** What visitors were answered while a release went on; also the content of `.drydock/traffic.json`. */
export interface Traffic {
  readonly url: string;
  readonly paths: readonly string[];
  /** Requests a second. */
  readonly rate: number;
  /** ISO 8601. */
  readonly began: string;
  readonly ended: string;
  readonly total: number;
  readonly failed: number;
  /** Why, with how often. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Answered with the page of maintenance mode: not failed, and not served either. */
  readonly maintenance: number;
  /** In ms, of those that succeeded; null where none did. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** The longest time without a successful answer, in ms. */
  readonly longestGap: number;
}

/** Where to ask, and how the site is called there. */
export interface Target {
  readonly url: string;
  /** The name in the request's Host header, where it isn't the URL's. */
  readonly host?: string;
}

export interface WatchOptions {
  readonly paths: readonly string[];
  /** @default 20 */
  readonly rate?: number;
  /** When a request counts as failed, in ms. @default 30000 */
  readonly timeout?: number;
}

/** @throws CliError (usage) */
export function watchOptions(
  { watchRate, watchPath }: { readonly watchRate?: string; readonly watchPath?: readonly string[] },
  healthPath: string,
): WatchOptions {
  const rate = Number(watchRate ?? 20);
  if (!/^\d{1,3}$/.test(watchRate ?? "20") || rate < 1 || rate > 200)
    throw new CliError({
      what: `--watch-rate is "${watchRate}", expected requests a second: 1 to 200`,
      remedy: "./drydock up --watch-traffic --watch-rate 20",
      code: Exit.usage,
    });
  const paths = watchPath ?? [...new Set([healthPath, "/"])];
  const wrong = paths.find((path) => !/^\/[!-~]*$/.test(path));
  if (wrong !== undefined)
    throw new CliError({
      what: `--watch-path is "${wrong}", expected a path of the site`,
      remedy: "./drydock up --watch-traffic --watch-path /up --watch-path /",
      code: Exit.usage,
    });
  return { paths, rate };
}

/**
 * The proxy's published port where it is on this machine; else the site's own address.
 * @param config the stack's file, as written
 */
export function targetOf(config: Readonly<Record<string, unknown>>, siteUrl: string): Target {
  const host = settingAt(config, "docker.host") ?? process.env.DOCKER_HOST;
  if (typeof host === "string" && !host.startsWith("unix:")) return { url: siteUrl };
  const port = settingAt(config, "proxy.port") ?? 8080;
  const given = settingAt(config, "proxy.interface") ?? "127.0.0.1";
  const address = given === "0.0.0.0" || given === "::" ? "127.0.0.1" : String(given);
  const url = `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
  return new URL(siteUrl).host === new URL(url).host ? { url } : { url, host: new URL(siteUrl).host };
}

interface Answer {
  readonly ms: number;
  /** 0: none. */
  readonly status: number;
  readonly maintenance: boolean;
  readonly error?: string;
}

/** Asks a site again and again, with GET only, half of it over connections that are kept open. */
export class TrafficWatch {
  private readonly target: Target;
  private readonly options: Required<WatchOptions>;
  private readonly kept: Agent;
  private readonly expected = new Map<string, number>();
  private readonly pending = new Set<Promise<void>>();
  private readonly durations: number[] = [];
  private readonly reasons: Record<string, number> = {};
  private readonly began = new Date();
  private timer: NodeJS.Timeout | undefined;
  private count = 0;
  private total = 0;
  private failed = 0;
  private maintenance = 0;
  private lastSuccess = performance.now();
  private longestGap = 0;

  private constructor(target: Target, options: WatchOptions) {
    this.target = target;
    this.options = { rate: 20, timeout: 30_000, ...options };
    this.kept = target.url.startsWith("https:") ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  }

  /** Begins once each path was asked: what it answers then, even a 401, is what it shall answer later. */
  static async start(target: Target, options: WatchOptions): Promise<TrafficWatch> {
    const watch = new TrafficWatch(target, options);
    for (const path of watch.options.paths) {
      const { status } = await watch.ask(path, false);
      if (status >= 400 && status < 500) watch.expected.set(path, status);
    }
    watch.lastSuccess = performance.now();
    watch.timer = setInterval(() => watch.next(), 1000 / watch.options.rate);
    return watch;
  }

  /** Ends it; waits for the requests in flight. */
  async stop(): Promise<Traffic> {
    clearInterval(this.timer);
    await Promise.all(this.pending);
    this.kept.destroy();
    this.gap();
    const sorted = this.durations.sort((a, b) => a - b);
    const { paths, rate } = this.options;
    return {
      url: this.target.url,
      paths,
      rate,
      began: this.began.toISOString(),
      ended: new Date().toISOString(),
      total: this.total,
      failed: this.failed,
      reasons: this.reasons,
      maintenance: this.maintenance,
      p50: percentile(sorted, 50),
      p99: percentile(sorted, 99),
      longestGap: Math.round(this.longestGap),
    };
  }

  private next(): void {
    const { paths, rate } = this.options;
    // A site that is slow right now is not made slower: a second's worth of requests waits for its answers, and no
    // more.
    if (this.pending.size >= Math.max(10, rate)) return;
    const index = this.count++;
    const path = paths[index % paths.length] ?? "/";
    // The way of connecting changes with each round, so that every path is asked both ways.
    const work = this.ask(path, Math.floor(index / paths.length) % 2 === 0).then((answer) => this.note(path, answer));
    this.pending.add(work);
    void work.finally(() => this.pending.delete(work));
  }

  private note(path: string, { ms, status, maintenance, error }: Answer): void {
    this.total++;
    if (maintenance) this.maintenance++;
    else if (status > 0 && (status < 400 || status === this.expected.get(path))) {
      this.durations.push(ms);
      this.gap();
    } else {
      this.failed++;
      const reason = `${path} ${error ?? status}`;
      this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
    }
  }

  private gap(): void {
    const now = performance.now();
    this.longestGap = Math.max(this.longestGap, now - this.lastSuccess);
    this.lastSuccess = now;
  }

  private ask(path: string, keep: boolean): Promise<Answer> {
    const { url, host } = this.target;
    const began = performance.now();
    return new Promise((resolve) => {
      const done = (status: number, maintenance: boolean, error?: string): void => {
        clearTimeout(limit);
        resolve({ ms: performance.now() - began, status, maintenance, ...defined({ error }) });
      };
      const headers = { "User-Agent": "drydock-watch", ...defined({ Host: host }) };
      const options: RequestOptions = { headers, agent: keep ? this.kept : false };
      const request = (url.startsWith("https:") ? secure : plain)(new URL(path, url), options, (response) => {
        response.resume();
        response.on("end", () =>
          done(response.statusCode ?? 0, response.headers["x-drydock-maintenance"] !== undefined),
        );
        response.on("error", (error) => done(0, false, `cut: ${error.message}`));
      });
      const limit = setTimeout(
        () => request.destroy(new Error(`no answer in ${this.options.timeout / 1000} s`)),
        this.options.timeout,
      );
      request.on("error", (error: NodeJS.ErrnoException) =>
        done(0, false, `${error.code ?? error.message}${request.reusedSocket ? " on a kept connection" : ""}`),
      );
      request.end();
    });
  }
}

/** By nearest rank; rounded to ms. */
export function percentile(sorted: readonly number[], percent: number): number | null {
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  return value === undefined ? null : Math.round(value);
}

/** Where the release's record finds it. */
export function writeTraffic(
  paths: Paths,
  traffic: Traffic & { readonly stack: string; readonly release: string },
): void {
  mkdirSync(paths.folder, { recursive: true });
  writeFileSync(join(paths.folder, "traffic.json"), `${JSON.stringify(traffic, null, 2)}\n`);
}

export function trafficLine(traffic: Traffic, paint: Painter): string {
  const { total, failed, reasons, maintenance, p50, p99, longestGap, paths, rate, began, ended } = traffic;
  const seconds = Math.round((Date.parse(ended) - Date.parse(began)) / 1000);
  const why = Object.entries(reasons)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([reason, times]) => `${reason} (${times}×)`);
  return [
    `traffic  ${total} requests in ${seconds} s (${rate}/s of ${paths.join(", ")}): ` +
      `${failed === 0 ? paint("green", "0 failed") : paint("red", `${failed} FAILED: ${why.join(", ")}`)}`,
    `         p50 ${p50 ?? "–"} ms, p99 ${p99 ?? "–"} ms, longest time without an answer ${longestGap} ms`,
    ...(maintenance > 0 ? [`         ${maintenance} were answered with the page of maintenance mode`] : []),
  ].join("\n");
}
