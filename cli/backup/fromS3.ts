import type { S3Client } from "@aws-sdk/client-s3";
import { type BackupStore, storeOf } from "../../config/backupStore.ts";
import { backup } from "../../config/schema/backup.ts";
import { many } from "../../lib/many.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";
import { openSession } from "../shared/session.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";
import { duration } from "./format.ts";

/** What is in the bucket, as it says itself: nothing of it comes from the Docker host. */
export interface Outside {
  readonly bucket: string;
  readonly backups: number;
  /** When the newest one was written; null where there is none. */
  readonly newest: { readonly id: string; readonly at: string; readonly ageHours: number } | null;
  /** Backups that were deleted before their time: of these the bucket still has the versions. */
  readonly hidden: readonly string[];
  readonly versioning: boolean;
  /** For how many days nobody can destroy what is written; null: whoever may delete versions can. */
  readonly lockDays: number | null;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
}

/** Where a stack's backups are in S3, and what is promised of them. */
export interface Place extends BackupStore {
  /** Hours. */
  readonly maxAge: number;
  /** Days. */
  readonly s3Days: number;
}

const ENTRY = /^backups\/catalogue\/([^/]+)\.entry$/;
const HOUR = 3_600_000;

/**
 * Asks the bucket with the caller's own credentials, as AWS's tools find them (AWS_PROFILE, AWS_ACCESS_KEY_ID, SSO, …):
 * whoever controls the Docker host controls the agent too, and what it reports about its backups.
 */
export async function status({ stack, json }: { readonly stack?: string; readonly json?: true }): Promise<number> {
  const session = await openSession({ stack, brief: true });
  const place = placeOf(stackConfig(session.paths, session.stack), session.stack);
  const found = await askBucket(place, Date.now());
  if (json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else process.stdout.write(`${shown(found, session.stack).join("\n")}\n`);
  return found.problems.length === 0 ? Exit.ok : Exit.failed;
}

/** @throws CliError where the stack keeps no backups in S3 */
export function placeOf(config: Readonly<Record<string, unknown>>, stack: string): Place {
  const text = (path: string): string | undefined => {
    const value = settingAt(config, path);
    return typeof value === "string" ? value : undefined;
  };
  const number = (name: "maxAge" | "s3Days"): number => {
    const given = backup.shape[name].safeParse(settingAt(config, `backup.${name}`));
    return given.success ? given.data : backup.shape[name].parse(undefined);
  };
  const [own, region] = [text("backup.s3.bucket"), text("backup.s3.region")];
  const store = storeOf({
    s3:
      own === undefined || region === undefined
        ? undefined
        : { bucket: own, region, prefix: text("backup.s3.prefix") ?? "", endpoint: text("backup.s3.endpoint") },
    bucket: { name: text("bucket.name"), region: text("bucket.region"), endpoint: text("bucket.endpoint") },
  });
  if (store === undefined)
    throw new CliError({
      what: `stack ${stack} keeps no backups in S3`,
      remedy: "docs/backups.md says how: drydock:bucket or drydock:backup.s3",
    });
  return { ...store, maxAge: number("maxAge"), s3Days: number("s3Days") };
}

/** @param now in ms since 1970 @throws CliError where the bucket doesn't answer, or not to these credentials */
export async function askBucket(place: Place, now: number): Promise<Outside> {
  const { bucket, region, prefix, endpoint } = place;
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000 },
  });
  try {
    return judge(place, await versions(client, sdk, bucket, `${prefix}backups/catalogue/`), now, {
      versioning: (await client.send(new sdk.GetBucketVersioningCommand({ Bucket: bucket }))).Status === "Enabled",
      lockDays: await lockOf(client, sdk, bucket),
    });
  } catch (error) {
    const { name, message } = error as Error;
    throw new CliError({
      what: `the bucket ${bucket} can't be read: ${name}: ${message}`,
      remedy:
        "with credentials of your own (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) that may list " +
        "its versions: s3:ListBucketVersions, s3:GetBucketVersioning, s3:GetBucketObjectLockConfiguration",
    });
  } finally {
    client.destroy();
  }
}

interface Version {
  readonly key: string;
  readonly at: number;
  readonly isLatest: boolean;
  readonly isDeletion: boolean;
}

