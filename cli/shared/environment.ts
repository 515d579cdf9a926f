import { quote } from "../../lib/shell.ts";
import type { Paths } from "./project.ts";

/** Variables for Pulumi's own CLI. */
export type Variables = Readonly<Record<string, string>>;

/**
 * Pulumi else writes a note beside each file of the state, in place: one that it left empty when it was killed keeps it
 * from ever reading that state again.
 */
const WITHOUT_NOTES = "?metadata=skip";

/**
 * Where the state is and what opens its secrets, in this clone: only where the user has not said so himself.
 * Both ways of giving a passphrase count as his. What another clone's `env` has exported doesn't: its state is not this
 * one's.
 */
export function stateVariables(paths: Paths, env: NodeJS.ProcessEnv = process.env): Variables {
  const own: Record<string, string> = {};
  if (env.PULUMI_BACKEND_URL === undefined || /\/\.drydock\/state(\?|$)/.test(env.PULUMI_BACKEND_URL)) {
    own.PULUMI_BACKEND_URL = `file://${encodeURI(paths.state)}${WITHOUT_NOTES}`;
  }
  const generated =
    env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined ||
    env.PULUMI_CONFIG_PASSPHRASE_FILE.endsWith("/.drydock/passphrase");
  if (env.PULUMI_CONFIG_PASSPHRASE === undefined && generated) own.PULUMI_CONFIG_PASSPHRASE_FILE = paths.passphrase;
  return own;
}

/**
 * So many operations at once: they wait for the Docker host, and Pulumi's own number is made of this machine's
 * processors. app.startTogether limits the replicas.
 */
const AT_ONCE = "64";

/** How Pulumi works: only where the user has not said so himself. */
export function engineVariables(env: NodeJS.ProcessEnv = process.env): Variables {
  const own: Record<string, string> = {
    PULUMI_PARALLEL: AT_ONCE,
    // Plugins are got when one is first asked for. Else Pulumi gets those of all packages in node_modules before
    // anything, AWS's too, several hundred MB that a stack without a bucket never uses; offline it tries for seconds,
    // each time.
    PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL: "true",
  };
  return Object.fromEntries(Object.entries(own).filter(([name]) => env[name] === undefined));
}

/** True where the state is this clone's own: then its locks and checkpoints can be looked at. */
function ownsState(variables: NodeJS.ProcessEnv): boolean {
  return variables.PULUMI_BACKEND_URL?.startsWith("file://") === true;
}

/** The folder of a file backend, with its query and escapes removed. */
export function stateFolder(variables: NodeJS.ProcessEnv): string | undefined {
  if (!ownsState(variables)) return undefined;
  const path = decodeURI((variables.PULUMI_BACKEND_URL ?? "").slice("file://".length).replace(/\?.*$/, ""));
  return path.startsWith("~") ? `${process.env.HOME ?? ""}${path.slice(1)}` : path;
}

/** What `eval "$(./drydock env)"` evaluates. */
export function exportLines(variables: Variables): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");
}
