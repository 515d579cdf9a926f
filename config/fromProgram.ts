import { log, RunError } from "@pulumi/pulumi";
import { VARIABLES } from "./environment.ts";
import { describeProblem, type Problem, SettingsError } from "./problems.ts";
import { secretPaths } from "./secrets.ts";
import { type Configuration, parseConfiguration } from "./settings.ts";

/** Variables that are secrets by their nature. */
const SECRET_VARIABLES = VARIABLES.filter(({ secret }) => secret).map(({ name }) => ["env", name]);

/**
 * Judges settings that a program gives as values, as `loadConfiguration` does with those of a stack's file.
 *
 * @param component the name of the component, for messages
 * @param isSecret which values the program keeps secret; what is one by its nature becomes one anyway
 * @throws RunError with everything that is wrong
 */
export function configurationOf(
  component: string,
  values: Readonly<Record<string, unknown>>,
  stack: string,
  isSecret: (path: readonly (string | number)[]) => boolean,
): Configuration {
  const secrets = new Set([...secretPaths(values), ...SECRET_VARIABLES].map((path) => path.join(".")));
  // Of what is a secret by its nature nobody can say here where the program has it from.
  const isEncrypted = (path: readonly (string | number)[]) =>
    isSecret(path) || (secrets.has(path.join(".")) ? undefined : false);
  try {
    const configuration = parseConfiguration(values, stack, isEncrypted);
    for (const warning of configuration.warnings) void log.warn(describe(warning));
    return configuration;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const { length } = error.problems;
    const list = error.problems.map((problem) => `  ${describe(problem).replaceAll("\n", "\n  ")}`).join("\n");
    const count = length === 1 ? "one problem" : `${length} problems`;
    throw new RunError(`LaravelStack "${component}" has ${count}, nothing of it was changed:\n${list}`);
  }
}

/** In the program's terms: settings have no namespace there, and no command sets them. */
function describe({ path, message, remedy }: Problem): string {
  const lines = remedy?.split("\n").filter((line) => !/\bpulumi config\b/.test(line)) ?? [];
  const kept = lines.length === 0 ? {} : { remedy: lines.join("\n") };
  return describeProblem({ path, message, ...kept }).replaceAll("drydock:", "");
}
