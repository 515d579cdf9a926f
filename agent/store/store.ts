import { type Dirent, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { type Configuration, FOLDERS } from "../../contracts/agent.ts";
import { isDraft, readIfThere, writeAtomically } from "../../lib/stateFiles.ts";
import { readSecret, secretFile } from "../shared/configuration.ts";
import { AgentError, messageOf } from "../shared/errors.ts";

/** A place for objects with names like paths. */
export interface Store {
  put(name: string, content: Uint8Array): Promise<void>;
  /** undefined where it isn't there. */
  get(name: string): Promise<Buffer | undefined>;
  /** All names that begin with this one, sorted, with their sizes. */
  list(prefix: string): Promise<readonly { readonly name: string; readonly size: number }[]>;
  remove(names: readonly string[]): Promise<void>;
}

export class LocalStore implements Store {
  constructor(readonly root: string) {}

  async put(name: string, content: Uint8Array): Promise<void> {
    writeAtomically(join(this.root, name), content);
  }

  async get(name: string): Promise<Buffer | undefined> {
    return readIfThere(join(this.root, name));
  }

  async list(prefix: string): Promise<readonly { name: string; size: number }[]> {
    const walk = (folder: string): { name: string; size: number }[] => {
      let entries: Dirent[];
      try {
        entries = readdirSync(join(this.root, folder), { withFileTypes: true });
      } catch {
        return [];
      }
      return entries.flatMap((entry) => {
        const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (entry.isDirectory()) return walk(name);
        return isDraft(entry.name) ? [] : [{ name, size: statSync(join(this.root, name)).size }];
      });
    };
    const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf("/")));
    return walk(folder)
      .filter(({ name }) => name.startsWith(prefix))
      .sort(byName);
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) rmSync(join(this.root, name), { force: true });
  }
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

/** A bucket. The SDK is loaded when it is first asked: an agent without S3 does without it. */
class S3Store implements Store {
  #client: Promise<{ client: S3Client; sdk: typeof import("@aws-sdk/client-s3") }> | undefined;

  constructor(readonly options: NonNullable<Configuration["s3"]>) {}

  async put(name: string, content: Uint8Array): Promise<void> {
    await this.#ask(({ client, sdk }) =>
      client.send(new sdk.PutObjectCommand({ Bucket: this.options.bucket, Key: this.#key(name), Body: content })),
    );
  }

  async get(name: string): Promise<Buffer | undefined> {
    return await this.#ask(async ({ client, sdk }) => {
      try {
        const { Body } = await client.send(
          new sdk.GetObjectCommand({ Bucket: this.options.bucket, Key: this.#key(name) }),
        );
        return Buffer.from(await Body!.transformToByteArray());
      } catch (error) {
        if ((error as Error).name === "NoSuchKey") return undefined;
        throw error;
      }
    });
  }

  async list(prefix: string): Promise<readonly { name: string; size: number }[]> {
    return await this.#ask(async ({ client, sdk }) => {
      const found: { name: string; size: number }[] = [];
      for await (const page of sdk.paginateListObjectsV2(
        { client },
        { Bucket: this.options.bucket, Prefix: this.#key(prefix) },
      ))
        for (const { Key, Size } of page.Contents ?? [])
          found.push({ name: Key!.slice(this.options.prefix.length), size: Size ?? 0 });
      return found.sort(byName);
    });
  }

  async remove(names: readonly string[]): Promise<void> {
    await this.#ask(async ({ client, sdk }) => {
      for (let index = 0; index < names.length; index += 1000)
        await client.send(
          new sdk.DeleteObjectsCommand({
            Bucket: this.options.bucket,
            Delete: { Objects: names.slice(index, index + 1000).map((name) => ({ Key: this.#key(name) })) },
          }),
        );
    });
  }

  readonly #key = (name: string): string => `${this.options.prefix}${name}`;

  async #ask<T>(
    work: (loaded: { client: S3Client; sdk: typeof import("@aws-sdk/client-s3") }) => Promise<T>,
  ): Promise<T> {
    if (readSecret("s3") !== undefined) process.env.AWS_SHARED_CREDENTIALS_FILE = secretFile("s3");
    this.#client ??= import("@aws-sdk/client-s3").then((sdk) => ({
      sdk,
      client: new sdk.S3Client({
        region: this.options.region,
        ...(this.options.endpoint === undefined ? {} : { endpoint: this.options.endpoint, forcePathStyle: true }),
        maxAttempts: 3,
        requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
      }),
    }));
    try {
      return await work(await this.#client);
    } catch (error) {
      const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
      const status = $metadata?.httpStatusCode;
      throw new AgentError(`S3 (bucket ${this.options.bucket}): ${name ?? ""}: ${messageOf(error)}`, {
        transient: status === undefined || status >= 500 || status === 429,
        remedy:
          status === undefined
            ? "can the Docker host reach it? If so, look at drydock:backup.s3: endpoint and region"
            : "look at drydock:backup.s3: bucket, region and key",
        cause: error,
      });
    }
  }
}

export const localStore = (): Store => new LocalStore(FOLDERS.backups);
export const s3Store = ({ s3 }: Configuration): Store | undefined => (s3 === undefined ? undefined : new S3Store(s3));
