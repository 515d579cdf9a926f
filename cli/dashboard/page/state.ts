import type { ShownAlert } from "../../alerts/shown.ts";
import type { Report } from "../../shared/report.ts";

/** What went wrong, or what is not there, and what to do. */
export interface Trouble {
  readonly what: string;
  /** Whole commands, one a line. */
  readonly remedy?: string;
}

/** One part of what is known of a stack. */
export interface Part<T> {
  /** As it was last told. @default not known yet */
  readonly value?: T;
  /** When it was told, ISO 8601. */
  readonly at?: string;
  /** Why it could not be told the last time; `value` then is what was known before. */
  readonly problem?: Trouble;
  /** Why the stack has none of it, and how to have it. */
  readonly absent?: Trouble;
}

/** A release and how it differs from the one before; the newest is the first. */
export interface ReleaseRow {
  readonly sequence: number;
  readonly release: string;
  readonly image: string;
  readonly by: string;
  readonly commit: string;
  /** ISO 8601. */
  readonly at: string;
  readonly current: boolean;
  /** Seconds that it took, where that is known. */
  readonly seconds: number | null;
  /** What is not as it was in the release before, in words. */
  readonly changes: readonly string[];
  /** Requests that were sent while it was made, and failed. */
  readonly requests: { readonly total: number; readonly failed: number } | null;
}

/** How far back times are shown. */
export const RANGES = { hour: 3_600, day: 86_400, week: 604_800 } as const;
export type Range = keyof typeof RANGES;

/** Numbers over time, at the same moments; null where nothing was measured. */
export interface Chart {
  readonly id: "requests" | "codes" | "times" | "queues";
  readonly title: string;
  readonly unit: "per second" | "seconds" | "number";
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}
export interface Charts {
  /** Seconds since 1970 of the first value, and between two. */
  readonly from: number;
  readonly step: number;
  readonly charts: readonly Chart[];
}

/** Jobs in a queue; null where it is not known. */
interface QueueRow {
  readonly name: string;
  readonly pending: number | null;
  readonly delayed: number | null;
  readonly reserved: number | null;
  /** Seconds. */
  readonly oldest: number | null;
}
export interface Queues {
  readonly queues: readonly QueueRow[];
  readonly failed: number | null;
}

export type AlertRow = Omit<ShownAlert, "labels">;
interface Alerts {
  readonly alerts: readonly AlertRow[];
  readonly silences: readonly { readonly comment: string; readonly until: string }[];
}

export interface BackupRow {
  readonly id: string;
  readonly type: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly started: string;
  readonly seconds: number;
  readonly verified: boolean;
  readonly bytes: number;
  readonly added: number;
  readonly copies: readonly string[];
}
export interface Backups {
  readonly backups: readonly BackupRow[];
  readonly rpoSeconds: number | null;
  readonly rtoSeconds: number | null;
  /** The backup that is made at present. */
  readonly running: string | null;
  /** When the next one is due, ISO 8601. */
  readonly next: string | null;
  readonly alarms: readonly string[];
}

interface CertificateRow {
  readonly name: string;
  readonly kind: string;
  /** ISO 8601; empty where there is none. */
  readonly until: string;
  readonly problems: readonly string[];
}

/** How a step of a release stands. `same`: there was nothing to do. */
export type StepStatus = "waiting" | "running" | "done" | "same" | "failed";
export interface StepState {
  readonly id: string;
  readonly status: StepStatus;
  /** When it began, ISO 8601. */
  readonly since?: string;
  /** How long it took, in seconds. */
  readonly seconds?: number;
  /** What it said last, or what was seen of it. */
  readonly says?: string;
}

/** Who changes the stack at present. */
export interface Change {
  /** What was called: up, rollback, …, or preview while that goes first. */
  readonly verb: string;
  readonly by: string;
  /** ISO 8601. */
  readonly since: string;
  /** False: its beginning was recorded and no end, and whether it still runs can't be seen from here. */
  readonly certain: boolean;
}

/** A release on its way. */
export interface Activity {
  readonly change?: Change;
  /** When the last one was seen to be over, ISO 8601; then the steps are those of it. */
  readonly ended?: string;
  readonly steps: readonly StepState[];
  /** Where the steps are known from: what Pulumi writes down here, or the containers on the Docker host. */
  readonly from: "events" | "host" | "nothing";
  /** Containers of the application by release. */
  readonly releases: readonly { readonly release: string; readonly running: number; readonly healthy: number }[];
}

/** Requests since a change began, as they were measured. */
export interface Meanwhile {
  readonly since: string;
  readonly codes: readonly { readonly code: string; readonly count: number }[];
}

export interface Parts {
  readonly containers: Part<Report>;
  readonly activity: Part<Activity>;
  readonly meanwhile: Part<Meanwhile>;
  readonly releases: Part<readonly ReleaseRow[]>;
  readonly charts: Part<Partial<Record<Range, Charts>>>;
  readonly queues: Part<Queues>;
  readonly alerts: Part<Alerts>;
  readonly backups: Part<Backups>;
  readonly certificates: Part<readonly CertificateRow[]>;
}
export type PartName = keyof Parts;

/** All that the page shows. */
export interface State {
  readonly stack: string;
  /** ISO 8601. */
  readonly at: string;
  readonly parts: Parts;
}

export interface FindingRow {
  /** Of drift: missing, stopped, changed, foreign; of doctor: broken, unknown; of policies: mandatory, advisory. */
  readonly kind: string;
  readonly name: string;
  readonly what: string;
  readonly remedy: string;
}

/** What looks when somebody asks. */
export const CHECKS = ["drift", "doctor", "policies"] as const;
export type CheckName = (typeof CHECKS)[number];

/** What one of them found. */
export interface Findings {
  readonly of: CheckName;
  /** ISO 8601. */
  readonly at: string;
  readonly findings: readonly FindingRow[];
  /** Why it could not be found out. */
  readonly problem?: Trouble;
}

/** Nothing is known yet. */
export const nothing = (stack: string, at: string): State => ({
  stack,
  at,
  parts: {
    ...{ containers: {}, activity: {}, meanwhile: {}, releases: {}, charts: {}, queues: {}, alerts: {} },
    ...{ backups: {}, certificates: {} },
  },
});
