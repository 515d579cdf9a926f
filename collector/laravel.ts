import { setTimeout as sleep } from "node:timers/promises";
import {
  type CollectorSettings,
  type LaravelAnswer,
  laravelSchema,
  type ProcessAnswer,
  processSchema,
} from "../contracts/monitoring.ts";
import { ask } from "./fastcgi.ts";
import { type Gauges, say } from "./gauges.ts";
import { get } from "./get.ts";

const SCRIPT = "/drydock/metrics.php";
/** ms. Whoever is slower has no process to spare, which is said by not answering. */
const PATIENCE = 4_000;
/** ms. How long an answer is waited for that comes too late to be of use; PHP-FPM or a stop ends most before that. */
const LONGEST = 6 * 3_600_000;
/** How many queues are measured at most: their names are the application's. */
const MOST_QUEUES = 30;

/** What PHP-FPM and Laravel say: of each replica its own processes, of one of them what they share. */
export class Laravel {
  readonly #gauges;
  /** The job that is first in a queue, and since when it was seen there, in ms. */
  readonly #first = new Map<string, { readonly id: string; readonly since: number }>();
  readonly #settings: CollectorSettings;
  readonly #fpm: NonNullable<CollectorSettings["fpm"]>;
  /** Replicas that still owe an answer: another question would take one more of the processes that visitors need. */
  readonly #owing = new Set<string>();
  /** Whose turn it is. */
  #turn = 0;

  constructor(
    gauges: Gauges,
    settings: CollectorSettings,
    fpm: NonNullable<CollectorSettings["fpm"]>,
    readonly proxy = "http://proxy:8090",
    readonly patience = PATIENCE,
  ) {
    this.#settings = settings;
    this.#fpm = fpm;
    const { gauge } = { gauge: gauges.gauge.bind(gauges) };
    this.#gauges = {
      up: gauge("laravel_up", "Whether a replica says how Laravel is"),
      replicas: gauge("replicas_answering", "Replicas whose PHP-FPM answers"),
      active: gauge("fpm_active_processes", "Busy PHP-FPM processes, of the replica that has most"),
      idle: gauge("fpm_idle_processes", "Idle PHP-FPM processes, of the replica that has fewest"),
      queue: gauge("fpm_listen_queue", "Requests that wait for a process, of the replica that has most"),
      most: gauge("fpm_max_children", "How many processes a replica may have"),
      free: gauge("opcache_free_ratio", "What OPcache has left, of the replica that has least"),
      hits: gauge("opcache_hit_ratio", "Scripts that were compiled already, of the replica that has fewest"),
      jobs: gauge("queue_jobs", "Jobs in a queue", "queue", "state"),
      oldest: gauge("queue_oldest_seconds", "How long the oldest job has been waiting", "queue"),
      failed: gauge("failed_jobs", "Jobs in the list of failed ones"),
      masters: gauge("horizon_masters", "Horizon's masters that are alive"),
      paused: gauge("horizon_paused", "Whether all of them are paused"),
      scheduled: gauge("schedule_last_run_timestamp_seconds", "When the schedule last ran"),
    };
    this.#gauges.most.set(fpm.maxChildren);
  }

  async round(): Promise<void> {
    const addresses = await this.#addresses();
    const answers = await Promise.all(
      addresses.map((address) =>
        this.#ask(address, "/process")
          .then(processSchema.parse)
          .catch(() => undefined),
      ),
    );
    this.#sayProcesses(answers.filter((answer) => answer !== undefined));
    const answering = addresses.filter((one, index) => answers[index] !== undefined && !this.#owing.has(one));
    // Another one in each round: one that is in trouble must not hide that the others are well.
    const address = answering[this.#turn++ % Math.max(1, answering.length)];
    this.#sayLaravel(address === undefined ? undefined : await this.#askLaravel(address), Date.now());
  }

  /** Those that the proxy sends requests to. */
  async #addresses(): Promise<readonly string[]> {
    const { status, body } = await get(`${this.proxy}/replicas`, { timeout: 2_000 }).catch(() => NOBODY);
    return status === 200 ? body.trim().split(",").filter(Boolean) : [];
  }

  async #ask(address: string, path: string, timeout = this.patience, body?: object): Promise<unknown> {
    const { host } = this.#settings.site;
    return ask({ address, script: SCRIPT, path, host, timeout, ...(body === undefined ? {} : { body }) });
  }

  /** Who gives up does not end what PHP has started: the question stays open until it is answered or cut off. */
  async #askLaravel(address: string): Promise<LaravelAnswer | undefined> {
    this.#owing.add(address);
    const answer = this.#ask(address, "/laravel", LONGEST, { queues: this.#fpm.queues })
      .then(laravelSchema.parse)
      .catch(() => undefined)
      .finally(() => this.#owing.delete(address));
    return await Promise.race([answer, sleep(this.patience, undefined, { ref: false })]);
  }

  #sayProcesses(answers: readonly ProcessAnswer[]): void {
    const fpm = answers.flatMap(({ fpm }) => fpm ?? []);
    const caches = answers.flatMap(({ opcache }) => opcache ?? []);
    const most = (values: readonly number[]) => (values.length === 0 ? undefined : Math.max(...values));
    const least = (values: readonly number[]) => (values.length === 0 ? undefined : Math.min(...values));
    this.#gauges.replicas.set(answers.length);
    say(this.#gauges.active, most(fpm.map(({ active }) => active)));
    say(this.#gauges.idle, least(fpm.map(({ idle }) => idle)));
    say(this.#gauges.queue, most(fpm.map(({ queue }) => queue)));
    say(this.#gauges.free, least(caches.map(({ free, used }) => free / (free + used))));
    say(this.#gauges.hits, least(caches.map(({ hits, misses }) => hits / Math.max(1, hits + misses))));
  }

  #sayLaravel(said: LaravelAnswer | undefined, now: number): void {
    const { up, jobs, oldest, failed, masters, paused, scheduled } = this.#gauges;
    up.set(said === undefined ? 0 : 1);
    jobs.reset();
    oldest.reset();
    for (const queue of said?.queues.slice(0, MOST_QUEUES) ?? []) {
      for (const state of ["pending", "delayed", "reserved"] as const)
        say(jobs, queue[state], { queue: queue.name, state });
      say(oldest, this.#waiting(queue, now), { queue: queue.name });
    }
    say(failed, said?.failed);
    const { horizon } = said ?? {};
    say(masters, this.#fpm.horizon ? horizon?.masters : undefined);
    say(paused, this.#fpm.horizon && horizon ? Number(horizon.paused) : undefined);
    say(scheduled, this.#fpm.scheduler ? said?.scheduled : undefined);
  }

  /** Seconds that the first job of a queue has been waiting: since it was made, else since it was first seen there. */
  #waiting({ name, since, first }: LaravelAnswer["queues"][number], now: number): number {
    if (since !== null) return Math.max(0, now / 1000 - since);
    if (first === null) {
      this.#first.delete(name);
      return 0;
    }
    const seen = this.#first.get(name);
    if (seen?.id === first) return (now - seen.since) / 1000;
    this.#first.set(name, { id: first, since: now });
    return 0;
  }
}

const NOBODY = { status: 0, body: "" };
