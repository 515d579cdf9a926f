import type { Resource } from "./resources.ts";
import { entries, type Items, isUnknown, items, type Maybe, propertyAt, text, Unknown } from "./values.ts";

/** A variable as a container gets it. */
interface Variable {
  readonly key: string;
  readonly value: Maybe<string>;
  /** `plain`: in the container's environment, readable by anyone who may inspect it; `file`: in an uploaded `.env`. */
  readonly from: "plain" | "file";
  readonly path: string;
}

/** All variables of a container. */
export interface Env {
  /** In the order in which they stand, doubles included. */
  readonly variables: readonly Variable[];
  /** Paths of entries whose key is not known yet; while there are any, a key that is not found is undecided. */
  readonly unknown: readonly string[];
  /** The variable that counts: Laravel lets the container's environment win over `.env`, and the last double win. */
  get(key: string): Variable | undefined;
}

/** What is asked of a container (see `Container`) for its variables. */
export interface EnvSource {
  readonly resource: Resource;
  readonly isService: boolean;
  readonly uploads: Items<{ readonly file: Maybe<string>; readonly content: Maybe<string> }>;
  path(container: string, service?: string): string;
  raw(path: string): unknown;
}

/**
 * Reads `envs` of a Container, `env` of a Service, every uploaded `.env`, and what the guard knows beside the
 * properties.
 */
export function readEnv(container: EnvSource): Env {
  const variables: Variable[] = [];
  const unknown: string[] = [];
  const plainPath = container.path("envs", "taskSpec.containerSpec.env");
  const raw = container.raw(plainPath);

  const pairs = items(raw, plainPath, text);
  unknown.push(...pairs.unknown);
  for (const { value, path } of pairs.known) {
    const [key, rest] = split(value);
    variables.push({ key, value: rest, from: "plain", path });
  }
  if (!Array.isArray(raw) && !isUnknown(raw)) {
    for (const {
      value: [key, value],
      path,
    } of entries(raw, plainPath).known)
      variables.push({ key, value: text(value) ?? "", from: "plain", path });
  }

  const known = container.resource.knownEnv;
  if (known !== undefined) {
    for (const [key, value] of Object.entries(known)) variables.push({ key, value, from: "file", path: `env.${key}` });
  }
  // The same file under a second name, which Laravel takes for a stage's own, sets nothing twice.
  const contents = new Set<unknown>();
  for (const file of envFiles(container)) {
    if (contents.has(file.content)) continue;
    contents.add(file.content);
    if (typeof file.content === "string") {
      for (const [key, value] of parseDotenv(file.content))
        variables.push({ key, value, from: "file", path: `${file.path} ${key}` });
    } else if (known === undefined) unknown.push(file.path);
  }

  const winner = new Map<string, Variable>();
  for (const variable of variables) {
    if (variable.from === "plain" || winner.get(variable.key)?.from !== "plain") winner.set(variable.key, variable);
  }
  return { variables, unknown, get: (key) => winner.get(key) };
}

interface EnvFile {
  readonly content: Maybe<string>;
  readonly path: string;
}

/**
 * Uploaded `.env` files, and the `.env` that a service gets as a secret or config, whose content is in another
 * resource.
 */
function envFiles(container: EnvSource): EnvFile[] {
  if (!container.isService) {
    const uploads = container.uploads;
    return [
      ...uploads.known
        .filter(({ value }) => typeof value.file === "string" && isDotenv(value.file))
        .map(({ value, path }) => ({ content: value.content, path: `${path}.content` })),
      ...uploads.unknown.map((path) => ({ content: undefined, path })),
    ];
  }
  return ["secrets", "configs"].flatMap((kind) => {
    const path = `taskSpec.containerSpec.${kind}`;
    const files = items(container.raw(path), path, (entry) => text(propertyAt(entry, "fileName")));
    return [...files.known.filter(({ value }) => isDotenv(value)), ...files.unknown.map((p) => ({ path: p }))].map(
      (file) => ({ content: new Unknown(file.path), path: file.path }),
    );
  });
}

export function isDotenv(file: string): boolean {
  return /(^|[\\/])\.env(\.[\w-]+)?$/.test(file);
}

function split(pair: string): [key: string, value: string] {
  const equals = pair.indexOf("=");
  return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
}

const LINE = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.]*)[ \t]*=[ \t]*("(?:[^"\\]|\\[\s\S])*"|'[^']*'|[^\r\n]*)/gm;

/** Reads dotenv text as Laravel does: quotes, comments, `export`, and `${NAME}` of a variable that stands above. */
export function parseDotenv(content: string): [key: string, value: string][] {
  const above = new Map<string, string>();
  return [...content.matchAll(LINE)].map(([, key = "", raw = ""]) => {
    const value = unquote(raw, above);
    above.set(key, value);
    return [key, value];
  });
}

const ESCAPED = /\\([nrtfv"\\$])|\$\{([\w.]+)\}/g;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f", v: "\v" };

function unquote(raw: string, above: ReadonlyMap<string, string>): string {
  const expanded = (text: string, escapes: boolean) =>
    text.replace(ESCAPED, (whole, escape: string | undefined, name: string | undefined) => {
      if (escape !== undefined) return escapes ? (ESCAPES[escape] ?? escape) : whole;
      // Of a variable that is nowhere, phpdotenv leaves the text.
      return above.get(name!) ?? whole;
    });
  if (raw.startsWith('"') && raw.length > 1) return expanded(raw.slice(1, -1), true);
  if (raw.startsWith("'") && raw.length > 1) return raw.slice(1, -1);
  return expanded(raw.replace(/(^|\s)#.*$/, "").trim(), false);
}

/** What a rule gets when it asks for a key: the variable, its certain absence, or not known yet. */
export type Found =
  | { readonly is: "present"; readonly value: string; readonly path: string }
  | { readonly is: "absent" }
  | { readonly is: "undecided"; readonly path: string };

/** Looks a variable up; an empty one counts as absent, as it does for Laravel's `env()` in practice. */
export function find(env: Env, key: string): Found {
  const variable = env.get(key);
  if (variable !== undefined) {
    if (isUnknown(variable.value)) return { is: "undecided", path: variable.path };
    if (variable.value !== undefined && variable.value !== "")
      return { is: "present", value: variable.value, path: variable.path };
  }
  const [first] = env.unknown;
  return variable === undefined && first !== undefined ? { is: "undecided", path: first } : { is: "absent" };
}

export { isSecretName } from "../../config/secretLike.ts";
