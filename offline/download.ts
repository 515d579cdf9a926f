import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, rmSync, statSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https, { type AgentOptions } from "node:https";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates } from "node:tls";

/** How long a server may be silent, in ms: before its first word, and later. */
const PATIENCE = { first: 5_000, later: 30_000 };
const REDIRECTS = 5;
const ATTEMPTS = 3;
/** How often a download says how far it is, in ms. */
const SAYING = 3_000;

/** Nobody can be reached at that address: there is no internet here, or no way to it. */
export class Unreachable extends Error {}

/** Something arrived, and it is not what was published. Nothing of it may be used. */
export class WrongChecksum extends Error {
  override readonly name = "WrongChecksum";
}

/** Nothing more can be written here; no server has a remedy for that. */
export class NoRoom extends Error {
  override readonly name = "NoRoom";

  constructor(folder: string) {
    super(`the disk of ${folder} is full: make room there, or have the files elsewhere (XDG_CACHE_HOME, PULUMI_HOME)`);
  }
}

/** The server has answered, and not with the file; another one may have it. */
class Refused extends Error {}

const TLS = /^(?:UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_|ERR_TLS_CERT_ALTNAME|ERR_SSL_)/;
const UNREACHABLE =
  /^(?:ENOTFOUND|EAI_AGAIN|EAI_FAIL|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ENETDOWN|ETIMEDOUT|ERR_PROXY_TUNNEL)$/;

/** Trusts what the system trusts, too, and goes through HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
function connection(protocol: string): http.Agent {
  const proxyEnv = process.env;
  if (protocol === "http:") return new http.Agent({ proxyEnv } as AgentOptions);
  return new https.Agent({
    ca: [...new Set([...getCACertificates("default"), ...getCACertificates("system")])],
    proxyEnv,
  } as AgentOptions);
}

type Headers = Readonly<Record<string, string>>;

/**
 * Asks for an address and follows where it leads to, never from https to http.
 * @param range is for whoever has the file in the end; `headers` for this host alone
 * @throws Unreachable, Refused, Error
 */
async function open(address: string, headers: Headers, range: Headers = {}, hops = 0): Promise<IncomingMessage> {
  const url = new URL(address);
  const agent = connection(url.protocol);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (url.protocol === "http:" ? http : https).get(
      url,
      { agent, headers: { "user-agent": "drydock", ...headers, ...range } },
      resolve,
    );
    const late = setTimeout(
      () => request.destroy(new Unreachable(`${url.host} did not answer within ${PATIENCE.first / 1000} s`)),
      PATIENCE.first,
    );
    request.once("response", () => clearTimeout(late));
    request.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      reject(explained(error, url));
    });
  });
  const {
    statusCode: status = 0,
    headers: { location },
  } = response;
  if (status >= 300 && status < 400 && location !== undefined) {
    response.destroy();
    const next = new URL(location, url);
    if (hops === REDIRECTS) throw new Refused(`${address} leads on and on`);
    if (next.protocol !== "https:" && next.protocol !== url.protocol)
      throw new Refused(`${address} leads to ${next.protocol}//${next.host}, which is not https`);
    // A secret is for the host that it was meant for.
    return open(next.href, next.host === url.host ? headers : {}, range, hops + 1);
  }
  if (status === 200 || (status === 206 && range.range !== undefined)) return response;
  response.destroy();
  if (status === 407) throw new Refused(PASSWORD);
  throw status >= 500 ? new Error(`${address} answered ${status}`) : new Refused(`${address} answered ${status}`);
}

function explained(error: NodeJS.ErrnoException, { host }: URL): Error {
  const code = error.code ?? "";
  if (error instanceof Unreachable) return error;
  if (TLS.test(code))
    return new Refused(
      `the certificate of ${host} is not trusted here (${code}); ` +
        "where a proxy puts its own in place: export NODE_EXTRA_CA_CERTS=FILE",
    );
  if (code === "ERR_PROXY_TUNNEL" && /\b407\b/.test(error.message)) return new Refused(PASSWORD);
  if (UNREACHABLE.test(code)) return new Unreachable(`${host} can't be reached (${code})`);
  return new Error(`${host}: ${error.message}`);
}

const PASSWORD =
  "the proxy wants a name and a password (407): export HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT (HTTP_PROXY " +
  "for http)";

