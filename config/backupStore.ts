import { defined } from "../lib/defined.ts";
import type { Settings } from "./settings.ts";

/** Where a stack's backups are in S3. */
export interface BackupStore {
  readonly bucket: string;
  readonly region: string;
  /** Before the name of each object; empty, or ending with a slash. */
  readonly prefix: string;
  /** Where it isn't Amazon's. */
  readonly endpoint?: string;
}

/** What of the settings names it. */
export interface StoreSettings {
  readonly s3?: Pick<NonNullable<Settings["backup"]["s3"]>, "bucket" | "region" | "prefix" | "endpoint"> | undefined;
  readonly bucket: Pick<Settings["bucket"], "name" | "region" | "endpoint">;
}

/** The bucket that the settings name, else the one that the stack makes; undefined where there is neither. */
export function storeOf({ s3, bucket }: StoreSettings): BackupStore | undefined {
  if (s3 !== undefined)
    return { bucket: s3.bucket, region: s3.region, prefix: s3.prefix, ...defined({ endpoint: s3.endpoint }) };
  if (bucket.name === undefined || bucket.region === undefined) return undefined;
  return { bucket: bucket.name, region: bucket.region, prefix: "", ...defined({ endpoint: bucket.endpoint }) };
}
