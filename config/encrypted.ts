import { parse } from "yaml";
import { at } from "../lib/paths.ts";

/**
 * Whether the value at this path, such as ["env", "STRIPE_SECRET"], is kept encrypted; undefined where nobody can say.
 */
export type IsEncrypted = (path: readonly string[]) => boolean | undefined;

export interface Kept {
  /** The text of the stack's file, if it is there. */
  readonly file: string | undefined;
  /** The keys with something encrypted in them, as the engine tells the program; undefined where no engine runs it. */
  readonly keys: readonly string[] | undefined;
  readonly project: string;
  /**
   * The configuration itself, by key without the project's name: another file may be in use (`--config-file`, an
   * environment).
   */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Looks into a stack's file for what is encrypted there. Pulumi tells its program only which groups have something
 * encrypted in them: one secret in `drydock:env` would speak for all that stands beside it.
 */
export function encryptedIn({ file, keys, project, values }: Kept): IsEncrypted {
  // Pulumi reads most values as YAML 1.2 has them, and some as 1.1 does: 0123, 1_000, 2026-01-31.
  const [config, earlier] = [contentOf(file, "1.2"), contentOf(file, "1.1")];
  return ([group = "", ...rest]) => {
    const engine = keys === undefined || keys.includes(`${project}:${group}`) ? undefined : false;
    const start = `${project}:${group}`;
    let node = config?.[start];
    let other = earlier?.[start];
    let value = values[group];
    for (const key of rest) {
      if (isSecure(node)) return true;
      [node, other, value] = [at(node, [key]), at(other, [key]), at(value, [key])];
    }
    if (isSecure(node)) return true;
    return node !== undefined && (isSame(node, value) || isSame(other, value)) ? false : engine;
  };
}

/** Whether a value in the file is the one in use. */
function isSame(node: unknown, value: unknown): boolean {
  if (node instanceof Date) return String(value).startsWith(node.toISOString().slice(0, 10));
  return typeof value === "object" ? typeof node === "object" : String(node) === String(value);
}

function contentOf(file: string | undefined, version: "1.1" | "1.2"): Record<string, unknown> | undefined {
  try {
    const content =
      file === undefined ? undefined : (parse(file, { version, merge: true }) as { config?: unknown } | null)?.config;
    return typeof content === "object" && content !== null ? (content as Record<string, unknown>) : undefined;
  } catch {
    // Pulumi has its own words for a file that is no YAML.
    return undefined;
  }
}

/** As Pulumi writes an encrypted value: an object with this one key. */
function isSecure(node: unknown): boolean {
  return (
    typeof node === "object" &&
    node !== null &&
    Object.keys(node).length === 1 &&
    typeof (node as { secure?: unknown }).secure === "string"
  );
}
