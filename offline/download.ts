import { createHash } from "node:crypto";
import { createWriteStream, rmSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https, { type AgentOptions } from "node:https";
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

/** Asks for an address and follows where it leads to, never from https to http. @throws Unreachable, Refused, Error */
async function open(address: string, headers: Readonly<Record<string, string>>, hops = 0): Promise<IncomingMessage> {
  const url = new URL(address);
  const agent = connection(url.protocol);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (url.protocol === "http:" ? http : https).get(
      url,
      { agent, headers: { "user-agent": "drydock", ...headers } },
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
    return open(next.href, next.host === url.host ? headers : {}, hops + 1);
  }
  if (status === 200) return response;
  response.destroy();
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
  if (UNREACHABLE.test(code))
    return new Unreachable(`${host} can't be reached (${code})`);
  return new Error(`${host}: ${error.message}`);
}

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
export async function readText(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
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
  /** How long a server may be silent once it has begun, in ms. @default 30 s */
  readonly patience?: number;
}

/**
 * Fetches a file and compares it with its checksum. What breaks off is tried again, what one server does not have is
 * asked of the next.
 * @throws WrongChecksum, Unreachable, Error; then there is no file at `target`
 */
export async function download({ urls, sha256, target, log, patience = PATIENCE.later }: Wanted): Promise<void> {
  let last: Error = new Error("no address is known");
  for (const url of urls) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        return await fetchOnce(url, sha256, target, log, patience);
      } catch (error) {
        rmSync(target, { force: true });
        last = error as Error;
        if (last instanceof WrongChecksum) throw last;
        if (last instanceof Refused || last instanceof Unreachable) break;
        if (attempt < ATTEMPTS) log?.(`${last.message}; trying again`);
        await sleep(200 * attempt);
      }
    }
    if (url !== urls.at(-1)) log?.(last.message);
  }
  throw last;
}

async function fetchOnce(
  url: string,
  sha256: string,
  target: string,
  log: Wanted["log"],
  patience: number,
): Promise<void> {
  const response = await open(url, {});
  const total = Number(response.headers["content-length"] ?? Number.NaN);
  const hash = createHash("sha256");
  let arrived = 0;
  let said = Date.now();
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
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
    await pipeline(response, watched(response, patience), counted, createWriteStream(target));
  } catch (error) {
    throw new Error(`the download from ${url} broke off after ${megabytes(arrived)} MB (${(error as Error).message})`);
  }
  // A proxy that ends a download early may do it in good order.
  if (!Number.isNaN(total) && arrived !== total)
    throw new Error(`the download from ${url} broke off after ${arrived} of ${total} bytes`);
  const found = hash.digest("hex");
  if (found !== sha256)
    throw new WrongChecksum(
      `${url} is not what was published: its SHA-256 is ${found}, expected ${sha256}. Nothing of it was unpacked`,
    );
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