async function versions(
  client: S3Client,
  sdk: typeof import("@aws-sdk/client-s3"),
  Bucket: string,
  Prefix: string,
): Promise<readonly Version[]> {
  const found: Version[] = [];
  for (let KeyMarker: string | undefined, VersionIdMarker: string | undefined; ; ) {
    const page = await client.send(
      new sdk.ListObjectVersionsCommand({
        ...{ Bucket, Prefix },
        ...(KeyMarker === undefined ? {} : { KeyMarker }),
        ...(VersionIdMarker === undefined ? {} : { VersionIdMarker }),
      }),
    );
    for (const [list, isDeletion] of [
      [page.Versions ?? [], false],
      [page.DeleteMarkers ?? [], true],
    ] as const)
      for (const { Key = "", LastModified, IsLatest = false } of list)
        found.push({ key: Key, at: LastModified?.getTime() ?? 0, isLatest: IsLatest, isDeletion });
    if (page.IsTruncated !== true) return found;
    KeyMarker = page.NextKeyMarker;
    VersionIdMarker = page.NextVersionIdMarker;
  }
}

async function lockOf(
  client: S3Client,
  sdk: typeof import("@aws-sdk/client-s3"),
  Bucket: string,
): Promise<number | null> {
  try {
    const { ObjectLockConfiguration } = await client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket }));
    const { Days, Years } = ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
    return Days ?? (Years === undefined ? null : Years * 365);
  } catch (error) {
    if ((error as Error).name === "ObjectLockConfigurationNotFoundError") return null;
    throw error;
  }
}

/** What the versions of the catalogue's objects say of the backups. */
export function judge(
  { bucket, prefix, maxAge, s3Days }: Place,
  found: readonly Version[],
  now: number,
  { versioning, lockDays }: Pick<Outside, "versioning" | "lockDays">,
): Outside {
  const entries = found.flatMap((version) => {
    const id = ENTRY.exec(version.key.slice(prefix.length))?.[1];
    return id === undefined ? [] : [{ ...version, id }];
  });
  // A backup is written again when it has been proven: it is as old as its first version.
  const written = new Map<string, number>();
  for (const { id, at, isDeletion } of entries)
    if (!isDeletion) written.set(id, Math.min(written.get(id) ?? Number.POSITIVE_INFINITY, at));
  const there = entries.filter(({ isLatest, isDeletion }) => isLatest && !isDeletion);
  const hidden = entries
    .filter(({ isLatest, isDeletion }) => isLatest && isDeletion)
    .filter(({ id, at }) => at - (written.get(id) ?? Number.NEGATIVE_INFINITY) < (s3Days - 1) * 24 * HOUR)
    .map(({ id }) => id)
    .sort();
  const last = there
    .map(({ id }) => ({ id, at: written.get(id)! }))
    .reduce<{ id: string; at: number } | undefined>((a, b) => (a === undefined || b.at > a.at ? b : a), undefined);
  const newest =
    last === undefined ? null : { id: last.id, at: new Date(last.at).toISOString(), ageHours: (now - last.at) / HOUR };
  return {
    ...{ bucket, backups: there.length, newest, hidden, versioning, lockDays },
    problems: [
      ...(newest === null
        ? ["there is no backup in it"]
        : newest.ageHours > maxAge
          ? [
              `the newest backup in it is ${many(Math.round(newest.ageHours), "hour")} old ` +
                `(drydock:backup.maxAge is ${maxAge})`,
            ]
          : []),
      ...(hidden.length === 0
        ? []
        : [
            `${hidden.length} were deleted before their ${s3Days} days were over, and their versions are ` +
              "still there: " +
              hidden.slice(0, 5).join(", "),
          ]),
      ...(versioning ? [] : ["it keeps no earlier versions: what is deleted or overwritten is gone"]),
    ],
  };
}

function shown({ bucket, backups, newest, lockDays, problems }: Outside, stack: string): readonly string[] {
  return [
    `bucket      ${bucket}`,
    `backups     ${backups}`,
    `newest      ${newest === null ? "none" : `${newest.id}, ${duration(newest.ageHours * 3600)} old`}`,
    `locked      ${lockDays === null ? "no: who may delete versions can destroy them" : `for ${lockDays} days`}`,
    ...problems.map((problem) => `PROBLEM     ${problem}`),
    ...(problems.length === 0 ? [] : [`what the agent says: ./drydock backup status${select(stack)}`]),
  ];
}
