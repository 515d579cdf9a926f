import { isIPv6 } from "node:net";
import { type Items, items, type Maybe, num, propertyAt, text } from "./values.ts";

/** A port that is reachable from outside the container's networks. */
export interface Port {
  /** Port of the host; nothing when Docker picks one. */
  readonly external: Maybe<number>;
  readonly internal: Maybe<number>;
  /** Address of the host; nothing means every interface. Services have none. */
  readonly ip: Maybe<string>;
  readonly protocol: Maybe<string>;
}

/** Reads `ports` of a Container, `endpointSpec.ports` of a Service. */
export function readPorts(value: unknown, path: string): Items<Port> {
  return items(value, path, (entry) => ({
    external: num(propertyAt(entry, "external")) ?? num(propertyAt(entry, "publishedPort")),
    internal: num(propertyAt(entry, "internal")) ?? num(propertyAt(entry, "targetPort")),
    ip: text(propertyAt(entry, "ip")),
    protocol: text(propertyAt(entry, "protocol")),
  }));
}

/**
 * Whether an address means every interface of the host, however it is spelled: `0.0.0.0`, `::`, `0:0:0:0:0:0:0:0`,
 * `::ffff:0.0.0.0`.
 */
export function isEveryInterface(ip: string | undefined): boolean {
  const address = (ip ?? "").trim().replace(/^\[(.*)\]$/, "$1");
  if (address === "" || address === "*") return true;
  if (isIPv6(address)) return ["[::]", "[::ffff:0:0]"].includes(new URL(`http://[${address.split("%")[0]}]`).hostname);
  return /^0+(\.0+){0,3}$/.test(address);
}
