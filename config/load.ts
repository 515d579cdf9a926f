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
  const own = Object.entries(runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  return parseConfiguration(Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value])), getStack());
}
