import type { Found, LenientSettings } from "./found.ts";
import { isLoopback } from "./hosts.ts";
import { type Problem, setCommand } from "./problems.ts";
import { MAINTENANCE_PAGE } from "./schema/sitePaths.ts";
import type { Settings } from "./schema.ts";

/** Tells of a wrong setting: its path without `drydock:`, what is wrong, and the command that puts it right. */
type Add = (path: string, message: string, remedy?: string) => void;

/** The rules between what the proxy and the application's replicas are told. */
export function checkWeb(settings: LenientSettings, add: Add, set: (path: string, value: string) => string): void {
  const { app, proxy } = settings;
  checkPaths(settings, add);
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
      `is ${trustedProxies[loopback]}, this host, but drydock:proxy.interface is ${address}, ` +
        "whose visitors all seem to be this host: " +
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
    add(
      "proxy.longestRequest",
      "is PHP-FPM's, but drydock:app.server is http: the image's own server decides how long a request may last",
    );
}

/** Paths that have something of their own where another part of the stack decides already. */
function checkPaths({ app, proxy, workers, domains = [] as never }: LenientSettings, add: Add): void {
  const all = Object.entries(workers ?? {}).flatMap(([worker, one]) =>
    (one?.http?.paths ?? []).map((path) => ({ worker, path })),
  );
  for (const path of Object.keys(proxy?.paths ?? {})) {
    const taken = all.find((one) => `${path}/`.startsWith(one.path));
    if (taken !== undefined)
      add(
        `proxy.paths["${path}"]`,
        `is the worker ${taken.worker}'s, which has ${taken.path}: its requests have no limits of the application's`,
      );
  }
  const redirects = [
    ["proxy.redirects", Object.keys(proxy?.redirects ?? {})] as const,
    ...(domains as Settings["domains"]).map(
      (domain, index) => [`domains[${index}].redirects`, Object.keys(domain.redirects)] as const,
    ),
  ];
  for (const [place, paths] of redirects) {
    for (const path of paths) {
      if (path === app?.healthPath)
        add(
          `${place}["${path}"]`,
          "is drydock:app.healthPath: it tells whether the site is healthy, and leads nowhere else",
        );
      else if (path === "/") add(`${place}["/"]`, "is the site itself: expected a path, such as /old");
      else if (path === MAINTENANCE_PAGE) add(`${place}["${path}"]`, "is the page of maintenance mode");
      else if (place === "proxy.redirects" && all.some((one) => one.path === path))
        add(`${place}["${path}"]`, "is a worker's path: expected one of them");
    }
  }
}

/** Of PHP's memory that its processes may use at once; few requests need their limit. */
const AT_ONCE = 2;

/** What may work and may not: warnings. */
export function warnOfWeb({ app, proxy }: LenientSettings, stack: string): Found {
  return {
    problems: [],
    warnings: [...(app === undefined ? [] : memory(app, stack)), ...visitors(proxy?.interface, stack)],
  };
}

/** An IPv6 visitor reaches a container by Docker's relay, which has the address of the network's gateway. */
function visitors(address: string | undefined, stack: string): Problem[] {
  if (address?.includes(":") !== true || isLoopback(address)) return [];
  return [
    {
      path: "drydock:proxy.interface",
      message:
        `is ${address}: Docker relays IPv6, so to Laravel, to limits and in the log all visitors have one ` +
        "address, the gateway's. " +
        "Have a proxy of the host's own take IPv6 (and TLS), and believe what it says of them: " +
        "add drydock:proxy.trustedProxies[0] 127.0.0.1",
      remedy: setCommand("drydock:proxy.interface", "127.0.0.1", stack),
    },
  ];
}

/**
 * The kernel ends a process of a container that is full in the middle of its request, and nobody but PHP-FPM's log says
 * so.
 */
function memory(
  { server, memory, maxChildren, php }: Partial<NonNullable<LenientSettings["app"]>>,
  stack: string,
): Problem[] {
  if (server === "http" || memory === undefined || maxChildren === undefined) return [];
  const limit = php?.["memory_limit"] ?? "128M";
  const each = mebibytes(limit);
  if (each !== Infinity && maxChildren * each <= AT_ONCE * memory) return [];
  const most = each === Infinity ? "as much as they like" : `${maxChildren * each} MiB`;
  return [
    {
      path: "drydock:app.memory",
      message:
        `is ${memory} MiB, and PHP-FPM's ${maxChildren} processes may use ${most} (memory_limit ${limit}` +
        `${php?.["memory_limit"] === undefined ? ", PHP's own" : ""}): ` +
        `above ${AT_ONCE} times the memory, a few large requests at once have the kernel end some of them`,
      remedy:
        each === Infinity
          ? setCommand(
              "drydock:app.php.memory_limit",
              `${Math.max(32, Math.floor((AT_ONCE * memory) / maxChildren))}M`,
              stack,
            )
          : setCommand("drydock:app.memory", String(Math.ceil((maxChildren * each) / AT_ONCE)), stack),
    },
  ];
}

/** An amount of memory as PHP writes it, in MiB; Infinity for none. */
function mebibytes(value: string): number {
  const [, number = "0", unit = ""] = /^\s*(-?\d+)\s*([kmg]?)/i.exec(value) ?? [];
  const bytes = Number(number) * 1024 ** ["", "k", "m", "g"].indexOf(unit.toLowerCase());
  return Number(number) <= 0 ? Infinity : bytes / 1024 ** 2;
}
