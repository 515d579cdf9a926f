import { isIP } from "node:net";

const label = "(?!-)[a-z0-9_-]{1,63}(?<!-)";
const name = new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`);

/**
 * A host name as requests carry it: in lower case, letters of other languages as punycode. Undefined where it is none.
 *
 * @param value a name or an address, with a port or without; `*.` before a name means all names below it, `*` alone all
 *   names
 */
export function hostName(value: string): string | undefined {
  if (value === "*") return value;
  const [, wild = "", rest = "", port = ""] = /^(\*\.)?(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.exec(value) ?? [];
  if (rest === "" || /[\s/\\@?#%*]/.test(rest) || Number(port.slice(1)) > 65_535) return undefined;
  let host: string;
  try {
    host = new URL(`http://${rest}/`).hostname;
  } catch {
    return undefined;
  }
  if (isAddress(host)) return wild === "" ? `${host}${port}` : undefined;
  return name.test(host) ? `${wild}${host}${port}` : undefined;
}

const isAddress = (host: string): boolean => isIP(host.replace(/^\[|\]$/g, "")) !== 0;

/**
 * A regular expression of the names that this one stands for.
 *
 * @param host as hostName() answers it
 * @param port an expression of the ports that may follow, where it has none itself
 */
export function hostPattern(host: string, port: string): string {
  if (host === "*") return ".+";
  const below = host.startsWith("*.");
  const pattern = (below ? host.slice(2) : host).replace(/[.[\]]/g, "\\$&");
  return `${below ? "(?:[a-z0-9_-]+\\.)+" : ""}${pattern}${/:\d+$/.test(host) && !host.endsWith("]") ? "" : port}`;
}

/** Whether an address, a range of addresses or a host's name means the machine itself. */
export function isLoopback(value: string): boolean {
  const address = value
    .replace(/\/\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  return address === "localhost" || address === "::1" || /^(?:::ffff:)?127\./.test(address);
}

/** An address as it stands before a port. */
export const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);
