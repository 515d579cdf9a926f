import { setTimeout as sleep } from "node:timers/promises";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { defined } from "../../lib/defined.ts";
import type { Schema } from "../plugin/schema.ts";
import { any, bool, inPlace, list, map, object, str } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";

/**
 * The official provider's settings, as far as S3 and IAM need them; the skip… ones say what the stand-in never does
 * anyway.
 */
export const configSchema: Schema = {
  region: str,
  accessKey: str,
  secretKey: str,
  token: str,
  profile: str,
  endpoints: list(object({ s3: str, iam: str, sts: str })),
  s3UsePathStyle: bool,
  skipCredentialsValidation: any,
  skipMetadataApiCheck: any,
  skipRegionValidation: any,
  skipRequestingAccountId: any,
  defaultTags: object({ tags: map(str) }),
};

let config: Values = {};
const clients = new Map<string, S3Client>();
let iamClient: IAMClient | undefined;

export function configure(values: Values): void {
  config = values;
  clients.clear();
  iamClient = undefined;
  if (values.skipMetadataApiCheck === true || values.skipMetadataApiCheck === "true")
    process.env.AWS_EC2_METADATA_DISABLED = "true";
}

/** The region of a resource: its own, else the provider's, else the environment's. */
export function regionOf(inputs: Values): string {
  const region = inputs.region ?? config.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (typeof region === "string" && region !== "") return region;
  throw new Error("no region is named. Set it: pulumi config set aws:region eu-central-1, or export AWS_REGION");
}

const common = (service: "s3" | "iam") => {
  const endpoint = (config.endpoints as Values[] | undefined)
    ?.map((entry) => entry[service])
    .find((url) => typeof url === "string") as string | undefined;
  const { accessKey, secretKey, token, profile } = config;
  return {
    ...defined({ endpoint }),
    ...(typeof profile === "string" ? { profile } : {}),
    ...(typeof accessKey === "string" && typeof secretKey === "string"
      ? {
          credentials: {
            accessKeyId: accessKey,
            secretAccessKey: secretKey,
            ...(typeof token === "string" ? { sessionToken: token } : {}),
          },
        }
      : {}),
    maxAttempts: 5,
  };
};

export function s3(inputs: Values): S3Client {
  const region = regionOf(inputs);
  let client = clients.get(region);
  if (client === undefined)
    clients.set(
      region,
      (client = new S3Client({ ...common("s3"), region, forcePathStyle: config.s3UsePathStyle === true })),
    );
  return client;
}

/** IAM has one endpoint for all regions. */
export const iam = (): IAMClient => (iamClient ??= new IAMClient({ ...common("iam"), region: regionOf({}) }));

/** The tags that a resource has with those of the provider. */
export const allTags = (inputs: Values): Values => ({
  ...((config.defaultTags as Values | undefined)?.tags as Values | undefined),
  ...(inputs.tags as Values | undefined),
});
export const tagList = (inputs: Values): { Key: string; Value: string }[] =>
  Object.entries(allTags(inputs)).map(([Key, Value]) => ({ Key, Value: String(Value) }));
export const TAGS = inPlace(map(str));

const REMEDIES: Readonly<Record<string, string>> = {
  BucketAlreadyExists: "somebody else in the world has a bucket of that name: choose another",
  BucketAlreadyOwnedByYou:
    "it is yours already; have the stack take it over: pulumi import TYPE NAME BUCKET, or choose another name",
  BucketNotEmpty: "it still holds objects or versions, and is never emptied by a deletion of the stack",
  AccessDenied: "these credentials may not do that: check the policy of who runs the update",
  InvalidAccessKeyId: "the key is not known: check AWS_ACCESS_KEY_ID or AWS_PROFILE",
  SignatureDoesNotMatch: "the secret doesn't belong to the key: check AWS_SECRET_ACCESS_KEY",
  CredentialsProviderError:
    "no credentials were found: export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
  ECONNREFUSED: "nobody answers there: check the provider's `endpoints`",
  ENOTFOUND: "the host is not known: check the network and the provider's `endpoints`",
};

const named = (error: unknown): string => {
  const { name, code } = error as { name?: string; code?: string };
  return code ?? name ?? "Error";
};
const isGone = (error: unknown): boolean =>
  /^NoSuch|NotFound|NotFoundError$|^404$|ConfigurationNotFound/.test(named(error));

/** Sends a request, and says in an error what was done to what, what came back, and what to do. */
export async function tell<T>(what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const remedy = REMEDIES[named(error)];
    throw Object.assign(
      new Error(`${what}: ${named(error)}: ${(error as Error).message}${remedy === undefined ? "" : `. ${remedy}`}`),
      { name: named(error) },
    );
  }
}

/** As `tell`; what is not there is undefined. */
export async function ask<T>(what: string, request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (isGone(error)) return undefined;
    return tell(what, () => Promise.reject(error));
  }
}

/** As `tell`, for what S3 may not know yet, or may not do while it does something else. */
export async function eventually<T>(
  what: string,
  signal: AbortSignal,
  request: () => Promise<T>,
  patience = 60_000,
): Promise<T> {
  for (const end = Date.now() + patience; ; ) {
    try {
      return await request();
    } catch (error) {
      if (
        !/^(NoSuchBucket|OperationAborted|NoSuchEntity|MalformedPolicy|InvalidPrincipal)/.test(named(error)) ||
        Date.now() > end ||
        signal.aborted
      )
        return tell(what, () => Promise.reject(error));
      // A policy that is wrong stays wrong.
      if (/^MalformedPolicy/.test(named(error)) && !/[Pp]rincipal/.test((error as Error).message))
        return tell(what, () => Promise.reject(error));
      await sleep(1_000);
    }
  }
}
