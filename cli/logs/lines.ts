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

/** Of a line that `docker logs --timestamps` prints. */
export function stamped(line: string): Pick<Line, "at" | "text"> {
  const [, at = "", text = ""] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)$/s.exec(line) ?? ["", "", line];
  return { at, text };
}

/**
 * What the containers of earlier releases had written.
 * @param kept as commands/record.sh writes it: ROLE CONTAINER RELEASE | TIME LINE; before, without release and time
 */
export function keptLines(kept: string): Line[] {
  return kept.split("\n").flatMap((line) => {
    const [, role, service, release, rest = ""] = /^(\S+) (\S+)(?: (\S+))? \| (.*)$/.exec(line) ?? [];
    return role === undefined || service === undefined ? [] : [{ service, role, release, ...stamped(rest) }];
  });
}

/** What of them somebody wants to read. */
export interface Wanted {
  readonly role: string;
  /** Of each container, or all. */
  readonly tail: string;
  readonly grep?: RegExp | undefined;
  readonly release?: string | undefined;
}

/** The last lines of each container, all of them in the order in which they were written. */
export function chosenLines(lines: readonly Line[], { role, tail, grep, release }: Wanted): Line[] {
  const byService = new Map<string, Line[]>();
  for (const line of lines) {
    if (role !== "all" && line.role !== role) continue;
    if (release !== undefined && !line.release?.startsWith(release)) continue;
    if (grep !== undefined && !grep.test(line.text)) continue;
    byService.set(line.service, [...(byService.get(line.service) ?? []), line]);
  }
  const most = tail === "all" ? Number.POSITIVE_INFINITY : Number(tail);
  return [...byService.values()]
    .flatMap((of) => of.slice(Math.max(0, of.length - most)))
    .sort((a, b) => Number(a.at > b.at) - Number(a.at < b.at));
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
