/**
 * Reading property values that may not be known yet.
 *
 * The policy SDK hands over proxies that throw on an unknown value, so one unknown entry of a list would turn a whole
 * rule into a note, even with a clear violation beside it. `plain` walks the value once and leaves an `Unknown` in the
 * place of each value that can't be known.
 */

/** A value that is only known during the update. `path` is where it stands, e.g. `envs[3]`. */
export class Unknown {
  constructor(readonly path: string) {}
}

/** A value, nothing, or not known yet. */
export type Maybe<T> = T | Unknown | undefined;

/** A value with its property path, for messages. */
export interface Field<T> {
  readonly path: string;
  readonly value: Maybe<T>;
}

/** A value that is known, with its property path. */
export interface Item<T> {
  readonly path: string;
  readonly value: T;
}

/** A list read entry by entry: what is known, and the paths of what is not. */
export interface Items<T> {
  readonly known: readonly Item<T>[];
  readonly unknown: readonly string[];
}

export type Plain = Readonly<Record<string, unknown>>;

// Deeper than any resource type; a value that refers to itself stops here.
const DEEPEST = 40;

/**
 * Copies a value without its proxies.
 * @param value properties as the policy SDK, a state file or a program (with outputs) has them
 * @param path property path of `value`, for messages
 */
export function plain(value: unknown, path = "", depth = 0): unknown {
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value ?? undefined;
  if (depth > DEEPEST || isLater(value)) return new Unknown(path);
  if (value instanceof Unknown) return value;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    for (let i = 0; i < value.length; i++) copy.push(entry(value, i, `${path}[${i}]`, depth));
    return copy;
  }
  // No prototype: a property called `constructor` or `__proto__` is only a property.
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value)) copy[key] = entry(value, key, path === "" ? key : `${path}.${key}`, depth);
  return copy;
}

function entry(owner: object, key: string | number, path: string, depth: number): unknown {
  let value: unknown;
  try {
    value = (owner as Record<string | number, unknown>)[key];
  } catch (error) {
    // UnknownValueError is not exported by the SDK; any other error must fail the rule, and so the update.
    if (isUnknownValueError(error)) return new Unknown(path);
    throw error;
  }
  return plain(value, path, depth + 1);
}

function isUnknownValueError(error: unknown): boolean {
  return error instanceof Error && "unknownTypeSentinel" in error;
}

/** How Pulumi marks a secret in an exported state, whose value is only there in encrypted form. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** Outputs, promises and resources of a program, and encrypted secrets of a state: their value can't be read here. */
function isLater(value: object): boolean {
  const probe = value as { __pulumiOutput?: unknown; __pulumiResource?: unknown; ciphertext?: unknown };
  return (
    probe.__pulumiOutput === true ||
    probe.__pulumiResource === true ||
    value instanceof Promise ||
    (SIGNATURE in value && "ciphertext" in value)
  );
}

export function isUnknown(value: unknown): value is Unknown {
  return value instanceof Unknown;
}

/** The object at a path of property names, or nothing. An unknown on the way is returned as such. */
export function propertyAt(props: unknown, ...keys: readonly string[]): unknown {
  let value = props;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || value instanceof Unknown)
      return value instanceof Unknown ? value : undefined;
    value = (value as Plain)[key];
  }
  return value;
}

export function text(value: unknown): Maybe<string> {
  if (typeof value === "string" || value instanceof Unknown) return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

export function num(value: unknown): Maybe<number> {
  if (typeof value === "number" || value instanceof Unknown) return value;
  const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
  return Number.isFinite(parsed) ? parsed : undefined;
}

export function flag(value: unknown): Maybe<boolean> {
  if (typeof value === "boolean" || value instanceof Unknown) return value;
  return value === "true" ? true : value === "false" ? false : undefined;
}

/** Reads a list entry by entry; `read` turns an entry into what the rule needs, or nothing to leave it out. */
export function items<T>(value: unknown, path: string, read: (entry: unknown, path: string) => Maybe<T>): Items<T> {
  if (value instanceof Unknown) return { known: [], unknown: [path] };
  const known: Item<T>[] = [];
  const unknown: string[] = [];
  const entries = Array.isArray(value) ? value : [];
  entries.forEach((entry, i) => {
    const here = `${path}[${i}]`;
    const read_ = entry instanceof Unknown ? entry : read(entry, here);
    if (read_ instanceof Unknown) unknown.push(here);
    else if (read_ !== undefined) known.push({ path: here, value: read_ });
  });
  return { known, unknown };
}

/** The entries of a map, in the form of `items`. */
export function entries(value: unknown, path: string): Items<readonly [key: string, value: unknown]> {
  if (value instanceof Unknown) return { known: [], unknown: [path] };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { known: [], unknown: [] };
  return { known: Object.entries(value).map((pair) => ({ path: `${path}.${pair[0]}`, value: pair })), unknown: [] };
}

export function joined<T>(...lists: readonly Items<T>[]): Items<T> {
  return { known: lists.flatMap((list) => list.known), unknown: lists.flatMap((list) => list.unknown) };
}
