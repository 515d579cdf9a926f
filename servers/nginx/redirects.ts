import type { Settings } from "../../config/settings.ts";

/** The locations of paths that lead elsewhere: a question after the path goes along, unless the target has its own. */
export function redirecting(redirects: Settings["proxy"]["redirects"]): string[] {
  return Object.entries(redirects).map(
    ([from, { to, status }]) =>
      `location = ${from} { absolute_redirect off; return ${status} ${to}${to.includes("?") ? "" : "$is_args$args"}; }`,
  );
}
