import { ROLES, type Role, type Settings } from "../settings.ts";
import { type Env, readEnv } from "./env.ts";
import { fileContent } from "./files.ts";
import { type Mount, readMounts } from "./mounts.ts";
import { type Port, readPorts } from "./ports.ts";
import type { Resource } from "./resources.ts";
import {
  entries,
  type Field,
  flag,
  type Items,
  isUnknown,
  items,
  joined,
  type Maybe,
  num,
  propertyAt,
  text,
} from "./values.ts";

export interface Upload {
  /** Path in the container. */
  readonly file: Maybe<string>;
  readonly content: Maybe<string>;
  /** Octal, as text. */
  readonly permissions: Maybe<string>;
  /** Property of the permissions, for messages. */
  readonly permissionsPath: string;
}

export interface NetworkUse {
  readonly name: Maybe<string>;
  readonly aliases: Items<string>;
}

const SERVICE = "docker:index/service:Service";

export function isContainerType(type: string): boolean {
  return type === "docker:index/container:Container" || type === SERVICE;
}

/**
 * One view of `docker.Container` and of `docker.Service`, which says the same under `taskSpec.containerSpec`.
 * Every field knows its property path, so that a message points to the line to change.
 */
export class Container {
  readonly resource: Resource;
  readonly isService: boolean;
  readonly role: Role | undefined;
  readonly settings: Settings;
  #env: Env | undefined;
  #mounts: Items<Mount> | undefined;

  constructor(resource: Resource, settings: Settings) {
    this.resource = resource;
    this.settings = settings;
    this.isService = resource.type === SERVICE;
    this.role = this.#findRole(settings);
  }

  /** Path of a property: `container` in a Container's words, `service` in a Service's. */
  path(container: string, service = `taskSpec.containerSpec.${container}`): string {
    return this.isService ? service : container;
  }

  /** A property by its path. */
  #raw(container: string, service?: string): unknown {
    return propertyAt(this.resource.props, ...this.path(container, service).split("."));
  }

  #field<T>(read: (value: unknown) => Maybe<T>, container: string, service?: string): Field<T> {
    return { path: this.path(container, service), value: read(this.#raw(container, service)) };
  }

  #texts(container: string, service?: string): Items<string> {
    return items(this.#raw(container, service), this.path(container, service), text);
  }

  get name(): Field<string> {
    return this.#field(text, "name", "name");
  }
  get image(): Field<string> {
    return this.#field(text, "image");
  }
  get user(): Field<string> {
    return this.#field(text, "user");
  }
  get readOnly(): Field<boolean> {
    return this.#field(flag, "readOnly");
  }
  get privileged(): Field<boolean> {
    return this.#field(flag, "privileged");
  }
  get workingDir(): Field<string> {
    return this.#field(text, "workingDir", "taskSpec.containerSpec.dir");
  }
  get memory(): Field<number> {
    return this.#field(num, "memory", "taskSpec.resources.limits.memoryBytes");
  }
  get command(): Items<string> {
    return this.#texts("command", "taskSpec.containerSpec.args");
  }
  get entrypoint(): Items<string> {
    return this.#texts("entrypoints", "taskSpec.containerSpec.commands");
  }
  get healthTests(): Items<string> {
    return this.#texts("healthcheck.tests");
  }
  get capDrops(): Items<string> {
    return this.#texts("capabilities.drops", "taskSpec.containerSpec.capDrops");
  }
  get capAdds(): Items<string> {
    return this.#texts("capabilities.adds", "taskSpec.containerSpec.capAdds");
  }
  get securityOpts(): Items<string> {
    return this.#texts("securityOpts");
  }
  get ports(): Items<Port> {
    return readPorts(this.#raw("ports", "endpointSpec.ports"), this.path("ports", "endpointSpec.ports"));
  }

  /** A property that only one of the two types has. */
  raw(path: string): unknown {
    return propertyAt(this.resource.props, ...path.split("."));
  }

  get mounts(): Items<Mount> {
    this.#mounts ??= readMounts(this.resource.props, this.isService);
    return this.#mounts;
  }

  /** Variables of the container's environment and of an uploaded `.env` file. */
  get env(): Env {
    this.#env ??= readEnv(this);
    return this.#env;
  }

  get uploads(): Items<Upload> {
    return items(this.raw("uploads"), "uploads", (entry, path) => {
      const encoded = text(propertyAt(entry, "contentBase64"));
      return {
        file: text(propertyAt(entry, "file")),
        content:
          typeof encoded === "string"
            ? Buffer.from(encoded, "base64").toString("utf8")
            : (encoded ?? text(propertyAt(entry, "content")) ?? delivered(text(propertyAt(entry, "source")))),
        permissions: text(propertyAt(entry, "permissions")),
        permissionsPath: `${path}.permissions`,
      };
    });
  }

  get networks(): Items<NetworkUse> {
    const path = this.path("networksAdvanced", "taskSpec.networksAdvanceds");
    return items(this.raw(path), path, (entry, here) => ({
      name: text(propertyAt(entry, "name")) ?? text(propertyAt(entry, "id")),
      aliases: items(propertyAt(entry, "aliases"), `${here}.aliases`, text),
    }));
  }

  /** What the container runs, as one line: entry point, then command. */
  get commandLine(): Items<string> {
    return joined(this.entrypoint, this.command);
  }

  /**
   * Runs once and ends, such as a migration: no health check, no restart. The role says so, and what it is made to do.
   */
  get isOneOff(): boolean {
    return this.role === "migrate" && !this.isService && (this.raw("mustRun") === false || this.raw("attach") === true);
  }

  /** All labels; those of a container are a list of `{label, value}`, and some programs give a map. */
  get labels(): Items<readonly [key: string, value: Maybe<string>]> {
    const lists = (this.isService ? ["labels", "taskSpec.containerSpec.labels"] : ["labels"]).map(
      (path): Items<readonly [string, Maybe<string>]> => {
        const raw = this.raw(path);
        const map = entries(raw, path);
        if (map.known.length > 0)
          return {
            known: map.known.map(({ path: here, value: [key, value] }) => ({ path: here, value: [key, text(value)] })),
            unknown: [],
          };
        return items(raw, path, (entry) => {
          const key = text(propertyAt(entry, "label"));
          return isUnknown(key)
            ? key
            : key === undefined
              ? undefined
              : ([key, text(propertyAt(entry, "value"))] as const);
        });
      },
    );
    return joined(...lists);
  }

  /** Value of a label; empty where it has none. */
  label(name: string): Maybe<string> {
    const found = this.labels.known.find(({ value: [key] }) => key === name);
    return found === undefined ? undefined : (found.value[1] ?? "");
  }

  #findRole(settings: Settings): Role | undefined {
    const label = this.label(settings.roleLabel);
    if (typeof label === "string") return ROLES.find((role) => role === label);
    const name = this.name.value;
    return (
      (isUnknown(name) || name === undefined ? undefined : settings.roleOf(name)) ?? settings.roleOf(this.resource.name)
    );
  }
}

const delivered = (source: Maybe<string>): Maybe<string> => (typeof source === "string" ? fileContent(source) : source);

const views = new WeakMap<Resource, Container>();

/** The view of a resource, made once: the guard asks forty rules about one resource. */
export function containerOf(resource: Resource, settings: Settings): Container {
  const known = views.get(resource);
  if (known !== undefined && known.settings === settings) return known;
  const view = new Container(resource, settings);
  views.set(resource, view);
  return view;
}
