import type { Environment } from "./resolve.ts";

// phpdotenv reads these after a backslash in double quotes; `$` would begin the name of another variable.
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  $: "\\$",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\v": "\\v",
};

/**
 * Laravel's `.env` file with all variables: every value in double quotes, in one line, so that vlucas/phpdotenv reads
 * back exactly what was given, whatever it holds (quotes, `$`, `#`, backslashes, line breaks).
 */
export function dotenv(environment: Environment, extra: Readonly<Record<string, string>> = {}): string {
  const variables = { ...environment.plain, ...environment.secret, ...extra };
  return Object.entries(variables)
    .map(([name, value]) => `${name}="${value.replace(/["\\$\n\r\t\f\v]/g, (character) => escapes[character]!)}"\n`)
    .join("");
}
