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
  const config = contentOf(file);
  return ([group = "", ...rest]) => {
    const engine = keys === undefined || keys.includes(`${project}:${group}`) ? undefined : false;
    let node = config?.[`${project}:${group}`];
    let value = values[group];
    for (const key of rest) {
      if (isSecure(node)) return true;
      [node, value] = [at(node, [key]), at(value, [key])];
    }
    if (isSecure(node)) return true;
    if (node === undefined || (typeof value === "object" ? typeof node !== "object" : String(node) !== String(value)))
      return engine;
    return false;
  };
}

function contentOf(file: string | undefined): Record<string, unknown> | undefined {
  try {
    const content = file === undefined ? undefined : (parse(file) as { config?: unknown } | null)?.config;
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
