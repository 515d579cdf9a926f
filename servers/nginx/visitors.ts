import { bracketed, hostPattern, isLoopback } from "../../config/hosts.ts";
import type { Settings } from "../../config/settings.ts";
import type { Stage } from "../../config/stage.ts";

/** What the proxy knows about the host that it runs on; written at each start (see boot.ts). */
export const HOST_FOLDER = "/tmp/host";

/** Under which names a site is served, and whom it believes what they say of visitors. */
export interface SiteNames {
  /** APP_URL. */
  readonly url: string;
  /** A local one is served under the machine's own names as well. */
  readonly stage: Stage;
  readonly app: Pick<Settings["app"], "healthPath">;
  readonly proxy: Pick<Settings["proxy"], "trustedProxies" | "hosts" | "port" | "interface">;
}

/** Says who a visitor is, from the proxies that are trusted alone. A visitor's own word on it never reaches PHP. */
const FORWARDED = [
  ...["Forwarded", "X-Forwarded", "X-Forwarded-By", "X-Forwarded-Scheme", "X-Forwarded-Server", "X-Forwarded-Ssl"],
  ...["X-Forwarded-Host", "X-Original-Host", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Host-Override", "X-Host"],
  ...["X-Client-IP", "Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "Front-End-Https", "X-Url-Scheme", "Proxy"],
] as const;

/** The same, but those of a trusted proxy are handed on: only it can know. */
const FROM_TRUSTED = ["X-Forwarded-Port", "X-Forwarded-Prefix", "CF-Connecting-IP"] as const;

const variable = (header: string): string => header.toLowerCase().replaceAll("-", "_");

/**
 * The lines of nginx's `http` block that say who asks, and for which site:
 *
 * - `$remote_addr` the visitor's address, `$drydock_scheme` how he came, `$drydock_https` the same as PHP has it
 * - `$drydock_host` the name that he asked for, or that of APP_URL where it isn't one of the site's
 * - `$drydock_name` the same without a port
 * - `$drydock_misdirected` 1 where the site isn't served under that name
 */
export function visitors(site: SiteNames): string[] {
  const { app, proxy } = site;
  const ranges = [...new Set(proxy.trustedProxies)];
  // What comes through the published port from the host itself has the address of the network's gateway.
  const fromHost = ranges.some(isLoopback);
  // Its `host` has the port, where it isn't the scheme's own.
  const { host } = new URL(site.url);
  return [
    ...ranges.map((range) => `set_real_ip_from ${range};`),
    ...(fromHost ? [`include ${HOST_FOLDER}/real_ip.conf;`] : []),
    ...(ranges.length > 0 ? ["real_ip_header X-Forwarded-For;", "real_ip_recursive on;"] : []),
    "geo $realip_remote_addr $drydock_trusted {",
    "  default 0;",
    ...ranges.map((range) => `  ${range} 1;`),
    ...(fromHost ? [`  include ${HOST_FOLDER}/geo.conf;`] : []),
    "}",
    // Several proxies, or one that repeats it: the first is what the visitor came by.
    'map "$drydock_trusted:$http_x_forwarded_proto" $drydock_scheme { "~*^1: *https *(,|$)" https; default $scheme; }',
    'map $drydock_scheme $drydock_https { https on; default ""; }',
    'map "$drydock_trusted:$http_x_forwarded_host" $drydock_asked {',
    '  "~^1: *(?<drydock_first>[^, ]+)" $drydock_first;',
    "  default $http_host;",
    "}",
    "map $drydock_asked $drydock_known {",
    '  default "";',
    ...names(site).map((pattern) => `  "~*^${pattern}$" $drydock_asked;`),
    "}",
    `map $drydock_known $drydock_host { "" "${host}"; default $drydock_known; }`,
    'map $drydock_host $drydock_name { "~^(?<drydock_bare>\\[[^]]*\\]|[^:]*)" $drydock_bare; }',
    // Who asks for the health of the site, such as a load balancer, may ask for it by its address.
    `map "$drydock_known:$uri" $drydock_misdirected { ":${app.healthPath}" 0; "~^:" 1; default 0; }`,
    ...FROM_TRUSTED.map(
      (header) => `map $drydock_trusted $drydock_${variable(header)} { 1 $http_${variable(header)}; default ""; }`,
    ),
  ];
}

/**
 * What is handed to the application of a request's headers about the visitor: name and value; an empty one is not sent.
 */
export const forwarded: readonly (readonly [header: string, value: string])[] = [
  ["Host", "$drydock_host"],
  ["X-Real-IP", "$remote_addr"],
  ["X-Forwarded-For", "$remote_addr"],
  ["X-Forwarded-Proto", "$drydock_scheme"],
  ...FROM_TRUSTED.map((header) => [header, `$drydock_${variable(header)}`] as const),
  ...FORWARDED.map((header) => [header, ""] as const),
];

/** Regular expressions of the names that the site is served under. */
function names({ proxy, stage, ...site }: SiteNames): string[] {
  const url = new URL(site.url);
  const ports = ["80", "443", url.port, String(proxy.port)].filter((port) => port !== "");
  const port = `(?::(?:${[...new Set(ports)].join("|")}))?`;
  // On one's own machine the port may be another: through ssh, or a virtual machine.
  const own = ["localhost", "127.0.0.1", "[::1]", ...(isLoopback(proxy.interface) ? [] : [bracketed(proxy.interface)])];
  const local = stage === "local" || isLoopback(url.hostname);
  const all = [
    ...[url.hostname, ...proxy.hosts].map((host) => hostPattern(host, port)),
    ...(local ? own.map((host) => hostPattern(host, "(?::[0-9]+)?")) : []),
  ];
  return [...new Set(all)];
}
