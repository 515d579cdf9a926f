import type { Facts } from "../config/facts.ts";
import type { Stage } from "../config/stage.ts";
import { catalogue } from "./catalogue.ts";
import { readConfiguration, type StackConfiguration } from "./configuration.ts";
import { checkResource, checkStack, type Finding } from "./evaluate.ts";
import { Resource, type ResourceData } from "./helpers/resources.ts";

export interface GuardedStack {
  readonly stack: string;
  /** `production` and `staging` are guarded; anything else is the pack's business alone. */
  readonly stage: Stage;
  /** What Drydock's settings say. */
  readonly facts?: Facts;
  /** Folder of the stacks' policy configurations. @default policies/config */
  readonly configFolder?: string;
}

/**
 * Refuses an unsafe resource of production or staging before it is registered, so also where `--policy-pack` was
 * forgotten. The same rule functions as in the pack, with the stack's own levels, parameters and exclusions. Outputs
 * are undecided and pass, but where production must know them.
 */
export class StackGuard {
  readonly #stack: GuardedStack;
  readonly #configuration: StackConfiguration | undefined;
  readonly #seen: Resource[] = [];

  constructor(stack: GuardedStack) {
    this.#stack = stack;
    const guarded = stack.stage !== "local";
    this.#configuration = guarded
      ? readConfiguration(stack.stack, catalogue, stack.configFolder, stack.facts)
      : undefined;
  }

  /**
   * Judges one resource, before it is registered.
   * @throws Error with every mandatory violation: what, why, remedy
   */
  check(data: ResourceData): void {
    if (this.#configuration === undefined) return;
    const resource = new Resource({ ...data, urn: this.urnOf(data) });
    this.#seen.push(resource);
    const { settings, configOf } = this.#configuration;
    this.#refuse(
      data.name,
      this.#mandatory("resource").flatMap((rule) => checkResource(rule, resource, settings, configOf(rule))),
    );
  }

  /**
   * Judges all that was checked, together: whether there is one scheduler, one environment, one password.
   * @throws Error with every mandatory violation
   */
  finish(): void {
    if (this.#configuration === undefined) return;
    const { settings, configOf } = this.#configuration;
    this.#refuse(
      `stack ${this.#stack.stack}`,
      this.#mandatory("stack").flatMap((rule) => checkStack(rule, this.#seen, settings, configOf(rule))),
    );
  }

  urnOf({ type, name }: Pick<ResourceData, "type" | "name">): string {
    return `urn:pulumi:${this.#stack.stack}::guard::${type}::${name}`;
  }

  #mandatory(scope: "resource" | "stack") {
    return catalogue.filter(
      (rule) => rule.scope === scope && ["mandatory", "remediate"].includes(this.#configuration!.levelOf(rule)),
    );
  }

  #refuse(what: string, findings: readonly Finding[]): void {
    const violations = findings.filter(({ kind }) => kind === "violation");
    if (violations.length === 0) return;
    const list = violations.map(({ rule, message }) => `[${rule}] ${message}`).join("\n\n");
    const more = `More on a rule: ./drydock policies explain ${violations[0]!.rule}`;
    throw new Error(`${what} would be unsafe in ${this.#stack.stage}, so it was not created:\n\n${list}\n\n${more}`);
  }
}
