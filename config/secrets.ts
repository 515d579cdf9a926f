import { catalogue } from "./environment.ts";
import { at } from "./walk.ts";

const plain = new Set(catalogue.filter(({ secret }) => !secret).map(({ name }) => name));

/** All values that no message may hold, not even inside another value: the user's own variables are secrets as well. */
export function secretValues(env: Readonly<Record<string, string>>, settings: unknown): string[] {
  const variables = Object.entries(env).filter(([name]) => !plain.has(name)).map(([, value]) => value);
  const others = [at(settings, ["database", "rootPassword"]), at(settings, ["docker", "registry", "password"])];
  return [...variables, ...others.filter((value) => typeof value === "string")];
}