/** Destroys a stream that says nothing for a while. */
function watched(response: IncomingMessage, patience: number): Transform {
  const stream = new Transform({
    transform(chunk, _, done) {
      late.refresh();
      done(null, chunk);
    },
    flush(done) {
      clearTimeout(late);
      done();
    },
  });
  const late = setTimeout(() => stream.destroy(new Error(`nothing came for ${patience / 1000} s`)), patience);
  stream.once("close", () => {
    clearTimeout(late);
    response.destroy();
  });
  return stream;
}

/** A short text; nothing longer than a megabyte is read. @throws Unreachable, Error */
export async function readText(url: string, headers: Headers = {}): Promise<string> {
  const chunks: Buffer[] = [];
  const response = await open(url, headers);
  for await (const chunk of response.pipe(watched(response, PATIENCE.later)) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (chunks.reduce((sum, { length }) => sum + length, 0) > 1 << 20)
      throw new Error(`${url} answers more than a megabyte`);
  }
  return Buffer.concat(chunks).toString();
}

export interface Wanted {
  /** The same file in several places, the first one first. */
  readonly urls: readonly string[];
  /** In lower-case hex. */
  readonly sha256: string;
  readonly target: string;
  readonly log?: ((line: string) => void) | undefined;
  /** How long a server may be silent once it has started, in ms. @default 30 s */
  readonly patience?: number;
}

/**
 * Fetches a file and compares it with its checksum. What breaks off is gone on with where the server can, else started
 * again; what one server does not have is asked of the next.
 * @throws WrongChecksum, NoRoom, Unreachable, Error; then there is no file at `target`
 */
export async function download({ urls, sha256, target, log, patience = PATIENCE.later }: Wanted): Promise<void> {
  let last: Error = new Error("no address is known");
  try {
    for (const url of urls) {
      const part: Part = {};
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        try {
          await fetchOnce(url, target, part, log, patience);
          return await compare(url, target, sha256);
        } catch (error) {
          last = error as Error;
          if (last instanceof WrongChecksum || last instanceof NoRoom) throw last;
          if (last instanceof Refused || last instanceof Unreachable) break;
          if (attempt < ATTEMPTS) log?.(`${last.message}; trying again`);
          await sleep(200 * attempt);
        }
      }
      if (url !== urls.at(-1)) log?.(last.message);
    }
    throw last;
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  }
}

/** What of a file is at its target: by this the server knows whether its own is still the same one. */
interface Part {
  mark?: string | undefined;
}

/** Goes on with what is at `target` if it is a part of this, else begins anew. */
async function fetchOnce(url: string, target: string, part: Part, log: Wanted["log"], patience: number): Promise<void> {
  const there = part.mark === undefined ? 0 : (statSync(target, { throwIfNoEntry: false })?.size ?? 0);
  const range: Headers =
    part.mark === undefined || there === 0 ? {} : { range: `bytes=${there}-`, "if-range": part.mark };
  const response = await open(url, {}, range);
  const { etag, "content-length": length, "content-range": answered } = response.headers;
  const goesOn = response.statusCode === 206 && answered?.startsWith(`bytes ${there}-`) === true;
  if (response.statusCode === 206 && !goesOn) {
    response.destroy();
    part.mark = undefined;
    throw new Error(`${url} answered with another part than was asked for (${answered ?? "no Content-Range"})`);
  }
  // A weak one may be the same for files that differ.
  part.mark = etag?.startsWith('"') === true ? etag : undefined;
  let arrived = goesOn ? there : 0;
  const total = arrived + Number(length ?? Number.NaN);
  let said = Date.now();
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      arrived += chunk.length;
      if (Date.now() - said > SAYING) {
        said = Date.now();
        log?.(
          `${megabytes(arrived)}${Number.isNaN(total) ? "" : ` of ${megabytes(total)}`} MB of ${url.split("/").at(-1)}`,
        );
      }
      done(null, chunk);
    },
  });
  try {
    const file = createWriteStream(target, { flags: goesOn ? "a" : "w" });
    await pipeline(response, watched(response, patience), counted, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw new NoRoom(dirname(target));
    throw new Error(`the download from ${url} broke off after ${megabytes(arrived)} MB (${(error as Error).message})`);
  }
  // A proxy that ends a download early may do it in good order.
  if (!Number.isNaN(total) && arrived !== total)
    throw new Error(`the download from ${url} broke off after ${arrived} of ${total} bytes`);
}

/** @throws WrongChecksum */
async function compare(url: string, file: string, sha256: string): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const found = hash.digest("hex");
  if (found !== sha256)
    throw new WrongChecksum(
      `${url} is not what was published: its SHA-256 is ${found}, expected ${sha256}. Nothing of it was unpacked`,
    );
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
