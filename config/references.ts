// `${NAME}` in a variable's value, as vlucas/phpdotenv reads it in double quotes: Laravel's own `.env.example` says
// MAIL_FROM_NAME="${APP_NAME}". It stands for the other's value, `\${NAME}` for these characters themselves.

const REFERENCE = /(\\?)\$\{([\w.]+)\}/g;

/** What compose, Docker and shells know and phpdotenv does not: it would be in the value as it stands. */
const FOREIGN = /(?<!\\)\$\{[\w.]+:?[-+?]/;

/** A value with all others in it that it names. */
export interface Expanded {
  readonly value: string;
  /** Names whose values are in it, those of others' references too. */
  readonly names: ReadonlySet<string>;
}

/** Why a value can't be expanded. */
export type Unexpandable =
  | { readonly missing: string }
  | { readonly circle: readonly string[] }
  | { readonly foreign: string };

/**
 * Expands each value. The order of the variables does not matter, as it would in a file.
 * @param fallback the value of a variable that is not set, if it has a default
 */
export function expandAll(
  env: Readonly<Record<string, string>>,
  fallback: (name: string) => string | undefined,
): ReadonlyMap<string, Expanded | Unexpandable> {
  const done = new Map<string, Expanded | Unexpandable>();
  const expand = (name: string, path: readonly string[]): Expanded | Unexpandable => {
    const before = done.get(name);
    if (before !== undefined) return before;
    if (path.includes(name)) return { circle: [...path.slice(path.indexOf(name)), name] };
    const raw = Object.hasOwn(env, name) ? env[name] : fallback(name);
    if (raw === undefined) return { missing: name };
    const result = within(raw, (other) => expand(other, [...path, name]));
    // A circle looks different from each of its members.
    if (!("circle" in result) || path.length === 0) done.set(name, result);
    return result;
  };
  return new Map(Object.keys(env).map((name) => [name, expand(name, [])]));
}

function within(raw: string, expand: (name: string) => Expanded | Unexpandable): Expanded | Unexpandable {
  const names = new Set<string>();
  let failed: Unexpandable | undefined;
  const foreign = FOREIGN.exec(raw)?.[0];
  if (foreign !== undefined) return { foreign: `${foreign}…}` };
  const value = raw.replace(REFERENCE, (text, escape: string, name: string) => {
    if (escape !== "") return text.slice(1);
    const other = expand(name);
    if (!("value" in other)) {
      // What another one can't have is its own problem.
      failed ??= "missing" in other || "circle" in other ? other : undefined;
      return "value" in other ? "" : text;
    }
    names.add(name);
    for (const inner of other.names) names.add(inner);
    return other.value;
  });
  return failed ?? { value, names };
}
