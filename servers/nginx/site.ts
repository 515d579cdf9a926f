import { createHash } from "node:crypto";
import type { Settings } from "../../config/settings.ts";
import { STORED } from "../../contracts/containers.ts";
import { HTTP_SOCKET } from "../../contracts/monitoring.ts";
import { FOLDERS, PORTS } from "../../contracts/proxy.ts";
import { defined } from "../../lib/defined.ts";
import { request } from "./application.ts";
import { maintenance, maintenancePage } from "./boot.ts";
import { compression, contentTypes } from "./contentTypes.ts";
import { redirecting } from "./redirects.ts";
import { HOST_FOLDER, type SiteNames, visitors } from "./visitors.ts";
import { type Server, serverLocations, serverUpstream } from "./workers.ts";

/**
 * A file name that carries a hash of its content, as Vite (`app-BxY3k2_a.js`) and webpack (`app.4a3b2c1d5e6f.css`)
 * write them: another content has another name. Eight letters that could be a word count only where a digit or a
 * capital is among them.
 */
export const HASHED = "[-.](?:(?=[a-z_-]{0,7}[0-9A-Z])[A-Za-z0-9_-]{8}|[0-9a-f]{9,64})\\.[A-Za-z0-9]+(?:\\.map)?$";

/** What the site of a release depends on. */
export interface Site extends SiteNames {
  /** Which release it serves: 12 hex digits. */
  readonly release: string;
  readonly app: Pick<Settings["app"], "server" | "path" | "port" | "healthPath" | "persistent">;
  readonly proxy: SiteNames["proxy"] &
    Pick<
      Settings["proxy"],
      "uploadLimit" | "timeout" | "paths" | "redirects" | "drainTimeout" | "gzip" | "connections" | "headers"
    >;
  /** The names of its containers, as Docker gave them. */
  readonly replicas: readonly string[];
  /** The workers that serve requests by themselves. */
  readonly servers: readonly Server[];
  /** The name of the network on which the proxy reaches all of them. */
  readonly network: string;
  /** Whether the collector of monitoring is told of each request. @default false */
  readonly measured?: boolean;
}

/**
 * The site, as one release needs it: its replicas, and what the stack's file says about uploads, compression, headers
 * and time limits.
 */
