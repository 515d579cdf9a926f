import { factsIn, type Facts } from "../config/facts.ts";

/**
 * What Drydock's settings say, out of the stack's configuration, which the engine gives to a policy pack as it gives it to a program: so
 * the rules know uid, port and path without being told, under plain `pulumi preview --policy-pack policies` as well.
 * @returns nothing for another program, or an engine that doesn't tell
 */
export function factsOfStack(env: Readonly<Record<string, string | undefined>>): Facts | undefined {
  const { PULUMI_CONFIG: text, PULUMI_PROJECT, PULUMI_NODEJS_PROJECT, PULUMI_STACK, PULUMI_NODEJS_STACK } = env;
  const [project, stack] = [PULUMI_PROJECT ?? PULUMI_NODEJS_PROJECT, PULUMI_STACK ?? PULUMI_NODEJS_STACK];
  if (text === undefined || project === undefined || stack === undefined) return undefined;
  const config = JSON.parse(text) as Readonly<Record<string, unknown>>;
  return factsIn(ownKeys(config, project), stack);
}

/** The keys of a configuration below a project's name, without it. */
export function ownKeys(config: Readonly<Record<string, unknown>>, project: string): Record<string, unknown> {
  const prefix = `${project}:`;
  return Object.fromEntries(Object.entries(config).filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]));
}
