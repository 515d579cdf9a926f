import { posix } from "node:path";
import {
  entries,
  flag,
  type Items,
  isUnknown,
  items,
  joined,
  type Maybe,
  type Plain,
  propertyAt,
  text,
} from "./values.ts";

/** Something put over a path of the container's file system. */
export interface Mount {
  /** `from`: whatever another container has mounted; `other`: what is none of these. */
  readonly type: Maybe<"bind" | "volume" | "tmpfs" | "from" | "other">;
  /** Host path of a bind, name of a volume or container. */
  readonly source: Maybe<string>;
  /** Normalized path in the container. */
  readonly target: Maybe<string>;
  readonly readOnly: Maybe<boolean>;
  readonly propagation: Maybe<string>;
  /** Of a volume that is made with the container. */
  readonly driver: Driver;
}

/** Who makes a volume, and what he is told. */
export interface Driver {
  /** @default "local" */
  readonly name: Maybe<string>;
  readonly options: Items<readonly [key: string, value: unknown]>;
}

const TYPES = ["bind", "volume", "tmpfs"] as const;
const NONE: Driver = { name: undefined, options: { known: [], unknown: [] } };
/** Docker reads a "name" of this kind as a path of the host. */
const PATH_LIKE = /[/\\]|^[.~]/;

/** Reads `mounts`, `volumes` and `tmpfs` of a Container, `mounts` of a Service. */
export function readMounts(props: Plain, isService: boolean): Items<Mount> {
  if (isService)
    return readList(propertyAt(props, "taskSpec", "containerSpec", "mounts"), "taskSpec.containerSpec.mounts");
  return joined(
    readList(propertyAt(props, "mounts"), "mounts"),
    items(propertyAt(props, "volumes"), "volumes", readVolume),
    tmpfs(propertyAt(props, "tmpfs")),
  );
}

function readVolume(entry: unknown): Mount {
  const [host, name, from] = [
    text(propertyAt(entry, "hostPath")),
    text(propertyAt(entry, "volumeName")),
    text(propertyAt(entry, "fromContainer")),
  ];
  const given = (value: Maybe<string>) => value !== undefined && value !== "";
  const isBind = given(host) || (typeof name === "string" && PATH_LIKE.test(name));
  return {
    type: given(from) ? "from" : isBind ? "bind" : "volume",
    source: given(from) ? from : given(host) ? host : name,
    target: normalized(text(propertyAt(entry, "containerPath"))),
    readOnly: flag(propertyAt(entry, "readOnly")),
    propagation: undefined,
    driver: NONE,
  };
}

function readList(value: unknown, path: string): Items<Mount> {
  return items(value, path, (entry, here): Mount => {
    const type = text(propertyAt(entry, "type"));
    const source = text(propertyAt(entry, "source"));
    const kind = isUnknown(type) ? type : (TYPES.find((known) => known === type?.trim().toLowerCase()) ?? "other");
    return {
      type: kind === "volume" && typeof source === "string" && PATH_LIKE.test(source) ? "bind" : kind,
      source,
      target: normalized(text(propertyAt(entry, "target"))),
      readOnly: flag(propertyAt(entry, "readOnly")),
      propagation: text(propertyAt(entry, "bindOptions", "propagation")),
      driver: {
        name: text(propertyAt(entry, "volumeOptions", "driverName")),
        options: entries(propertyAt(entry, "volumeOptions", "driverOptions"), `${here}.volumeOptions.driverOptions`),
      },
    };
  });
}

function tmpfs(value: unknown): Items<Mount> {
  const map = entries(value, "tmpfs");
  return {
    known: map.known.map(({ value: [target], path }) => ({
      path,
      value: {
        type: "tmpfs",
        source: undefined,
        target: normalized(target),
        readOnly: false,
        propagation: undefined,
        driver: NONE,
      },
    })),
    unknown: map.unknown,
  };
}

function normalized(path: Maybe<string>): Maybe<string> {
  return typeof path === "string" ? clean(path) : path;
}

/** A path without `..`, doubled and trailing slashes. */
export function clean(path: string): string {
  // POSIX gives two leading slashes a meaning of their own; Linux does not.
  const short = posix.normalize(path).replace(/^\/{2,}/, "/");
  return short.length > 1 && short.endsWith("/") ? short.slice(0, -1) : short;
}

/** Property paths of what may turn out to be mounted anywhere: whole entries, and targets. */
export function unknownTargets({ known, unknown }: Items<Mount>): readonly string[] {
  const targets = known.map(({ value }) => value.target);
  return [...unknown, ...targets.filter(isUnknown).map(({ path }) => path)];
}

/** Whether `path` is `folder` or stands below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
