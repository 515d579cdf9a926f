import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { factsOf } from "../config/facts.ts";
import type { Environment, Settings } from "../config/settings.ts";
import { stageOf } from "../config/stage.ts";
import { defined } from "../lib/defined.ts";
import type { StackGuard } from "../policies/guard.ts";
import { SCRIPTS } from "./command.ts";

/** Judges what the program is about to register. */
export interface Guard {
  /** Option for every component: its resources are judged one by one. */
  readonly transformations: pulumi.ResourceTransformation[];
  /** Judges all of them together, before the engine hears of any. @throws Error with every violation */
  finish(): void;
}

/**
 * The policy pack's own rules, for production and staging: so that a `pulumi up` without `--policy-pack` doesn't create
 * there what the pack would have refused. A local stack doesn't load them: a preview is quicker without.
 */
export async function guardOf(stack: string, settings: Settings, environment: Environment): Promise<Guard> {
  const { APP_ENV: appEnv } = environment.plain;
  const stage = stageOf(stack, appEnv);
  if (stage === "local") return { transformations: [], finish: () => {} };
  const [{ StackGuard }, { isDotenv }] = await Promise.all([
    import("../policies/guard.ts"),
    import("../policies/helpers/env.ts"),
  ]);
  const guard = new StackGuard({
    ...{ stack, stage, facts: { ...factsOf(settings, appEnv), ...defined({ scripts: SCRIPTS }) } },
    configFolder: join(process.cwd(), "policies", "config"),
  });
  const graph = new Graph(guard);
  // Laravel's containers have their variables in a file that is an output here; the guard knows them in plain text.
  const known = { ...environment.plain, ...environment.secret };
  const hasDotenv = ({ uploads }: { uploads?: unknown }) =>
    Array.isArray(uploads) &&
    uploads.some((one: { file?: unknown }) => typeof one.file === "string" && isDotenv(one.file));
  const gate = new Gate();
  const judge: pulumi.ResourceTransformation = ({ type, name, props, opts, resource }) => {
    const { protect, deleteBeforeReplace, dependsOn = [] } = opts as pulumi.CustomResourceOptions;
    const { dependencies, propertyDependencies } = graph.add(resource, type, name, props, opts);
    gate.judged(() =>
      guard.check({
        type,
        name,
        props,
        dependencies,
        propertyDependencies,
        protect: protect === true,
        ...defined({ deleteBeforeReplace }),
        ...(hasDotenv(props) ? { knownEnv: known } : {}),
      }),
    );
    const before = (Array.isArray(dependsOn) ? dependsOn : [dependsOn]) as pulumi.Input<pulumi.Resource>[];
    return { props, opts: { ...opts, dependsOn: gate.opened.then<typeof before>(() => before) } };
  };
  return {
    transformations: [judge],
    finish: () => {
      gate.judged(() => guard.finish());
      gate.open();
    },
  };
}

/**
 * Holds every resource back until all of them are judged: a program that throws has told the engine of what it made
 * before, and an update would create that.
 */
class Gate {
  readonly opened: Promise<void>;
  open!: () => void;
  #refuse!: (error: unknown) => void;

  constructor() {
    this.opened = new Promise((open, refuse) => {
      this.open = open;
      this.#refuse = refuse;
    });
    // Where no resource waits, nobody hears of it; the error itself is thrown as well.
    this.opened.catch(() => undefined);
  }

  /** @throws what the judgement throws; then nothing that waits is ever made */
  judged(judgement: () => void): void {
    try {
      judgement();
    } catch (error) {
      this.#refuse(error);
      throw error;
    }
  }
}

/** Which resource depends on which, as the engine will know it. */
class Graph {
  readonly #guard: StackGuard;
  readonly #urns = new Map<pulumi.Resource, string>();
  readonly #children = new Map<pulumi.Resource, pulumi.Resource[]>();

  constructor(guard: StackGuard) {
    this.#guard = guard;
  }

  add(
    resource: pulumi.Resource,
    type: string,
    name: string,
    props: Readonly<Record<string, unknown>>,
    options: pulumi.ResourceOptions,
  ) {
    this.#urns.set(resource, this.#guard.urnOf({ type, name }));
    if (options.parent !== undefined)
      this.#children.set(options.parent, [...(this.#children.get(options.parent) ?? []), resource]);
    const { dependsOn = [] } = options;
    const named = (Array.isArray(dependsOn) ? dependsOn : [dependsOn]).filter((one) => pulumi.Resource.isInstance(one));
    const propertyDependencies = Object.fromEntries(
      Object.entries(props).map(([key, value]) => [key, this.#urnsOf([...sources(value)])]),
    );
    return {
      dependencies: [...new Set([...this.#urnsOf(named), ...Object.values(propertyDependencies).flat()])],
      propertyDependencies,
    };
  }

  /** Who depends on a component depends on all that it holds. */
  #urnsOf(resources: readonly pulumi.Resource[]): string[] {
    return resources.flatMap((resource) => [
      ...(this.#urns.get(resource) === undefined ? [] : [this.#urns.get(resource)!]),
      ...this.#urnsOf(this.#children.get(resource) ?? []),
    ]);
  }
}

/** The resources that a value comes from. */
function sources(value: unknown): Set<pulumi.Resource> {
  if (pulumi.Output.isInstance(value)) return (value as unknown as { resources(): Set<pulumi.Resource> }).resources();
  if (typeof value !== "object" || value === null) return new Set();
  return new Set(Object.values(value).flatMap((inner) => [...sources(inner)]));
}
