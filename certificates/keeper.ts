import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KeeperSettings, KeeperStatus, Kind, NameStatus } from "../contracts/certificates.ts";
import type { Alarms } from "../lib/alarms.ts";
import { StateFile, writeAtomically } from "../lib/stateFiles.ts";
import { concernOf } from "./concern.ts";
import { type Folders, fileName, live, proven, readIf } from "./folders.ts";
import { type Memory, memorySchema } from "./memory.ts";
import { type Judged, judge, leftOf } from "./pem.ts";
import { wantedNames } from "./wanted.ts";

/** Who makes certificates; a test has others. */
export interface Makers {
  rehearse(name: string): Promise<void>;
  obtain(name: string): Promise<string>;
  /** What was obtained last. */
  kept(name: string): string | undefined;
  placeholder(name: string): Promise<string>;
  local(name: string): Promise<string>;
  /** What is in the way of a request for the name. */
  preflight(name: string): Promise<string | undefined>;
  now(): number;
  log(level: "info" | "warn" | "error", line: string): void;
}

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
/** After a failure; an authority allows five an hour for each name. */
const BACK_OFF = [HOUR, 6 * HOUR, 24 * HOUR];
/** The same where only the authority for trials has said no. */
const REHEARSED = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR];
/** How many names an authority is asked for at the same time; each takes seconds, most of them spent waiting. */
const AT_ONCE = 4;
/** While they are waited for, what stacks want is read again that often, in ms. */
const AGAIN = 2 * SECOND;
/** While a name doesn't lead here, nobody else is asked, so that it may be looked at often. */
const ELSEWHERE = 30 * SECOND;

/** The alarm of a volume that takes nothing: no name of the internet is called so. */
const VOLUME = "volume";

/** Sees to it that each name that a stack wants has a certificate. */
export class Keeper {
  readonly #settings: KeeperSettings;
  readonly #folders: Folders;
  readonly #makers: Makers;
  readonly #alarms: Alarms;
  readonly #kept: StateFile<Memory>;
  /** Why the status is not in its file; undefined where it is. */
  #unwritten: string | undefined;
  #memory: Memory;

  constructor(settings: KeeperSettings, folders: Folders, makers: Makers, alarms: Alarms) {
    this.#settings = settings;
    this.#folders = folders;
    this.#makers = makers;
    this.#alarms = alarms;
    this.#kept = new StateFile<Memory>(join(folders.accounts, "names.json"), memorySchema, {});
    this.#memory = this.#kept.value;
    for (const folder of ["live", "proven", "challenge"])
      mkdirSync(join(folders.certificates, folder), { recursive: true, mode: 0o755 });
  }

