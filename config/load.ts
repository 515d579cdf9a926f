import { getProject, getStack, runtime } from "@pulumi/pulumi";
import { parseConfiguration, type Configuration } from "./settings.ts";

/**
 * Reads the configuration of the running Pulumi program. Secrets arrive in plain text here: whoever passes one on to
 * a resource wraps it with `pulumi.secret`.
 *
 * @throws SettingsError with everything that is wrong
 */
export function loadConfiguration(): Configuration {
  const prefix = `${getProject()}:`;
  const keys = Object.keys(runtime.allConfig()).filter((key) => key.startsWith(prefix));
  const name = (key: string) => key.slice(prefix.length);
  const raw = Object.fromEntries(keys.map((key) => [name(key), runtime.allConfig()[key]]));
  return parseConfiguration(raw, getStack(), keys.filter((key) => encryptedKeys()?.includes(key) === false).map(name));
}

/** The keys with something encrypted, as the engine tells the program; undefined where no engine runs it. */
function encryptedKeys(): readonly string[] | undefined {
  const keys = process.env["PULUMI_CONFIG_SECRET_KEYS"];
  return keys === undefined ? undefined : (JSON.parse(keys) as string[]);
}
