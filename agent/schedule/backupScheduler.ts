import { spawn } from "node:child_process";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { FOLDERS } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import type { Alarms } from "../../lib/alarms.ts";
import { StateFile } from "../../lib/stateFiles.ts";
import type { Agent } from "../agent.ts";
import type { Follower } from "../binlog/follow.ts";
import { ClockWatch, isFuture, steadyNow } from "../shared/clock.ts";
import { messageOf, wrongKey } from "../shared/errors.ts";
import type { Live } from "../shared/live.ts";
import { isDue, notInFuture } from "./cron.ts";
import { LastLook } from "./lastLook.ts";
import { hoursSince } from "./status.ts";
import { alarmsFrom } from "./watch.ts";

/** When each schedule was last followed. */
const SCHEDULES = join(FOLDERS.backups, "state", "schedules.json");
/** A hole in the binary log: in words, and the newest backup that was made before it was noticed. */
const HOLE = join(FOLDERS.backups, "state", "hole.json");
const holeSchema = z.strictObject({ text: z.string(), after: z.number() }).nullable();

const schedulesSchema = z.record(z.string(), z.iso.datetime());

/**
 * How long after it was made a stack without any backup gets one, in ms: time for its first migrations and seeds, or
 * for a restore.
 */
const FIRST_AFTER = 600_000;

/** Starts what the schedules ask for, and watches over the backups. */
export class BackupScheduler {
  entries: readonly Entry[] = [];
  #child: ReturnType<typeof spawn> | undefined;
  #looking: Promise<void> | undefined;
  #copyAfter = 0;
  readonly #since = steadyNow();
  readonly #schedules = new StateFile(SCHEDULES, schedulesSchema, {});
  readonly #clock = new ClockWatch();
  readonly lastLook = new LastLook();
  readonly #hole = new StateFile(HOLE, holeSchema, null);
  /** Where another backup for the hole failed, not again before this moment. */
  #holeAfter = 0;
  /** A time from the future that the schedules had, in words. */
  #ahead: string | undefined;

  constructor(
    readonly agent: Agent,
    readonly follower: Follower,
    readonly alarms: Alarms,
    /** Says to a service outside that the agent lives and all is well. */
    readonly sayAllIsWell: () => Promise<void>,
  ) {}

