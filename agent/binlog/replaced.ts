import { join } from "node:path";
import { BESIDE, FOLDERS } from "../../contracts/agent.ts";
import { readIfThere } from "../../lib/stateFiles.ts";

/** A file of the binary log; the second number, seconds since 1970, tells two of one name apart, where it is known. */
export interface LogFile {
  readonly file: string;
  readonly started?: number;
}

/** Whether it is that file. */
export const isFile = (one: LogFile, file: string, started: number): boolean =>
  one.file === file && (one.started === undefined || one.started === started);

/**
 * The files after which a restore has put the server's files in place: see commands/inside/restore-physical.sh. Earlier
 * versions noted the index that MariaDB has beside a file, of which only the name says something.
 * @throws Error where a line is none of these: what follows a replacement must not pass for what was before
 */
export function replacedAfter(path = join(FOLDERS.database, BESIDE, "replaced")): readonly LogFile[] {
  const lines = readIfThere(path)?.toString().split("\n") ?? [];
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const [, file, index, started] = /^(binlog\.\d+)(\.idx)? (\d+)$/.exec(line) ?? [];
      if (file === undefined) throw new Error(`${path} has a line that can't be read: ${JSON.stringify(line)}`);
      return index === undefined ? { file, started: Number(started) } : { file };
    });
}
