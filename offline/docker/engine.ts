import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type Docker from "dockerode";
import type { Schema } from "../plugin/schema.ts";
import { any, list, object, required, str } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";

export const configSchema: Schema = {
  host: str,
  registryAuth: list(object({ address: required(str), username: str, password: str })),
  disableDockerDaemonCheck: any, // nothing is ever checked before it is needed
};

interface Registry {
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
}

let config: { host: string; registries: Registry[] } = { host: "unix:///var/run/docker.sock", registries: [] };
let connection: Promise<Docker> | undefined;

export function configure(values: Values): void {
  config = {
    host:
      (values.host as string | undefined) ??
      (process.env.DOCKER_HOST ? process.env.DOCKER_HOST : "unix:///var/run/docker.sock"),
    registries: (values.registryAuth as unknown as Registry[] | undefined) ?? [],
  };
  connection = undefined;
}

/**
 * The Docker engine of the provider's settings. Nothing is loaded or connected before the first use: a preview needs
 * neither.
 */
export function docker(): Promise<Docker> {
  connection ??= connect(config.host);
  return connection;
}

async function connect(address: string): Promise<Docker> {
  const { default: Dockerode } = await import("dockerode");
  if (address.startsWith("unix://")) return new Dockerode({ socketPath: address.slice("unix://".length) });
  if (address.startsWith("ssh://")) return new Dockerode({ socketPath: await connected(address) });
  const { protocol, hostname, port } = new URL(address);
  if (protocol === "tcp:") {
    const at = { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? 2375 : Number(port) };
    return new Dockerode(
      process.env.DOCKER_TLS_VERIFY ? { ...at, protocol: "https", ...certificates() } : { ...at, protocol: "http" },
    );
  }
  throw new Error(`Docker host "${address}": expected unix://, ssh:// or tcp://`);
}

/** Where the docker client has them. */
function certificates(): { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } {
  const folder = process.env.DOCKER_CERT_PATH ?? join(homedir(), ".docker");
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => readFileSync(join(folder, name))) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  return { ca, cert, key };
}

/**
 * The socket that leads to a host over ssh, through the connection that all share (see cli/host/bin). @throws Error
 * that says what is in its way
 */
function connected(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("drydock-connection", ["open", address, String(process.pid), "yes"], (error, stdout, stderr) => {
      if (error === null) resolve(stdout.split("\n")[0]!);
      else if (error.code === "ENOENT")
        reject(
          new Error('drydock-connection, which reaches Docker hosts over ssh, is not on PATH: eval "$(./drydock env)"'),
        );
      else reject(new Error(stderr.trim()));
    });
  });
}

/** A failed request in words: what Docker said, or that it isn't there and what to do. */
export function explain(error: unknown): Error {
  const { code, message, reason, json, statusCode } = error as {
    code?: string;
    message?: string;
    reason?: string;
    json?: { message?: string };
    statusCode?: number;
  };
  if (config.host.startsWith("ssh://") && ["ECONNRESET", "EPIPE", "ECONNREFUSED", "ENOENT"].includes(code ?? "")) {
    // The next call opens it anew.
    connection = undefined;
    return new Error(`the connection to ${config.host} broke (${code})`);
  }
  if (
    code === "ECONNREFUSED" ||
    code === "ENOENT" ||
    code === "EACCES" ||
    code === "ENOTFOUND" ||
    code === "ETIMEDOUT"
  ) {
    return new Error(
      `Docker does not answer at ${config.host} (${code}). Start it (systemctl start docker, ` +
        "or ./drydock up for the local stack), or name another: pulumi config set docker:host ssh://user@host",
    );
  }
  return statusCode === undefined
    ? (error as Error)
    : new Refused(json?.message ?? reason ?? message ?? `Docker answered with status ${statusCode}`);
}

/** Docker has answered, and said no: nothing was done. After any other error it may have been. */
export class Refused extends Error {}

/** Calls Docker, with its errors in words; a 404 is undefined. */
export async function ask<T>(request: (docker: Docker) => Promise<T>): Promise<T | undefined> {
  try {
    return await request(await docker());
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw explain(error);
  }
}

/** Calls Docker, with its errors in words. */
export async function tell<T>(request: (docker: Docker) => Promise<T>): Promise<T> {
  try {
    return await request(await docker());
  } catch (error) {
    throw explain(error);
  }
}

/** Reads the events of a pull, a push or a build to the end. @throws Error what an event says went wrong */
export async function follow(
  stream: unknown,
  event: (event: { stream?: string; id?: string; status?: string; progress?: string }) => void,
): Promise<void> {
  for await (const line of createInterface({ input: stream as NodeJS.ReadableStream, crlfDelay: Infinity })) {
    if (line.trim() === "") continue;
    const said = JSON.parse(line) as Parameters<typeof event>[0] & { error?: string };
    if (said.error !== undefined) throw new Error(said.error);
    event(said);
  }
}

/** What a registry wants to know before it gives an image: from the provider's settings, or from `docker login`. */
export function authFor(image: string): Docker.AuthConfig | undefined {
  const first = image.split("/")[0]!;
  const address = image.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io";
  const bare = (text: string): string =>
    text
      .replace(/^https?:\/\//, "")
      .replace(/\/.*$/, "")
      .replace(/^(index|registry-1|registry\.hub)\.docker\.(io|com)$/, "docker.io");
  const own = config.registries.find((registry) => bare(registry.address) === address);
  if (own?.username && own.password)
    return { username: own.username, password: own.password, serveraddress: own.address };
  try {
    const file = JSON.parse(
      readFileSync(join(process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "config.json"), "utf8"),
    ) as { auths?: Record<string, { auth?: string }> };
    const [server, entry] = Object.entries(file.auths ?? {}).find(([key]) => bare(key) === address) ?? [];
    if (!server || !entry?.auth) return undefined;
    const text = Buffer.from(entry.auth, "base64").toString();
    return {
      username: text.slice(0, text.indexOf(":")),
      password: text.slice(text.indexOf(":") + 1),
      serveraddress: server,
    };
  } catch {
    return undefined; // nobody has logged in here
  }
}
