import { type Plain, plain } from "./values.ts";

export const CONTAINER = "docker:index/container:Container";
export const SERVICE = "docker:index/service:Service";
export const CONTAINERS = [CONTAINER, SERVICE];
export const VOLUME = "docker:index/volume:Volume";
export const NETWORK = "docker:index/network:Network";
export const IMAGE = "docker:index/image:Image";
export const REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage";
export const COMMANDS = ["command:local:Command", "command:remote:Command"];

/** What a resource was given, in one form for the policy SDK, a state file and the guard. */
export interface ResourceData {
  readonly type: string;
  readonly name: string;
  /** @default made from type and name */
  readonly urn?: string;
  readonly props: unknown;
  readonly protect?: boolean;
  readonly deleteBeforeReplace?: boolean;
  /** URN of the provider: containers on two hosts have two providers. */
  readonly provider?: string;
  /** URNs of the resources it depends on. */
  readonly dependencies?: readonly string[];
  /** URNs by property: which resource a property's value came from. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
  /** Variables whose values are known although the properties hold them as secrets (the guard). */
  readonly knownEnv?: Readonly<Record<string, string>>;
}

/** A resource whose properties are copied out of their proxies when a rule first looks. */
export class Resource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly protect: boolean;
  readonly deleteBeforeReplace: boolean | undefined;
  readonly provider: string;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly knownEnv: Readonly<Record<string, string>> | undefined;
  #props: Plain | undefined;
  readonly #raw: unknown;

  constructor(data: ResourceData) {
    this.type = data.type;
    this.name = data.name;
    this.urn = data.urn ?? `urn:pulumi:stack::project::${data.type}::${data.name}`;
    this.protect = data.protect ?? false;
    this.deleteBeforeReplace = data.deleteBeforeReplace;
    this.provider = data.provider ?? "";
    this.dependencies = data.dependencies ?? [];
    this.propertyDependencies = data.propertyDependencies ?? {};
    this.knownEnv = data.knownEnv;
    this.#raw = data.props;
  }

  get props(): Plain {
    this.#props ??= (plain(this.#raw) ?? {}) as Plain;
    return this.#props;
  }

  /** Name of the stack, out of the URN. */
  get stack(): string {
    return this.urn.split("::")[0]?.split(":").pop() ?? "";
  }

  /** `container "app-1"`: the subject of a message. */
  get title(): string {
    const kind = this.type.split(":").pop() ?? this.type;
    return `${kind.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()} "${this.name}"`;
  }
}
