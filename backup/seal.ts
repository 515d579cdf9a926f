import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import zlib from "node:zlib";
import { AgentError } from "./errors.ts";

const MAGIC = Buffer.from("DRYDOCK1");
const NONCE = 12;
const TAG = 16;

// In Node since 22.15; the type definitions here are of an older one.
const zstd = zlib as unknown as { zstdCompressSync(data: Uint8Array): Buffer; zstdDecompressSync(data: Uint8Array): Buffer };

/** The key of everything that isn't restic's, made of the repository's key. */
export function derivedKey(repositoryKey: string): Buffer {
  return Buffer.from(hkdfSync("sha256", repositoryKey, "drydock", "binlogs and catalogue", 32));
}

/** Compressed, then encrypted; `name` is sealed in, so that no object can be put in another's place. */
export function seal(key: Uint8Array, name: string, content: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(zstd.zstdCompressSync(content)), cipher.final()]);
  return Buffer.concat([MAGIC, nonce, sealed, cipher.getAuthTag()]);
}

/** @throws AgentError where it was damaged, cut, renamed, or sealed with another key */
export function open(key: Uint8Array, name: string, sealed: Uint8Array): Buffer {
  const data = Buffer.from(sealed);
  const broken = (cause?: unknown) => new AgentError(`${name} is damaged, or was made with another key than drydock:backup.key`, { cause });
  if (data.length < MAGIC.length + NONCE + TAG || !data.subarray(0, MAGIC.length).equals(MAGIC)) throw broken();
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, data.subarray(MAGIC.length, MAGIC.length + NONCE)).setAAD(Buffer.from(name)).setAuthTag(data.subarray(-TAG));
    return zstd.zstdDecompressSync(Buffer.concat([decipher.update(data.subarray(MAGIC.length + NONCE, -TAG)), decipher.final()]));
  } catch (error) {
    throw broken(error);
  }
}
