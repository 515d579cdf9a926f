import { join } from "node:path";
import { BESIDE, FOLDERS } from "../../contracts/agent.ts";
import { readIfThere } from "../../lib/stateFiles.ts";

/** A file of the binary log; the second number, seconds since 1970, tells two of one name apart. */
export interface LogFile {
  readonly file: string;
  readonly started: number;
}

/** The files after which a restore has put the server's files in place: see commands/inside/restore-physical.sh. */
export function replacedAfter(path = join(FOLDERS.database, BESIDE, "replaced")): readonly LogFile[] {
  const lines = readIfThere(path)?.toString().split("\n") ?? [];
  return lines.flatMap((line) => {
    const [, file, started] = /^(binlog\.\d+) (\d+)$/.exec(line) ?? [];
    return file === undefined ? [] : [{ file, started: Number(started) }];
  });
}
