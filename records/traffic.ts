/** A line of the records' traffic.jsonl: what a watched deployment counted, as far as the list of releases shows it. */
export interface TrafficLine {
  readonly release: string;
  /** ISO 8601. */
  readonly began: string;
  readonly ended: string;
  readonly total: number;
  readonly failed: number;
}

/**
 * What was counted while a release was recorded: the same release may have been deployed before, unwatched or with
 * other counts.
 */
export function trafficOf<T extends TrafficLine>(
  lines: readonly T[],
  { release, at }: { readonly release: string; readonly at: string },
): T | undefined {
  const time = Date.parse(at);
  // The record's clock is the Docker client's, in whole seconds.
  return lines.findLast(
    (line) =>
      line.release === release && Date.parse(line.began) - 2000 <= time && time <= Date.parse(line.ended) + 2000,
  );
}
