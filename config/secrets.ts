import { at } from "../lib/paths.ts";
import { VARIABLES } from "./environment.ts";

/** The settings that are secret; what the variables say is in environment.ts. */
const SECRET_SETTINGS: readonly (readonly string[])[] = [
  ["docker", "registry", "password"],
  ["database", "rootPassword"],
  ["backup", "key"],
  ["backup", "databasePassword"],
  ["backup", "token"],
  ["backup", "alarms", "email", "password"],
  ["backup", "alarms", "webhook"],
  ["backup", "alarms", "heartbeat"],
  ["alarms", "email", "password"],
  ["alarms", "webhook"],
  ["alarms", "heartbeat"],
  ["alarms", "slack"],
  ["alarms", "discord"],
  ["alarms", "telegram", "token"],
  ["monitoring", "heartbeat"],
  ["backup", "s3", "secretAccessKey"],
  ["edge", "eab", "hmac"],
  ["edge", "alarms", "email", "password"],
  ["edge", "alarms", "webhook"],
];

/** The paths of all secret settings that these settings may have: those whose names are the user's own, too. */
export function secretPaths(settings: unknown): readonly (readonly (string | number)[])[] {
  const below = (...path: (string | number)[]) =>
    Object.keys((at(settings, path) as object | undefined) ?? {}).map((name) => [...path, name]);
  const domains = at(settings, ["domains"]);
  return [
    ...SECRET_SETTINGS,
    ...below("edge", "dns", "variables"),
    ...(Array.isArray(domains) ? domains : []).flatMap((_, index) => [
      ["domains", index, "certificate", "key"],
      ...below("domains", index, "access", "users"),
      ...below("domains", index, "paths").flatMap((path) => below(...path, "users")),
    ]),
  ];
}

const plain = new Set(VARIABLES.filter(({ secret }) => !secret).map(({ name }) => name));

/** All values that no message may hold, not even inside another value: the user's own variables are secrets as well. */
export function secretValues(env: Readonly<Record<string, string>>, settings: unknown): string[] {
  const variables = Object.entries(env)
    .filter(([name]) => !plain.has(name))
    .map(([, value]) => value);
  const others = secretPaths(settings).map((path) => at(settings, path));
  return [...variables, ...others.filter((value) => typeof value === "string")];
}
