import type { StateResource } from "../shared/stack.ts";

/** One thing that is not as the last deployment left it. */
export interface Finding {
  readonly kind: "missing" | "stopped" | "changed" | "foreign";
  /** The name in the stack; of what isn't the stack's, its name in Docker. */
  readonly name: string;
  /** What was seen; never a value that may be secret. */
  readonly what: string;
  /** What puts it right: whole commands, one a line. */
  readonly remedy: string;
}

/** What `docker inspect` says of a container, as far as it is compared. */
export interface LiveContainer {
  readonly Id: string;
  readonly Name: string;
  /** The id of the image that it runs. */
  readonly Image: string;
  readonly Config: {
    readonly Image: string;
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Paused?: boolean;
    readonly ExitCode?: number;
  };
  readonly HostConfig: {
    readonly Memory?: number;
    readonly NanoCpus?: number;
    readonly RestartPolicy?: { readonly Name: string };
  };
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Name?: string;
    readonly Source?: string;
    readonly Destination: string;
  }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
}

/** What was found on the Docker host. */
export interface Live {
  /** The stack's own, and all that use its networks, its volumes or its labels. */
  readonly containers: readonly LiveContainer[];
  /** By name. */
  readonly networks: Readonly<Record<string, { readonly Internal: boolean }>>;
  readonly volumes: readonly string[];
  /** The id of the image that a reference names now. */
  readonly images: Readonly<Record<string, string>>;
  /** By container id: what `docker diff` lists, without its letter. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** The proxy's site, as it is; undefined: it could not be read. */
  readonly site?: string;
}

export const nameOf = ({ urn }: StateResource): string => urn.split("::").at(-1) ?? urn;
export const text = (value: unknown): string => (typeof value === "string" ? value : "");
export const list = <T>(value: unknown): readonly T[] => (Array.isArray(value) ? (value as T[]) : []);
export const bare = (name: string): string => name.replace(/^\//, "");