  live(): Live {
    const { reached } = this.follower;
    const waiting = this.entries.findLast(({ verified, copies }) => verified && !copies.includes("s3"));
    const s3 = this.agent.s3 !== undefined;
    return {
      binlog: {
        streaming: this.follower.streaming,
        position: reached?.position ?? null,
        reached: reached === undefined ? null : new Date(reached.at).toISOString(),
      },
      rpoSeconds: reached === undefined ? null : (steadyNow() - reached.steady) / 1000,
      s3: {
        configured: s3,
        lagSeconds: s3
          ? Math.max(waiting === undefined ? 0 : 3600 * hoursSince(waiting.finished, Date.now()), this.follower.s3Lag())
          : null,
        error: s3 ? (this.#problemOf("s3") ?? null) : null,
      },
      alarms: this.alarms.current,
    };
  }

  async heartbeat(): Promise<void> {
    if (this.alarms.current.length > 0 || !this.lastLook.isRecent()) return;
    await this.sayAllIsWell().catch((error: unknown) =>
      this.agent.reporter.log("warn", `the heartbeat: ${messageOf(error)}`),
    );
  }

  readonly #problemOf = (name: string): string | undefined =>
    this.alarms.current.find((alarm) => alarm.name === name)?.message;

  /** Never two at a time. */
  async look(): Promise<void> {
    this.#looking ??= this.#look()
      .then(() => this.lastLook.succeeded())
      .catch((error: unknown) => {
        this.agent.reporter.log("error", messageOf(error));
        this.lastLook.failed(messageOf(error));
      })
      .then(() => this.alarms.set("agent", this.lastLook.problem()))
      .finally(() => {
        this.#looking = undefined;
      });
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { local, configuration, s3 } = this.agent;
    const { entries, unreadable } = await local.catalogue.list();
    this.entries = entries;
    await this.#watch(unreadable);
    if (this.#child !== undefined) return;
    const now = new Date();
    const last = this.#lastRuns(now);
    const verbs = {
      backup: ["run", "--type", configuration.type, "--reason", "scheduled"],
      health: ["check"],
      cleanup: ["cleanup"],
    };
    for (const [name, verb] of Object.entries(verbs)) {
      if (last[name] === undefined) {
        // From now on: a new stack has nothing to make up for, but soon gets its first backup.
        last[name] = now.toISOString();
        this.#schedules.value = last;
      } else if (
        name === "backup" &&
        configuration.schedule.backup !== "" &&
        entries.length + unreadable.length === 0 &&
        now.getTime() - Date.parse(last[name]) > FIRST_AFTER &&
        (await this.#nothingInS3())
      ) {
        return this.#start(name, ["run", "--type", configuration.type, "--reason", "the first one"], () => {
          this.#schedules.value = { ...last, [name]: now.toISOString() };
        });
      } else if (isDue(configuration.schedule[name as keyof typeof verbs], new Date(last[name]), now)) {
        return this.#start(name, verb, () => {
          this.#schedules.value = { ...last, [name]: now.toISOString() };
        });
      }
    }
    if (this.#hole.value !== null && configuration.schedule.backup !== "" && steadyNow() > this.#holeAfter) {
      this.#holeAfter = steadyNow() + 3_600_000;
      const verb = [
        "run",
        "--type",
        configuration.type === "files" ? "db" : "full",
        "--reason",
        "the binary log has a hole",
      ];
      return this.#start("backup", verb, () => undefined);
    }
    if (
      s3 !== undefined &&
      steadyNow() > this.#copyAfter &&
      entries.some(({ verified, copies }) => verified && !copies.includes("s3"))
    ) {
      // After a failure not at once again.
      this.#copyAfter = steadyNow() + 300_000;
      this.#start("s3", ["copy"], (code) => {
        if (code === 0) this.#copyAfter = 0;
      });
    }
  }

  /** On an empty machine a backup of nothing must not become the newest one of those that are to be restored. */
  async #nothingInS3(): Promise<boolean> {
    if (this.agent.s3 === undefined) return true;
    const found = await this.agent.s3.catalogue.list().catch(() => undefined);
    return found !== undefined && found.entries.length + found.unreadable.length === 0;
  }

  /**
   * A verb of its own process: what it needs is gone with it, and what ends it doesn't end the agent. It is done when
   * it has ended.
   */
  #start(name: string, verb: readonly string[], done: (code: number) => void): void {
    const child = spawn("agent", [...verb, "--json"], { stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    let said = "";
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      said = (said + chunk).slice(-8000);
    });
    child.once("close", (code) => {
      this.#child = undefined;
      const error = said
        .split("\n")
        .flatMap((line) =>
          line.startsWith('{"event":"error"') ? [(JSON.parse(line) as { message: string }).message] : [],
        )
        .at(-1);
      void this.alarms
        .set(name, code === 0 ? undefined : (error ?? `agent ${verb.join(" ")} ended with code ${code}`))
        .then(() => this.look());
      // Killed together with the agent: the next one makes it up.
      if (code !== null) done(code);
    });
  }

  async #watch(unreadable: readonly string[]): Promise<void> {
    const {
      configuration: { maxAge, schedule, external },
    } = this.agent;
    const { bavail, blocks } = statfsSync(FOLDERS.backups);
    const all = alarmsFrom(
      {
        ...{ entries: this.entries, scheduled: schedule.backup !== "", maxAge, free: bavail / blocks },
        since: this.#schedules.value["backup"] ?? new Date().toISOString(),
        log:
          external === true
            ? undefined
            : {
                behind: (steadyNow() - (this.follower.reached?.steady ?? this.#since)) / 1000,
                problem: this.follower.problem,
              },
        logInS3:
          this.agent.s3 === undefined ? undefined : { behind: this.follower.s3Lag(), problem: this.follower.s3Problem },
      },
      Date.now(),
    );
    for (const [name, problem] of Object.entries(all)) await this.alarms.set(name, problem);
    await this.alarms.set("binlog-hole", this.#holeProblem());
    await this.alarms.set("clock", this.#clockProblem());
    await this.alarms.set(
      "state",
      this.#schedules.problemNow() ?? this.#hole.problemNow() ?? this.alarms.file.problemNow(),
    );
    await this.alarms.set("catalogue", this.#unreadable(unreadable));
  }

  #unreadable(names: readonly string[]): string | undefined {
    if (names.length === 0) return undefined;
    if (this.entries.length > 0) return `${names.length} entries of the catalogue can't be read: ${names[0]}`;
    const { message, remedy } = wrongKey("each backup", true);
    return `${message}; ${remedy}`;
  }

  #lastRuns(now: Date): Record<string, string> {
    const { last, ahead } = notInFuture(this.#schedules.value, now);
    if (last !== this.#schedules.value) this.#schedules.value = last;
    if (ahead.length > 0) this.#ahead = `the clock was ahead when this was last done: ${ahead.join(", ")}`;
    return { ...last };
  }

  /** Until there is a verified backup from behind it: what comes then can be reached from that. */
  #holeProblem(): string | undefined {
    if (this.follower.hole !== undefined) {
      this.#hole.value = {
        text: this.follower.hole,
        after: Math.max(0, ...this.entries.map(({ sequence = 0 }) => sequence)),
      };
      this.follower.hole = undefined;
    }
    const hole = this.#hole.value;
    if (hole === null) return undefined;
    const behind = this.entries.some(
      ({ verified, database, sequence = 0 }) => verified && database !== undefined && sequence > hole.after,
    );
    if (behind) this.#hole.value = null;
    return behind ? undefined : `${hole.text}; moments behind it can be reached from a backup that is made now`;
  }

  #clockProblem(): string | undefined {
    const [first, ...more] = this.entries.filter(({ started }) => isFuture(Date.parse(started), Date.now()));
    const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
    const dated = first === undefined ? undefined : `backup ${first.id} is dated in the future${others}`;
    // As long as a backup of then is there; otherwise it is told, and over.
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const problems = [this.#clock.look(), dated, ahead].filter((one) => one !== undefined);
    return problems.length === 0 ? undefined : `${problems.join("; ")}; does the Docker host keep its time (NTP)?`;
  }

  stop(): void {
    this.#child?.kill();
  }
}
