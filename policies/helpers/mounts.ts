import { posix } from "node:path";
import { at, entries, flag, items, joined, text, type Items, type Maybe, type Plain } from "./values.ts";

/** Something put over a path of the container's file system. */
export interface Mount {
  readonly type: "bind" | "volume" | "tmpfs" | "other";
  /** Host path of a bind, name of a volume. */
  readonly source: Maybe<string>;
  /** Normalized path in the container. */
  readonly target: Maybe<string>;
  readonly readOnly: Maybe<boolean>;
  readonly propagation: Maybe<string>;
}

const TYPES = ["bind", "volume", "tmpfs"] as const;

/** Reads `mounts`, `volumes` and `tmpfs` of a Container, `mounts` of a Service. */
export function readMounts(props: Plain, isService: boolean): Items<Mount> {
  if (isService) return readList(at(props, "taskSpec", "containerSpec", "mounts"), "taskSpec.containerSpec.mounts");
  return joined(
    readList(at(props, "mounts"), "mounts"),
    items(at(props, "volumes"), "volumes", (entry): Mount => {
      const host = text(at(entry, "hostPath"));
      const isBind = host !== undefined && host !== "";
      return {
        type: isBind ? "bind" : "volume",
        source: isBind ? host : text(at(entry, "volumeName")),
        target: normalized(text(at(entry, "containerPath"))),
        readOnly: flag(at(entry, "readOnly")),
        propagation: undefined,
      };
    }),
    tmpfs(at(props, "tmpfs")),
  );
}

function readList(value: unknown, path: string): Items<Mount> {
  return items(value, path, (entry): Mount => {
    const type = text(at(entry, "type"));
    return {
      type: TYPES.find((known) => known === type) ?? "other",
      source: text(at(entry, "source")),
      target: normalized(text(at(entry, "target"))),
      readOnly: flag(at(entry, "readOnly")),
      propagation: text(at(entry, "bindOptions", "propagation")),
    };
  });
}

function tmpfs(value: unknown): Items<Mount> {
  const map = entries(value, "tmpfs");
  return {
    known: map.known.map(({ value: [target], path }) => ({ path, value: { type: "tmpfs", source: undefined, target: normalized(target), readOnly: false, propagation: undefined } })),
    unknown: map.unknown,
  };
}

function normalized(path: Maybe<string>): Maybe<string> {
  return typeof path === "string" ? clean(path) : path;
}

/** A path without `..`, doubled and trailing slashes. */
export function clean(path: string): string {
  const short = posix.normalize(path);
  return short.length > 1 && short.endsWith("/") ? short.slice(0, -1) : short;
}

/** Whether `path` is `folder` or stands below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
