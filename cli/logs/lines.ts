import { CliError, Exit } from "../shared/errors.ts";

/** One line that a container wrote. */
export interface Line {
  /** Its service's name; the container's own where that is gone. */
  readonly service: string;
  readonly role: string;
  /** 12 hex digits; where nobody knows it, none. */
  readonly release?: string | undefined;
  /** When, as Docker writes it; "" where an earlier version has kept it without. */
  readonly at: string;
  readonly text: string;
}

/**
 * Of a line that `docker logs --timestamps` prints. One of more than 16 KiB Docker writes in pieces, each behind the
 * time of the first.
 */
export function stamped(line: string): Pick<Line, "at" | "text"> {
  const [, at = "", text = ""] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)$/s.exec(line) ?? ["", "", line];
  return { at, text: at === "" ? text : text.replaceAll(`${at} `, "") };
}

/**
 * What the containers of earlier releases had written.
 * @param kept as commands/record.sh writes it: ROLE CONTAINER RELEASE | TIME LINE; before, without release and time
 */
export function keptLines(kept: string): Line[] {
  return kept.split("\n").flatMap((line) => {
    const [, role, service, release, rest = ""] = /^(\S+) (\S+)(?: (\S+))? \| (.*)$/s.exec(line) ?? [];
    return role === undefined || service === undefined ? [] : [{ service, role, release, ...stamped(rest) }];
  });
}

/** What of them somebody wants to read. */
export interface Wanted {
  readonly role: string;
  /** Of each container, or all. */
  readonly tail: string;
  /** Only later ones; of one that an earlier version has kept without a time nobody knows. */
  readonly since?: string | undefined;
  readonly grep?: RegExp | undefined;
  readonly release?: string | undefined;
}

/** The last lines of each container, all of them in the order in which they were written. */
export function chosenLines(lines: readonly Line[], { role, tail, since, grep, release }: Wanted): Line[] {
  const byService = new Map<string, Line[]>();
  const from = since === undefined ? undefined : Date.parse(since);
  for (const line of lines) {
    if (role !== "all" && line.role !== role) continue;
    if (release !== undefined && !line.release?.startsWith(release)) continue;
    if (from !== undefined && !(Date.parse(line.at) >= from)) continue;
    if (grep !== undefined && !grep.test(line.text)) continue;
    const of = byService.get(line.service);
    if (of === undefined) byService.set(line.service, [line]);
    else of.push(line);
  }
  const most = tail === "all" ? Number.POSITIVE_INFINITY : Number(tail);
  return [...byService.values()]
    .flatMap((of) => of.slice(Math.max(0, of.length - most)))
    .sort((a, b) => Number(a.at > b.at) - Number(a.at < b.at));
}

const SECONDS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;

/**
 * A time that somebody has said, as lines have it: so long ago, a date and time of this machine's or with its zone, or
 * seconds since 1970.
 * @throws CliError where it is none
 */
export function sinceOf(said: string | undefined, now = Date.now()): string | undefined {
  if (said === undefined) return undefined;
  const parts = [...said.matchAll(/(\d+(?:\.\d+)?)([dhms])/g)];
  const ago = parts.reduce((sum, [, count, unit]) => sum + Number(count) * SECONDS[unit as keyof typeof SECONDS], 0);
  const time =
    said !== "" && parts.map(([part]) => part).join("") === said
      ? now - ago * 1000
      : /^\d{9,}$/.test(said)
        ? Number(said) * 1000
        : /^\d{4}-\d\d-\d\d$/.test(said)
          ? // A date alone would be one of UTC.
            Date.parse(`${said}T00:00`)
          : /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(said)
            ? Date.parse(said)
            : Number.NaN;
  // A Date is no more than so many days from 1970, and its text has no other year than one of four digits.
  if (time >= 0 && time < Date.UTC(10_000, 0)) return new Date(time).toISOString();
  throw new CliError({
    what: `--since is "${said}", which is no time`,
    remedy: "--since 10m, --since 2d, or --since 2026-01-31T10:00:00 (of this machine's clock; with Z: of UTC)",
    code: Exit.usage,
  });
}

/** @throws CliError where it is no pattern */
export function patternOf(grep: string | undefined): RegExp | undefined {
  if (grep === undefined) return undefined;
  try {
    return new RegExp(grep, "i");
  } catch {
    throw new CliError({
      what: `--grep is "${grep}", which is no regular expression`,
      remedy: String.raw`put a backslash before what is meant as it is: --grep 'a\(b'`,
      code: Exit.usage,
    });
  }
}
