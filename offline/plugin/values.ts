/** Values as the engine sends them, without protobuf: plain JSON, with secrets remembered by their path. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Values = { [key: string]: Value };

/** What the engine sends in place of a value that a preview can't know yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Properties of one resource. `secrets` holds the paths of secret values, as joined by `at`. */
export interface Properties {
  readonly values: Values;
  readonly secrets: ReadonlySet<string>;
}

const at = (path: string, key: string | number): string => `${path}\u0000${key}`;
/** The path of a whole top-level property. */
export const top = (key: string): string => at("", key);

export function decode(wire: unknown): Properties {
  const secrets = new Set<string>();
  const walk = (value: any, path: string): Value => {
    if (Array.isArray(value)) return value.map((item, i) => walk(item, at(path, i)));
    if (typeof value !== "object" || value === null) return value;
    if (value[SIGNATURE] === SECRET) {
      secrets.add(path);
      return walk(value.value, path);
    }
    if (value[SIGNATURE] !== undefined)
      throw new Error(`${path.split("\u0000").join(".")}: assets, archives and resources are not supported here`);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== null && item !== undefined)
        .map(([key, item]) => [key, walk(item, at(path, key))]),
    );
  };
  return { values: walk(wire ?? {}, "") as Values, secrets };
}

export function encode({ values, secrets }: Properties): any {
  const walk = (value: Value | undefined, path: string): any => {
    const plain = Array.isArray(value)
      ? value.map((item, i) => walk(item, at(path, i)))
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .filter(([, item]) => item !== undefined)
              .map(([key, item]) => [key, walk(item, at(path, key))]),
          )
        : (value ?? null);
    return secrets.has(path) ? { [SIGNATURE]: SECRET, value: plain } : plain;
  };
  return walk(values, "");
}

export function hasUnknown(value: Value | undefined): boolean {
  if (value === UNKNOWN) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasUnknown);
}

/** The secrets of `from`, and the whole of each property in `keys` that has a secret anywhere inside. */
export function widenSecrets(from: ReadonlySet<string>, keys: readonly string[]): Set<string> {
  const wide = keys
    .map(top)
    .filter((path) => [...from].some((secret) => secret === path || secret.startsWith(`${path}\u0000`)));
  return new Set([...from, ...wide]);
}

/**
 * Takes the secrets out of a text that a program or container has printed. A secret of several lines (an .env file) is
 * looked for line by line, and without the name before the first "=". Parts shorter than 8 characters are left: they
 * would blank out ordinary words.
 */
export function redactor({ values, secrets }: Properties): (text: string) => string {
  const found = new Set<string>();
  const collect = (value: Value | undefined, path: string, secret: boolean): void => {
    const inside = secret || secrets.has(path);
    if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) collect(item, at(path, key), inside);
    } else if (inside && typeof value === "string" && value !== UNKNOWN) {
      for (const line of [value, ...value.split("\n")]) {
        for (const part of [line, line.slice(line.indexOf("=") + 1)]) {
          const bare = part.trim().replace(/^(["'])(.*)\1$/, "$2");
          if (bare.length >= 8) found.add(bare);
        }
      }
    }
  };
  collect(values, "", false);
  const longestFirst = [...found].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, secret) => rest.replaceAll(secret, "[secret]"), text);
}
