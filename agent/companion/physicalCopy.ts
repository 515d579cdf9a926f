import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { FOLDERS } from "../../contracts/agent.ts";
import type { BinlogPosition } from "../../contracts/entry.ts";
import { withDatabase } from "../database/connection.ts";
import { tlsOptions } from "../database/tools.ts";
import { secretFile } from "../shared/configuration.ts";
import { AgentError } from "../shared/errors.ts";
import { execute } from "../shared/process.ts";

/** What a physical backup is, as mariadb-backup says it. */
export interface PhysicalInfo {
  readonly fromLsn: string;
  readonly toLsn: string;
  readonly version: string;
  readonly position?: BinlogPosition;
}

/** Copies the live server's files while it runs; with an LSN, only the pages that changed since. */
export async function copyPhysically(to: Socket, lsn: string | undefined): Promise<PhysicalInfo> {
  const work = mkdtempSync(join(FOLDERS.restore, "copy-"));
  try {
    const tls = await withDatabase(tlsOptions);
    await execute("mariadb-backup", copyArguments(work, lsn, tls), { stdout: to });
    return parseInfo(
      readFileSync(join(work, "info", "mariadb_backup_checkpoints"), "utf8"),
      readFileSync(join(work, "info", "mariadb_backup_info"), "utf8"),
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The option file with the password, which therefore is on no command line, has to come first. One thread: two mix
 * their files in another order each time, and a sixth to a half of what hasn't changed looks new to the repository. It
 * isn't the reading that a backup waits for.
 */
export const copyArguments = (
  work: string,
  lsn: string | undefined,
  tls: readonly string[] = [],
): readonly string[] => [
  `--defaults-file=${secretFile("database")}`,
  ...tls,
  "--backup",
  "--stream=mbstream",
  "--parallel=1",
  `--datadir=${FOLDERS.database}`,
  `--target-dir=${work}`,
  `--extra-lsndir=${work}/info`,
  ...(lsn === undefined ? [] : [`--incremental-lsn=${lsn}`]),
];

/** @throws AgentError where mariadb-backup says it otherwise than expected */
export function parseInfo(checkpoints: string, info: string): PhysicalInfo {
  const value = (text: string, name: string): string | undefined =>
    new RegExp(`^${name}\\s*=\\s*(.*)$`, "m").exec(text)?.[1]?.trim();
  const [fromLsn, toLsn] = [value(checkpoints, "from_lsn"), value(checkpoints, "to_lsn")];
  if (fromLsn === undefined || toLsn === undefined) throw new AgentError("mariadb-backup did not say what it copied");
  const [, file, position] = /filename '([^']+)', position '(\d+)'/.exec(info) ?? [];
  return {
    fromLsn,
    toLsn,
    version: value(info, "server_version") ?? "",
    ...(file === undefined ? {} : { position: { file, position: Number(position) } }),
  };
}
