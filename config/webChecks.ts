import { isLoopback } from "./hosts.ts";
import type { LenientSettings } from "./checks.ts";

/** Tells of a wrong setting: its path without `drydock:`, what is wrong, and the command that puts it right. */
type Add = (path: string, message: string, remedy?: string) => void;

/** The rules between what the proxy and the application's replicas are told. */
export function checkWeb({ app, proxy }: LenientSettings, add: Add, set: (path: string, value: string) => string): void {
  const { timeout, longestRequest, trustedProxies = [], interface: address = "127.0.0.1" } = proxy ?? {};
  if (timeout !== undefined && longestRequest !== undefined && longestRequest < timeout)
    add(
      "proxy.longestRequest",
      `is ${longestRequest}, less than drydock:proxy.timeout (${timeout}): expected at least as much`,
      set("proxy.longestRequest", String(timeout)),
    );
  const loopback = trustedProxies.findIndex(isLoopback);
  // Docker has no IPv6 address of a visitor: it relays his connection, which then comes from the host.
  if (loopback >= 0 && address.includes(":") && !isLoopback(address))
    add(
      `proxy.trustedProxies[${loopback}]`,
      `is ${trustedProxies[loopback]}, this host, but drydock:proxy.interface is ${address}, whose visitors all seem to be this host: ` +
        "anybody could say who he is",
      set("proxy.interface", "127.0.0.1"),
    );
  const kept = Object.keys(app?.persistent ?? {});
  for (const path of kept) {
    const above = kept.find((other) => path.startsWith(`${other}/`));
    if (above !== undefined)
      add(`app.persistent["${path}"]`, `is in ${above}, which is kept already: expected folders beside each other`);
  }
  if (app?.server === "http" && longestRequest !== undefined)
    add("proxy.longestRequest", "is PHP-FPM's, but drydock:app.server is http: the image's own server decides how long a request may last");
}
