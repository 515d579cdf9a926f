import * as pulumi from "@pulumi/pulumi";

/** Values that a program gave, as they are, and which of them it keeps secret. */
export interface Known {
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether the program has marked the value at a path as a secret, or something that it is part of. */
  isSecret(path: readonly (string | number)[]): boolean;
}

/** What an Output says of itself; the SDK's types leave it out. */
interface Told {
  readonly isKnown: Promise<boolean>;
  readonly isSecret: Promise<boolean>;
  promise(): Promise<unknown>;
}

/**
 * Waits for all Outputs in what a program gave; undefined where a preview can't know one of them yet, such as a
 * password that is only made by the update.
 */
export async function knownValues(given: object): Promise<Known | undefined> {
  const secrets = new Set<string>();
  const keyOf = (path: readonly (string | number)[]) => JSON.stringify(path.map(String));
  let isKnown = true;

  const resolve = async (value: unknown, path: readonly string[]): Promise<unknown> => {
    const one = await value;
    if (pulumi.Output.isInstance(one)) {
      const told = one as unknown as Told;
      const inner = await told.promise();
      if (await told.isSecret) secrets.add(keyOf(path));
      if (!(await told.isKnown)) isKnown = false;
      return (await told.isKnown) ? resolve(inner, path) : undefined;
    }
    if (Array.isArray(one)) return Promise.all(one.map((item, index) => resolve(item, [...path, String(index)])));
    if (typeof one !== "object" || one === null) return one;
    const entries = Object.entries(one).map(async ([key, item]) => [key, await resolve(item, [...path, key])] as const);
    return Object.fromEntries((await Promise.all(entries)).filter(([, item]) => item !== undefined));
  };

  const values = (await resolve(given, [])) as Record<string, unknown>;
  if (!isKnown) return undefined;
  return {
    values,
    isSecret: (path) => path.some((_, index) => secrets.has(keyOf(path.slice(0, index + 1)))) || secrets.has(keyOf([])),
  };
}
