import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getProject, getStack, log, runtime } from "@pulumi/pulumi";
import { type EdgeSettings, parseEdge } from "./edge.ts";
import { encryptedIn, type IsEncrypted } from "./encrypted.ts";
import { describeProblem } from "./problems.ts";
import { type Configuration, parseConfiguration } from "./settings.ts";

/**
 * Reads the configuration of the running Pulumi program, and says what is possible in it but hardly meant. Secrets
 * arrive in plain text here: whoever passes one on to a resource wraps it with `pulumi.secret`.
 *
 * @throws SettingsError with everything that is wrong
 */
export function loadConfiguration(): Configuration {
  const { raw, isEncrypted } = configurationOf();
  const configuration = parseConfiguration(raw, getStack(), isEncrypted);
  for (const warning of configuration.warnings) void log.warn(describeProblem(warning));
  return configuration;
}

/** Reads the configuration of the running Pulumi program, where it is that of an edge. @throws SettingsError */
export function loadEdge(): EdgeSettings {
  const { raw, isEncrypted } = configurationOf();
  return parseEdge(raw, getStack(), isEncrypted);
}

function configurationOf(): { readonly raw: Record<string, unknown>; readonly isEncrypted: IsEncrypted } {
  const prefix = `${getProject()}:`;
  const all = Object.entries(runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  const raw = Object.fromEntries(all.map(([key, value]) => [key.slice(prefix.length), value]));
  const isEncrypted = encryptedIn({
    file: stackFile(getStack()),
    keys: encryptedKeys(),
    project: getProject(),
    values: Object.fromEntries(all.map(read(prefix))),
  });
  return { raw, isEncrypted };
}

/** Each group arrives as JSON. */
const read =
  (prefix: string) =>
  ([key, value]: [string, string]): [string, unknown] => {
    try {
      return [key.slice(prefix.length), JSON.parse(value)];
    } catch {
      return [key.slice(prefix.length), value];
    }
  };

/** The stack's file in the folder where the program runs: Pulumi starts it in the project's. */
function stackFile(stack: string): string | undefined {
  const file = join(process.cwd(), `Pulumi.${stack}.yaml`);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/** The keys with something encrypted, as the engine tells the program; undefined where no engine runs it. */
function encryptedKeys(): readonly string[] | undefined {
  const keys = process.env["PULUMI_CONFIG_SECRET_KEYS"];
  return keys === undefined ? undefined : (JSON.parse(keys) as string[]);
}