export function siteConfiguration(site: Site): string {
  const { app, proxy, replicas, servers, network, release, measured = false } = site;
  const addresses = replicas.map((replica) => `${replica}:${app.port}`);
  const headers = Object.entries(proxy.headers).map(
    ([name, value]) => `add_header ${name} "${value.replace(/["\\]/g, "\\$&")}" always;`,
  );
  const served = servedFolders(app);
  const root = `${FOLDERS.public}/releases/${release}`;
  const places = placesOf(proxy);
  const lines = [
    // How long what is open at the next release lasts (see boot.ts).
    ...(proxy.drainTimeout === undefined ? [] : [`#main worker_shutdown_timeout ${proxy.drainTimeout}s;`]),
    "map_hash_bucket_size 256;",
    "sendfile on;",
    "tcp_nopush on;",
    `client_max_body_size ${proxy.uploadLimit}m;`,
    "large_client_header_buffers 4 32k;",
    "resolver 127.0.0.11 valid=5s;",
    // Where nginx has brotli (see boot.ts), a client that takes both gets that.
    ...(proxy.gzip ? [...compression, `include ${HOST_FOLDER}/brotli*.conf;`] : []),
    ...visitors(site),
    ...logging(app.healthPath, measured),
    "limit_conn_zone $binary_remote_addr zone=visitors:2m;",
    "limit_conn_status 429;",
    // A pattern that matches no file includes nothing: that is how maintenance mode is off, in every release.
    `include ${maintenance}/http*.conf;`,
    `map $uri $drydock_expires { "~^/build/.*${HASHED}" 1y; default off; }`,
    // A link is followed only where the release itself made it: to what is stored.
    "map $uri $drydock_from {",
    ...served.filter((path) => path.includes("/")).map((path) => `  "~^/${escaped(path)}(/|$)" ${root}/${path};`),
    `  "~^/(?<drydock_top>[^/]+)" ${root}/$drydock_top;`,
    `  default ${root};`,
    "}",
    // A connection that is kept may be closed by the other side at the moment of its next use.
    'map $http_upgrade $drydock_connection { "" close; default upgrade; }',
    ...upstreams(addresses, ["", ...places.map(({ at }) => at)]),
    ...servers.flatMap((server) => serverUpstream(server)),
    "server {",
    `  listen ${PORTS.site} default_server;`,
    // The same site for the probes of a release, which come from inside: never published, and never closed for
    // maintenance.
    `  listen ${PORTS.proof};`,
    `  root ${root};`,
    // As at the edge (edge.ts): each write wakes Docker.
    "  access_log /dev/stdout drydock buffer=4k flush=1s if=$drydock_logged;",
    // Nothing waits for whoever listens there, and where nobody does, nothing is lost but the number.
    ...(measured
      ? [
          `  access_log syslog:server=unix:${FOLDERS.state}/${HTTP_SOCKET},nohostname,tag=drydock measured ` +
            "if=$drydock_logged;",
        ]
      : []),
    ...(proxy.connections === 0 ? [] : [`  limit_conn visitors ${proxy.connections};`]),
    "  expires $drydock_expires;",
    "  disable_symlinks on from=$drydock_from;",
    ...headers.map((header) => `  ${header}`),
    ...contentTypes.map((line) => `  ${line}`),
    "  if ($drydock_misdirected) { return 421; }",
    "  error_page 421 @misdirected;",
    `  include ${maintenance}/server*.conf;`,
    `  location = ${maintenancePage} {`,
    "    internal;",
    ...headers.map((header) => `    ${header}`),
    `    include ${maintenance}/page*.conf;`,
    "  }",
    ...redirecting(proxy.redirects).map((line) => `  ${line}`),
    ...servers.flatMap((server) => serverLocations(server)).map((line) => `  ${line}`),
    ...places.flatMap((place) => placed(place)).map((line) => `  ${line}`),
    ...found("").map((line) => `  ${line}`),
    // A page that was loaded before the switch asks for its own files after it.
    `  location @earlier { root ${FOLDERS.public}/hashed; try_files $uri @app; }`,
    ...[undefined, ...places].flatMap((place) => handed(place)),
    "  location @misdirected {",
    "    types { }",
    "    default_type text/plain;",
    '    return 421 "This site is not served under that name.\\n";',
    "  }",
    "  location @failed { return 502; }",
    "  location @late { return 504; }",
    "}",
    "server {",
    `  listen ${PORTS.inside};`,
    "  access_log off;",
    "  location = /site/VERSION { return 200; }",
    // A new replica asks these what they have compiled (runtime/ready.php).
    ...(app.server === "fpm"
      ? [
          '  location = /replicas { return 200 "' +
            `${replicas.map((name) => `${name}.${network}:${app.port}`).join(",")}"; }`,
        ]
      : []),
    `  include ${maintenance}/status*.conf;`,
    "  location / { return 404; }",
    "}",
    "",
  ];
  const text = lines.join("\n");
  const version = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return text.replace("/site/VERSION", `/site/${version}`);

  function location(name: string, upstream: string, how: readonly string[]): string[] {
    const pass = app.server === "fpm" ? `fastcgi_pass ${upstream};` : `proxy_pass http://${upstream};`;
    return [`  location @${name} {`, ...[pass, ...how].map((line) => `    ${line}`), "  }"];
  }

  /** What is answered with a file, and what by the application. @param at the place that has limits of its own */
  function found(at: string): string[] {
    return [
      `location ~ \\.php$ { try_files /nonexistent @app${at}; }`,
      "location ~ /\\.(?!well-known/) { return 404; }",
      ...(app.server === "fpm" ? stored(["storage", ...served], at) : []),
      `location ~ "${HASHED}" { try_files $uri @earlier; }`,
      ...(at === "" ? ["location / { try_files $uri @app; }"] : [`try_files $uri @app${at};`]),
    ];
  }

  /** The locations of a place with limits of its own: before the patterns of the site, of which it has all. */
  function placed({ path, at, limits }: Place): string[] {
    return [...(path in proxy.redirects ? [] : [`= ${path}`]), `^~ ${path}/`].flatMap((where) => [
      `location ${where} {`,
      `  client_max_body_size ${limits.uploadLimit}m;`,
      ...(where.startsWith("=") ? [`try_files $uri @app${at};`] : found(at)).map((line) => `  ${line}`),
      "}",
    ]);
  }

  /** How requests are handed to the application, with the limits of a place, or those of the whole site. */
  function handed({ at, limits }: Pick<Place, "at" | "limits"> = { at: "", limits: proxy }): string[] {
    // A body without a length is counted where it is read.
    const how = (script: string) => [
      ...(at === "" ? [] : [`client_max_body_size ${limits.uploadLimit}m;`]),
      ...request(app, script, limits.timeout, at),
    ];
    return [
      ...location(`app${at}`, "app", how("public/index.php")),
      ...location(`any${at}`, "any", how("public/index.php")),
      ...(app.server === "fpm"
        ? location(`stored${at}`, "app", [
            ...how("/drydock/stored.php"),
            `fastcgi_param ${STORED} "${served.join(":")}";`,
          ])
        : []),
    ];
  }
}

