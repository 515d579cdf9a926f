/** The pending ones of what `artisan migrate:status` prints: `  NAME ....... Pending`. */
export function parseMigrations(printed: string): readonly string[] {
  return printed.split("\n").flatMap((line) => /^\s+(\S.*?)\s\.*\s*Pending\s*$/.exec(line)?.[1] ?? []);
}
