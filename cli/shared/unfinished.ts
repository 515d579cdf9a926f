import { LASTING } from "../../config/roles.ts";
import { FOLDERS } from "../../contracts/proxy.ts";
import type { Docker } from "./docker.ts";
import { CONTAINER, type Deployment, type Outputs, type StackContainer, type StateResource } from "./stack.ts";

/** A release that stopped on its way: the state has containers that the last complete deployment does not know. */
export interface Unfinished {
  /**
   * The label of its containers; the same as the complete one's where only limits or the number of replicas changed.
   */
  readonly release: string;
  /** The application's image in it. */
  readonly image: string;
  /** Whether visitors are served by it: it failed behind the switch. */
  readonly serves: boolean;
  /**
   * What runs besides these containers: replicas that serve nobody, workers of before that have not been asked to
   * finish.
   */
  readonly others: readonly StackContainer[];
}

/** What serves after a deployment that failed, as the end of a sentence. */
export function standingOf(
  found: { readonly outputs: Outputs; readonly unfinished?: Unfinished } | undefined,
): string | undefined {
  if (found === undefined) return undefined;
  const { outputs, unfinished } = found;
  if (unfinished?.serves === true) {
    const rest =
      unfinished.others.length > 0 ? "; what is left of the one before runs beside it until a deployment succeeds" : "";
    return `release ${unfinished.release} serves already: this failed behind the switch${rest}`;
  }
  return outputs.services.some(({ role }) => role === "app") && outputs.release !== ""
    ? "what served before still serves"
    : "nothing serves yet";
}

/** A container as the state has it. */
interface Held extends StackContainer {
  readonly release: string;
  /** Its successor is there; the engine deletes it when a deployment succeeds. */
  readonly leaving: boolean;
}

function held({ urn, inputs, outputs, delete: leaving }: StateResource): Held | undefined {
  const labels = (Array.isArray(inputs?.labels) ? inputs.labels : []) as { label?: string; value?: string }[];
  const label = (name: string): string => labels.find((one) => one.label === name)?.value ?? "";
  const [container, image] = [outputs?.name, inputs?.image];
  if (typeof container !== "string") return undefined;
  return {
    name: urn.split("::").at(-1) ?? "",
    role: label("drydock.role"),
    container,
    image: typeof image === "string" ? image : "",
    release: label("drydock.release"),
    leaving: leaving === true,
  };
}

/** The names of the containers that the proxy sends visitors to, as its configuration has them. */
export function upstreamsIn(site: string): readonly string[] {
  const [, block = ""] = /upstream app \{([^}]*)\}/.exec(site) ?? [];
  return [...block.matchAll(/^\s*server ([^:;\s]+):\d+/gm)].map(([, name = ""]) => name);
}

/**
 * Whether a release has not gone through all its steps, and if so, what is the case now: the outputs with the
 * containers that are in use, and what is left over. The outputs of the state are those of the last deployment that
 * succeeded.
 * @param serving the containers that the proxy sends visitors to; undefined where it can't be asked
 */
export function arrange(
  outputs: Outputs,
  deployment: Deployment,
  serving: readonly string[] | undefined,
): { readonly outputs: Outputs; readonly unfinished?: Unfinished } {
  const all = deployment.resources
    .filter(({ type }) => type === CONTAINER)
    .flatMap((resource) => held(resource) ?? [])
    .sort(byRole);
  const known = new Set(outputs.services.map(({ container }) => container));
  if (all.every(({ container, leaving }) => !leaving && known.has(container)) && all.length === known.size)
    return { outputs };
  if (all.length === 0) return { outputs };

  const to = new Set(serving ?? [...known]);
  const replicas = all.filter(({ role }) => role === "app");
  const serves = replicas.filter(({ container }) => to.has(container));
  const inUse = (one: Held): boolean => (one.role === "app" && serves.length > 0 ? serves.includes(one) : !one.leaving);
  const newest =
    replicas.find(({ leaving, release }) => !leaving && release !== outputs.release) ??
    all.find(({ leaving, container }) => !leaving && !known.has(container));
  const release = newest?.release ?? outputs.release;
  const plain = ({ name, role, container, image }: Held): StackContainer => ({ name, role, container, image });
  return {
    outputs: { ...outputs, release: serves[0]?.release ?? outputs.release, services: all.filter(inUse).map(plain) },
    unfinished: {
      release,
      image: newest?.image ?? "",
      serves: serves.some((one) => !known.has(one.container)),
      others: all.filter((one) => !inUse(one)).map(plain),
    },
  };
}

const ORDER: readonly string[] = ["proxy", ...LASTING, "database", "redis", "cache"];
const rank = ({ role }: StackContainer): number => (ORDER.indexOf(role) + ORDER.length + 1) % (ORDER.length + 1);

/** In the order in which a complete deployment names them. */
function byRole(a: StackContainer, b: StackContainer): number {
  return rank(a) - rank(b) || a.name.localeCompare(b.name, "en", { numeric: true });
}

/** Asks the proxy; undefined where it doesn't answer. */
export async function servingContainers(
  docker: Docker,
  outputs: Outputs,
  deployment: Deployment,
): Promise<readonly string[] | undefined> {
  const proxies = [
    ...deployment.resources.flatMap((resource) => (resource.type === CONTAINER ? (held(resource) ?? []) : [])),
    ...outputs.services,
  ].filter(({ role }) => role === "proxy");
  const [proxy] = proxies;
  if (proxy === undefined) return undefined;
  const { code, stdout } = await docker.run(["exec", proxy.container, "cat", `${FOLDERS.state}/site.conf`], {
    timeout: 10_000,
  });
  const names = code === 0 ? upstreamsIn(stdout) : [];
  return names.length === 0 ? undefined : names;
}
