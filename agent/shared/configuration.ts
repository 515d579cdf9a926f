import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { type Configuration, configurationSchema, SECRETS } from "../../contracts/agent.ts";
import { AgentError, messageOf } from "./errors.ts";

const RUN = "/run/drydock";

export const secretFile = (name: keyof typeof SECRETS): string => join(RUN, SECRETS[name]);

/** @throws AgentError where the settings can't be read */
export function readConfiguration(): Configuration {
  try {
    return configurationSchema.parse(JSON.parse(readFileSync(join(RUN, "backup.json"), "utf8")));
  } catch (error) {
    throw new AgentError(`the settings in ${RUN}/backup.json can't be read: ${messageOf(error)}`, {
      remedy: "./drydock up --replace backup-agent",
    });
  }
}

/** A secret without its last line break; undefined where there is none. */
export function readSecret(name: keyof typeof SECRETS): string | undefined {
  try {
    return readFileSync(secretFile(name), "utf8").replace(/\n$/, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new AgentError(`the secret ${secretFile(name)} can't be read: ${messageOf(error)}`);
  }
}

/** @throws AgentError where it is missing */
export function requireSecret(name: keyof typeof SECRETS): string {
  const value = readSecret(name);
  if (value === undefined || value === "")
    throw new AgentError(`the secret ${secretFile(name)} is missing`, {
      remedy: "./drydock up --replace backup-agent",
    });
  return value;
}

/** Connection of a client, from its option file. */
export function databaseAccount() {
  const value = (name: string): string =>
    new RegExp(`^${name}="?(.*?)"?$`, "m").exec(requireSecret("database"))?.[1] ?? "";
  const ca = value("ssl-ca");
  return {
    host: value("host"),
    port: Number(value("port")),
    user: value("user"),
    password: value("password"),
    // An address is checked by the tools that dump, not by this client. Without a file the stack's own server is meant,
    // which is reached by the stack's own network.
    ...(ca === ""
      ? {}
      : { ssl: { ca: readFileSync(ca, "utf8"), rejectUnauthorized: true, verifyIdentity: isIP(value("host")) === 0 } }),
  };
}

/** Every secret, to be taken out of what is printed. */
export function knownSecrets(): readonly string[] {
  return (Object.keys(SECRETS) as (keyof typeof SECRETS)[])
    .flatMap((name) => {
      if (name === "database") return [databaseAccount().password];
      const value = readSecret(name);
      if (value === undefined) return [];
      return name === "s3" ? [...value.matchAll(/^aws_secret_access_key=(.*)$/gm)].map(([, key]) => key!) : [value];
    })
    .filter((value) => value.length > 3);
}
