import type { Configuration } from "../contracts/agent.ts";
import type { Entry } from "../contracts/entry.ts";
import { BinlogArchive } from "./binlog/archive.ts";
import { readConfiguration } from "./shared/configuration.ts";
import type { Reporter } from "./shared/events.ts";
import { Catalogue } from "./store/catalogue.ts";
import { Ownership } from "./store/ownership.ts";
import { localRepository, type Restic, s3Repository } from "./store/restic.ts";
import { localStore, s3Store } from "./store/store.ts";
import { whileThere } from "./store/whileThere.ts";

/** One place where backups are. */
export interface Place {
  readonly restic: Restic;
  readonly catalogue: Catalogue;
  readonly binlogs: BinlogArchive;
}

/** What every verb works with. */
export interface Agent {
  readonly configuration: Configuration;
  readonly reporter: Reporter;
  readonly local: Place;
  readonly s3: (Place & { readonly ownership: Ownership }) | undefined;
}

export function agentOf(reporter: Reporter): Agent {
  const configuration = readConfiguration();
  const place = (restic: Restic, store: ReturnType<typeof localStore>): Place => ({
    restic,
    catalogue: new Catalogue(store),
    binlogs: new BinlogArchive(store),
  });
  const [remote, bucket] = [s3Repository(configuration), s3Store(configuration)];
  const s3 =
    remote === undefined || bucket === undefined
      ? undefined
      : { ...place(remote, bucket), ownership: new Ownership(bucket, configuration.stack) };
  return { configuration, reporter, local: place(localRepository(), localStore()), s3 };
}

/** Where a backup is read from: here if it is here. */
export function placeOf(agent: Agent, entry: Entry): Place {
  return entry.copies.includes("local") || agent.s3 === undefined ? agent.local : agent.s3;
}

/** Reads a backup; where it is in S3 alone, as long as S3 answers. */
export async function reading<T>(agent: Agent, entry: Entry, work: () => Promise<T>): Promise<T> {
  const { s3 } = agent;
  return s3 !== undefined && placeOf(agent, entry) === s3 ? await whileThere(s3, work) : await work();
}
