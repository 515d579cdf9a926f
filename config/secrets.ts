import { catalogue } from "./environment.ts";
import { at } from "./walk.ts";

/** The settings that are secret; the variables' own word is in the catalogue. */
export const SECRET_SETTINGS: readonly (readonly string[])[] = [
  ["docker", "registry", "password"],
  ["database", "rootPassword"],
  ["backup", "key"],
  ["backup", "databasePassword"],
  ["backup", "token"],
  ["backup", "alarms", "email", "password"],
  ["backup", "alarms", "webhook"],
  ["backup", "alarms", "heartbeat"],
  ["backup", "s3", "secretAccessKey"],
];

const plain = new Set(catalogue.filter(({ secret }) => !secret).map(({ name }) => name));

/** All values that no message may hold, not even inside another value: the user's own variables are secrets as well. */
export function secretValues(env: Readonly<Record<string, string>>, settings: unknown): string[] {
  const variables = Object.entries(env)
    .filter(([name]) => !plain.has(name))
    .map(([, value]) => value);
  const others = SECRET_SETTINGS.map((path) => at(settings, path));
  return [...variables, ...others.filter((value) => typeof value === "string")];
}