  /**
   * One look at all names, once each: a few are asked for at a time, a name that fails stops no other, and one that a
   * stack adds meanwhile is taken in at once.
   */
  async look(): Promise<void> {
    const asked = new Set<string>();
    const running = new Map<string, Promise<void>>();
    for (let next = 0; ; ) {
      const wanted = this.wanted();
      if (performance.now() >= next) {
        // First what is quick: no visitor of one name waits for another name's certificate.
        for (const name of wanted.keys()) if (!running.has(name)) await this.#attempt(name, () => this.#present(name));
        // One name may be waited for until its record is everywhere: what is wrong with others can't wait for it.
        await this.#tell(wanted);
        next = performance.now() + AGAIN;
      }
      for (const name of wanted.keys()) {
        if (running.size >= AT_ONCE) break;
        if (asked.has(name) || !this.#isDue(name)) continue;
        asked.add(name);
        const job = this.#attempt(name, () => this.#renewed(name)).finally(() => running.delete(name));
        running.set(name, job);
      }
      if (running.size === 0) break;
      const pause = new AbortController();
      await Promise.race([...running.values(), sleep(AGAIN, undefined, pause).catch(() => undefined)]);
      pause.abort();
    }
    const wanted = this.wanted();
    for (const name of Object.keys(this.#memory)) if (!wanted.has(name)) this.#forget(name);
    this.#prove(wanted);
    this.#kept.value = this.#memory;
    await this.#tell(wanted);
  }

  /** The names, with the stack that wants each. */
  wanted(): ReadonlyMap<string, string> {
    return wantedNames(this.#folders.state, this.#makers.log);
  }

  async #attempt(name: string, what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (error) {
      this.#makers.log("error", `${name}: ${(error as Error).message}`);
    }
  }

  #of(name: string): Memory[string] {
    return (this.#memory[name] ??= { since: this.#makers.now(), failures: 0, next: 0 });
  }

  /** What is served under the name now, if it can be. */
  #served(name: string): Judged | undefined {
    const pem = readIf(live(this.#folders, name));
    const judged = pem === undefined ? undefined : judge(pem, name);
    return typeof judged === "string" ? undefined : judged;
  }

  /** There is something to serve, and it is the best that is here. */
  async #present(name: string): Promise<void> {
    this.#of(name);
    const file = live(this.#folders, name);
    const now = readIf(file);
    const own = readIf(join(this.#folders.state, "own", `${fileName(name)}.pem`));
    const best = own !== undefined && typeof judge(own, name) !== "string" ? own : undefined;
    if (best !== undefined) {
      if (now !== best) writeAtomically(file, best);
      return;
    }
    const served = this.#served(name);
    if (served !== undefined && !served.placeholder && served.notAfter.getTime() > this.#makers.now()) return;
    const kept = this.#settings.ca === "local" ? undefined : this.#makers.kept(name);
    const judged = kept === undefined ? "" : judge(kept, name);
    if (
      typeof judged !== "string" &&
      (served === undefined || served.placeholder || judged.notAfter > served.notAfter)
    ) {
      if (served === undefined && now !== undefined)
        this.#makers.log(
          "warn",
          `${name}: what was in its file can't be served; the last certificate is back in its place`,
        );
      if (kept !== now) writeAtomically(file, kept!);
      return;
    }
    if (served !== undefined) return;
    writeAtomically(file, await this.#makers.placeholder(name));
  }

  #isOwn(name: string): boolean {
    const own = readIf(join(this.#folders.state, "own", `${fileName(name)}.pem`));
    return own !== undefined && own === readIf(live(this.#folders, name));
  }

  /** Whether it is time to ask for the name. */
  #isDue(name: string): boolean {
    const now = this.#makers.now();
    if (this.#isOwn(name) || now < this.#of(name).next) return false;
    if (this.#settings.ca !== "local") return true;
    const served = this.#served(name);
    return served === undefined || served.placeholder || leftOf(served, now) <= 1 / 3;
  }

  /** Asks the authority. */
  async #renewed(name: string): Promise<void> {
    const memory = this.#of(name);
    const { now, log } = this.#makers;
    if (this.#settings.ca === "local") {
      writeAtomically(live(this.#folders, name), await this.#makers.local(name));
      return;
    }
    const served = this.#served(name);
    const has = served !== undefined && !served.placeholder;
    let rehearsing = !has;
    try {
      if (!has && this.#settings.preflight && this.#settings.challenge === "http-01" && !name.startsWith("*.")) {
        const problem = await this.#makers.preflight(name);
        if (problem !== undefined) {
          if (memory.problem !== problem) log("warn", problem);
          Object.assign(memory, { problem, next: now() + ELSEWHERE });
          return;
        }
      }
      if (!has) await this.#makers.rehearse(name);
      rehearsing = false;
      const pem = await this.#makers.obtain(name);
      const judged = judge(pem, name);
      if (typeof judged === "string") throw new Error(`the authority has signed something else: ${judged}`);
      if (pem !== readIf(live(this.#folders, name))) {
        writeAtomically(live(this.#folders, name), pem);
        log("info", `${name}: certificate of ${judged.issuer}, until ${judged.notAfter.toISOString()}`);
      }
      // The authority itself may say that it is time (ARI): it is asked that often.
      const lifetime = judged.notAfter.getTime() - judged.notBefore.getTime();
      this.#memory[name] = {
        since: memory.since,
        ...(memory.real === undefined ? {} : { real: memory.real }),
        failures: 0,
        next: now() + Math.min(6 * HOUR, Math.max(2 * SECOND, lifetime / 60)),
      };
    } catch (error) {
      const problem = (error as Error).message;
      const pauses = rehearsing && this.#settings.staging !== undefined ? REHEARSED : BACK_OFF;
      const pause = pauses[Math.min(memory.failures, pauses.length - 1)]!;
      // One that ends soon is tried more often: an hour is long for a certificate of two hours.
      const left = has ? Math.max(2 * SECOND, (served.notAfter.getTime() - now()) / 10) : Infinity;
      const next = now() + Math.min(pause, left);
      Object.assign(memory, { problem, failures: memory.failures + 1, next });
      log("error", `${name}: ${problem}; tried again at ${new Date(next).toISOString()}`);
    }
  }

  /** Browsers are told to use nothing but https when a name has had a real certificate for some days. */
  #prove(wanted: ReadonlyMap<string, string>): void {
    const now = this.#makers.now();
    for (const name of wanted.keys()) {
      const memory = this.#of(name);
      const served = this.#served(name);
      const real =
        served !== undefined && !served.placeholder && this.#settings.ca !== "local" && served.notAfter.getTime() > now;
      if (!real) delete memory.real;
      else memory.real ??= now;
      const file = proven(this.#folders, name);
      const is = memory.real !== undefined && now - memory.real >= this.#settings.hstsAfter * DAY;
      if (is && !existsSync(file)) writeAtomically(file, "", 0o644);
      else if (!is) rmSync(file, { force: true });
    }
  }

  /** A name that no stack wants any more: what was signed stays with the accounts, for one that wants it again. */
  #forget(name: string): void {
    delete this.#memory[name];
    rmSync(live(this.#folders, name), { force: true });
    rmSync(proven(this.#folders, name), { force: true });
  }

  status(wanted: ReadonlyMap<string, string> = this.wanted()): readonly NameStatus[] {
    const now = this.#makers.now();
    return [...wanted].map(([name, stack]) => {
      const served = this.#served(name);
      const memory = this.#of(name);
      const kind: Kind =
        served === undefined || served.placeholder
          ? "placeholder"
          : this.#isOwn(name)
            ? "own"
            : this.#settings.ca === "local"
              ? "local"
              : "authority";
      const ended = served !== undefined && served.notAfter.getTime() <= now ? "its certificate has ended" : undefined;
      const problem = memory.problem ?? ended;
      return {
        name,
        stack,
        kind,
        issuer: served?.issuer ?? "",
        notBefore: served?.notBefore.toISOString() ?? "",
        notAfter: served?.notAfter.toISOString() ?? "",
        ...(problem === undefined ? {} : { problem }),
        ...(memory.next > now && memory.problem !== undefined ? { next: new Date(memory.next).toISOString() } : {}),
        hsts: existsSync(proven(this.#folders, name)),
      };
    });
  }

  /** How the names are, and who is to be told of one. */
  async #tell(wanted: ReadonlyMap<string, string>): Promise<void> {
    const now = this.#makers.now();
    const status: KeeperStatus = {
      at: new Date(now).toISOString(),
      names: this.status(wanted),
      alarms: this.#alarms.current,
    };
    try {
      writeAtomically(join(this.#folders.certificates, "status.json"), `${JSON.stringify(status)}\n`, 0o644);
      this.#unwritten = undefined;
    } catch (error) {
      // No reason not to go on with the names, nor to tell nobody.
      this.#unwritten = `status.json can't be written: ${(error as Error).message}`;
    }
    const names = new Set<string>([VOLUME]);
    await this.#alarms.set(VOLUME, this.#unwritten ?? this.#kept.problem ?? this.#alarms.file.problemNow());
    for (const one of this.status(wanted)) {
      names.add(one.name);
      await this.#alarms.set(one.name, concernOf(one, this.#of(one.name).since, now));
    }
    for (const { name } of this.#alarms.current) if (!names.has(name)) await this.#alarms.set(name, undefined);
  }
}