interface Limits {
  /** MiB. */
  readonly uploadLimit: number;
  /** Seconds. */
  readonly timeout: number;
}

/** A path with limits of its own. */
interface Place {
  readonly path: string;
  /** What the names of its locations end with. */
  readonly at: string;
  readonly limits: Limits;
}

/** What a path doesn't say holds for it as it does for the one above it. */
function placesOf({ paths, uploadLimit, timeout }: Site["proxy"]): readonly Place[] {
  return Object.keys(paths).map((path, index) => {
    const above = Object.entries(paths)
      .filter(([other]) => path === other || path.startsWith(`${other}/`))
      .sort(([a], [b]) => a.length - b.length);
    const limits: Limits = Object.assign({ uploadLimit, timeout }, ...above.map(([, one]) => defined(one)));
    return { path, at: `_${index + 1}`, limits };
  });
}

/**
 * Under which path nginx says that it serves this site, and none that differs from it: not the same release with other
 * settings either.
 */
export function sitePath(text: string): string {
  const [path] = /\/site\/[0-9a-f]{12}/.exec(text) ?? [];
  if (path === undefined) throw new Error("This is not the text of a site.");
  return path;
}

/**
 * The access log, on standard output: who asked what of which site, and how long it took; without what asks for the
 * health of the site.
 */
function logging(healthPath: string, measured: boolean): string[] {
  const path = healthPath.replace(/[.%~]/g, "\\$&");
  return [
    'log_format drydock \'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
      '"$http_referer" \'',
    '  \'"$http_user_agent" "$http_host" $request_time "$upstream_addr" "$upstream_response_time"\';',
    // Read by collector/http.ts: nothing of who asked, or for what.
    ...(measured ? ["log_format measured '$status $request_time $upstream_status;';"] : []),
    'map "$server_port:$uri:$status" $drydock_logged {',
    "  volatile;",
    `  "~^${PORTS.proof}:" 0;`,
    ...(healthPath === "/" ? [] : [`  "~^[0-9]+:${path}:[23]" 0;`]),
    "  default 1;",
    "}",
  ];
}

/**
 * The replicas, and what is done where one fails. Only a request of which nothing has been sent is passed on: one that
 * has reached a replica is never done twice, slow or broken off as it may be, a GET neither. nginx's own
 * `next_upstream` can't tell the two apart. A replica that failed is left alone for two seconds; where all of them
 * have, as when a few slow requests met all, any is tried.
 */
function upstreams(addresses: readonly string[], places: readonly string[]): string[] {
  const servers = (fails: string) => addresses.map((address) => `  server ${address} max_fails=${fails};`);
  const next = (name: string, otherwise: string, at: string) => [
    `map $upstream_bytes_sent $drydock_${name}${at} {`,
    "  volatile;",
    `  "~^(?:0|-)(?:[ ,:]+(?:0|-)){0,1}$" @app${at};`,
    `  "~^(?:0|-)(?:[ ,:]+(?:0|-)){2,5}$" @any${at};`,
    `  default ${otherwise};`,
    "}",
  ];
  return [
    "upstream app {",
    "  zone app 128k;",
    ...servers("1 fail_timeout=2s"),
    "}",
    "upstream any {",
    "  zone any 128k;",
    ...servers("0"),
    "}",
    ...places.flatMap((at) => [...next("failed", "@failed", at), ...next("late", "@late", at)]),
  ];
}

/**
 * What users have stored where nginx's user may not read it: Laravel's private visibility makes folders that only PHP's
 * user can enter. PHP opens to nginx what lies in a public folder, and nginx asks once more; everything else is
 * Laravel's to answer.
 */
function stored(folders: readonly string[], at: string): string[] {
  return [
    `location ~ ^/(${folders.map(escaped).join("|")})/ {`,
    `  error_page 403 = @stored${at};`,
    `  try_files $uri @stored${at};`,
    "}",
  ];
}

/** The folders in public/ that outlive a release and are served, as their paths on the site without the first slash. */
function servedFolders({ persistent }: Site["app"]): string[] {
  return Object.entries(persistent)
    .filter(([path, { visibility }]) => visibility === "public" && path.startsWith("public/"))
    .map(([path]) => path.slice("public/".length));
}

/** A path as a regular expression has it. */
const escaped = (path: string): string => path.replace(/[.+]/g, "\\$&");
