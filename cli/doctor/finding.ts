import { RETRIES } from "../../config/capacity.ts";
import { isLasting } from "../../config/roles.ts";
import { defined } from "../../lib/defined.ts";
import { select } from "../shared/project.ts";
import type { ContainerFacts, Facts, LaravelFacts, Verdict } from "./facts.ts";

/** What was seen of one thing, and what fixes it. */
export interface Finding {
  readonly verdict: Exclude<Verdict, "fine">;
  readonly what: string;
  readonly remedy?: string;
}

export const broken = (what: string, remedy?: string): Finding => ({ verdict: "broken", what, ...defined({ remedy }) });
export const unknown = (what: string, remedy?: string): Finding => ({
  verdict: "unknown",
  what,
  ...defined({ remedy }),
});

export const up = ({ stack }: Facts): string => `./drydock up${select(stack)}`;
/** A successor is made and proven before it goes: no request fails. */
export const replace = (facts: Facts, name: string): string => `${up(facts)} --replace ${name}`;
export const list = (names: readonly string[]): string => names.join(", ");
export const inRedis = (container: string, command: string): string =>
  `docker exec ${container} sh /run/drydock/redis-cli.sh ${command}`;

const laravel = (facts: Facts): readonly ContainerFacts[] => facts.containers.filter(({ role }) => isLasting(role));

/** Asks the same of each Laravel container that could be asked; of those that couldn't, nothing is claimed. */
export function each(
  facts: Facts,
  ask: (one: ContainerFacts, facts: LaravelFacts, process: string) => readonly (Finding | false | undefined | null)[],
): Finding[] {
  return laravel(facts).flatMap((one) => {
    if (one.laravel === undefined) return [unknown(`${one.name} is ${one.state}`, up(facts))];
    if ("silent" in one.laravel)
      return [
        unknown(
          `${one.name} can't be asked: ${one.laravel.silent}`,
          `./drydock logs ${one.role}${select(facts.stack)}`,
        ),
      ];
    const { cli, fpm } = one.laravel;
    const found = [...ask(one, cli, one.name), ...(fpm === undefined ? [] : ask(one, fpm, `${one.name} (PHP-FPM)`))];
    return found.filter((finding): finding is Finding => Boolean(finding));
  });
}

export const fpmSilent = ({ laravel }: ContainerFacts): string | undefined =>
  laravel !== undefined && "cli" in laravel ? laravel.fpmSilent : undefined;

/** Of Laravel's own queues the number is a variable; of others it is in their configuration. */
export function retryRemedy(stack: string, connection: string, longestJob: number): string {
  const name = RETRIES[connection];
  return name === undefined
    ? `set retry_after of ${connection} in config/queue.php above ${longestJob}`
    : `eval "$(./drydock env)" && pulumi config set -s ${stack} --path drydock:env.${name} ${longestJob + 30}\n` +
        `./drydock up${select(stack)}`;
}

/**
 * A check: the number in docs/incidents.md where it is one of the known issues, its name, what is fine, and what is
 * not.
 */
export type Rule = readonly [
  issue: number | null,
  id: string,
  title: string,
  judge: (facts: Facts) => readonly Finding[],
];
