import type { Entry } from "../../contracts/entry.ts";
import { tooOld } from "./status.ts";

/** How the backups are at a moment. */
export interface Watched {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** Whether backups are made by a schedule; else nobody waits for one. */
  readonly scheduled: boolean;
  /** ISO 8601: from when on a stack without any should have had one. */
  readonly since: string;
  /** How old the newest proven one may be, in hours. */
  readonly maxAge: number;
  /** How far the binary log in the repository is behind, in seconds, and why; undefined where nobody follows one. */
  readonly log: { readonly behind: number; readonly problem: string | undefined } | undefined;
  /** The part of the backups' disk that is free, from 0 to 1. */
  readonly free: number;
  /** The same of the binary log in S3; undefined where none is kept there. */
  readonly logInS3: { readonly behind: number; readonly problem: string | undefined } | undefined;
}

/** What the newest backup was made without, in words. */
const lacking = (newest: Entry | undefined): string | undefined =>
  newest?.missing === undefined ? undefined : `backup ${newest.id} was made without ${newest.missing.join("; ")}`;

/** The alarms that follow from it, by name: what is wrong in words, undefined where nothing is. */
export function alarmsFrom(
  { entries, scheduled, since, maxAge, log, free, logInS3 }: Watched,
  now: number,
): Readonly<Record<string, string | undefined>> {
  const [newest] = entries;
  return {
    old: scheduled ? tooOld(entries, { since, maxAge }, now) : undefined,
    unverified:
      newest?.verification !== undefined && !newest.verified
        ? `backup ${newest.id} is not verified: ${newest.verification.problems.join("; ")}`
        : undefined,
    binlog:
      log !== undefined && log.behind > 60
        ? `the binary log in the repository is ${log.behind.toFixed(0)} s behind: ${log.problem ?? "no reason known"}`
        : undefined,
    disk: free < 0.05 ? "less than 5 % of the disk for backups is free" : undefined,
    incomplete: lacking(newest),
    ...(logInS3 === undefined
      ? {}
      : {
          "s3-binlog":
            logInS3.behind > 60
              ? `the binary log in S3 is ${logInS3.behind.toFixed(0)} s behind: ${logInS3.problem ?? ""}`
              : undefined,
        }),
  };
}
