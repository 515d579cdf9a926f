import { catalogue } from "./catalogue.ts";
import { readConfiguration, type StackConfiguration } from "./configuration.ts";
import { checkResource } from "./evaluate.ts";
import { CONTAINER, Resource, SERVICE } from "./helpers/resources.ts";
import type { Role } from "./settings.ts";

export interface GuardContext {
  /** The resource's name in the program. */
  readonly name: string;
  readonly stack: string;
  /** `production` and `staging` are guarded; anything else is the pack's business alone. */
  readonly environment: string;
  readonly role?: Role;
  /** The resource option. Left out, the docker provider deletes a container first. */
  readonly deleteBeforeReplace?: boolean;
  /**
   * The variables of the container's `.env` file in plain text, whose content is a secret output in the arguments. They are read, never
   * kept, and no message holds a value. @default variables in outputs are left undecided
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Which of the two resources the arguments are for. @default "container" */
  readonly kind?: "container" | "service";
  /** Folder of the stacks' policy configurations. @default policies/config */
  readonly configFolder?: string;
}

const GUARDED = ["production", "staging"];
const configurations = new Map<string, StackConfiguration>();

/**
 * Refuses an unsafe container of production or staging before it is registered, so also where `--policy-pack` was forgotten.
 * The same rule functions as in the pack, with the stack's own levels, parameters and exclusions; outputs are undecided and pass.
 * @param args arguments of docker.Container (or docker.Service) as the program has them
 * @throws Error with every mandatory violation: what, why, remedy
 */
export function guardContainer(args: object, context: GuardContext): void {
  if (!GUARDED.includes(context.environment)) return;
  const { name, stack, role, env } = context;
  const configuration = configurationOf(stack, context.configFolder);
  const type = context.kind === "service" ? SERVICE : CONTAINER;
  const resource = new Resource({
    type,
    name,
    urn: `urn:pulumi:${stack}::guard::${type}::${name}`,
    props: role === undefined ? args : withRole(args, configuration.settings.roleLabel, role),
    ...(context.deleteBeforeReplace === undefined ? {} : { deleteBeforeReplace: context.deleteBeforeReplace }),
    ...(env === undefined ? {} : { knownEnv: env }),
  });
  const violations = catalogue.flatMap((rule) => {
    const level = configuration.levelOf(rule);
    if (rule.scope !== "resource" || (level !== "mandatory" && level !== "remediate")) return [];
    return checkResource(rule, resource, configuration.settings, configuration.configOf(rule)).filter(({ kind }) => kind === "violation");
  });
  if (violations.length === 0) return;
  const list = violations.map(({ rule, message }) => `[${rule}] ${message}`).join("\n\n");
  throw new Error(`${name} would be unsafe in ${context.environment}, so it was not created:\n\n${list}\n\nMore on a rule: ./drydock policies explain ${violations[0]!.rule}`);
}

function configurationOf(stack: string, folder: string | undefined): StackConfiguration {
  const key = `${folder ?? ""}\0${stack}`;
  const known = configurations.get(key) ?? readConfiguration(stack, catalogue, folder);
  configurations.set(key, known);
  return known;
}

/** The role counts even if the labels hold an output. */
function withRole(args: object, label: string, role: Role): object {
  return { ...args, labels: [{ label, value: role }] };
}
