/** How careful Drydock has to be; the rules for images, debugging and addresses depend on it. */
export type Stage = "local" | "staging" | "production";

export const stages: readonly Stage[] = ["local", "staging", "production"];

/**
 * Whole words of a name: `shop-prod` and `prod-eu` are production, `product` is not; `pre-prod` and `non-prod` are not
 * either.
 */
const PRODUCTION = /(?<!(^|[-_.])(pre|non|not|no)[-_.])(?<![a-z0-9])(prod|production|live)\d*(?![a-z0-9])/;
const STAGING = new RegExp(
  "(?<![a-z0-9])(staging|stage|preprod|production|prod|live|dev|develop|development|test|testing|" +
    String.raw`ci|e2e|qa|uat|sandbox|demo|preview|review|pr|feature)\d*(?![a-z0-9])`,
);

/**
 * The stage of a stack, for the settings, the guard, the policy pack and `destroy` alike: production where the stack's
 * name or APP_ENV promises it, else what APP_ENV says in one of the three words, else what the name says, else what
 * APP_ENV means. Names that say nothing mean production, where the rules are strictest.
 */
export function stageOf(stack: string, appEnv = ""): Stage {
  const [byName, byEnv] = [stageByName(stack), stageByName(appEnv)];
  if (byName === "production" || byEnv === "production") return "production";
  return stages.find((stage) => stage === appEnv.trim().toLowerCase()) ?? byName ?? byEnv ?? "production";
}

/** The stage that a name promises, if it does: a stack's, or what APP_ENV holds. */
export function stageByName(name: string): Stage | undefined {
  // Pulumi may give the fully qualified name: organization/project/stack.
  const own = name
    .slice(name.lastIndexOf("/") + 1)
    .trim()
    .toLowerCase();
  // Only the word itself is local: `local-news` is somebody's site.
  if (own === "local") return own;
  if (PRODUCTION.test(own)) return "production";
  return STAGING.test(own) ? "staging" : undefined;
}
