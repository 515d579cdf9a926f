import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { AgentError } from "../shared/errors.ts";

const MAGIC = Buffer.from("DRYDOCK1");
const NONCE = 12;
const TAG = 16;

// At its quickest: what is sealed is small, or is cut every few seconds.
const compress = (content: Uint8Array): Buffer =>
  brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });

/** The key of everything that isn't restic's, made of the repository's key. */
export function derivedKey(repositoryKey: string): Buffer {
  return Buffer.from(hkdfSync("sha256", repositoryKey, "drydock", "binlogs and catalogue", 32));
}

/** Compressed, then encrypted; `name` is sealed in, so that no object can be put in another's place. */
export function seal(key: Uint8Array, name: string, content: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(compress(content)), cipher.final()]);
  return Buffer.concat([MAGIC, nonce, sealed, cipher.getAuthTag()]);
}

/** @throws AgentError where it was damaged, cut, renamed, or sealed with another key */
export function open(key: Uint8Array, name: string, sealed: Uint8Array): Buffer {
  const data = Buffer.from(sealed);
  const broken = (cause?: unknown) =>
    new AgentError(`${name} is damaged, or was made with another key than drydock:backup.key`, { cause });
  if (data.length < MAGIC.length + NONCE + TAG || !data.subarray(0, MAGIC.length).equals(MAGIC)) throw broken();
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, data.subarray(MAGIC.length, MAGIC.length + NONCE))
      .setAAD(Buffer.from(name))
      .setAuthTag(data.subarray(-TAG));
    return brotliDecompressSync(
      Buffer.concat([decipher.update(data.subarray(MAGIC.length + NONCE, -TAG)), decipher.final()]),
    );
  } catch (error) {
    throw broken(error);
  }
}
