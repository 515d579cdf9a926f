/**
 * What restic's documented exit codes say: 11 is a repository that somebody else has locked; 10, 12 and 130 are no
 * repository, a wrong key, an interruption.
 */
const RESTIC: Readonly<Record<number, boolean>> = { 10: false, 11: true, 12: false, 130: false };

/**
 * MySQL's and MariaDB's errors that a second attempt can fix: no connection or a lost one, too many, a shutdown,
 * locks, a table that was changed.
 */
const DATABASE = new Set([1040, 1053, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1412, 2002, 2003, 2006, 2013, 2055]);

/** HTTP's, in an answer of S3: what it asks to send again. */
const HTTP = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Words of the network, for programs that say nothing else. Whole phrases: a bare number or name may stand in the name
 * of a file or a table.
 */
const NETWORK = new RegExp(
  String.raw`\bconnection (refused|reset|timed out|closed)\b|\blost connection\b|\bgone away\b|\bi/o ` +
    String.raw`timeout\b|\bTLS handshake timeout\b|\bbroken pipe\b|\bunexpected EOF\b|\balready locked\b|` +
    String.raw`\btemporary failure\b|\bserver shutdown\b|\bslow ?down\b`,
  "i",
);
const PERMANENT = /access denied|forbidden|wrong password|no such|invalid|unknown (table|column|database)/i;

/** What a program that failed has said. */
export interface Failure {
  /** Its name, such as `restic`. */
  readonly program?: string;
  readonly code?: number | null;
  /** Its last words. */
  readonly text: string;
}

/**
 * Whether the same may succeed a little later: typed where the program has types, by whole phrases of the network else.
 */
export function isTransient({ program = "", code, text }: Failure): boolean {
  const known = program.split("/").pop() === "restic" && typeof code === "number" ? RESTIC[code] : undefined;
  if (known !== undefined) return known;
  // `ERROR 2013 (HY000)`, `Got error: 1412:`, `Error 1205:`.
  const [, database] = /\b(?:ERROR|Got error:?|Error)\s+(\d{4})\b/i.exec(text) ?? [];
  if (database !== undefined) return DATABASE.has(Number(database));
  const [, status] =
    new RegExp(
      String.raw`\b(?:status(?: code)?:?|server response(?: unexpected)?:|HTTP/[\d.]+)\s+(\d{3})\b|\b(5\d\d) ` +
        String.raw`(?:Internal|Bad|Service|Gateway)\b`,
      "i",
    )
      .exec(text)
      ?.filter((one) => one !== undefined) ?? [];
  if (status !== undefined) return HTTP.has(Number(status));
  return !PERMANENT.test(text) && NETWORK.test(text);
}
