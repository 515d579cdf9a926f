import { createHash } from "node:crypto";
import { certificateProblem, namesOf } from "../../config/domains.ts";
import type { Settings } from "../../config/settings.ts";
import { PLACES } from "../../contracts/edge.ts";
import { PORTS } from "../../contracts/proxy.ts";
import { challenge, type EdgeTraits, listens } from "./edge.ts";
import { redirecting } from "./redirects.ts";

type Domain = Settings["domains"][number];

/** What a stack's route is made of. */
export interface Route {
  /** Names the stack on its machine, whatever else runs there: letters, digits and hyphens. */
  readonly id: string;
  /** Where its proxy is: a name in the edge's network. */
  readonly proxy: string;
  readonly domains: readonly Domain[];
  readonly edge: EdgeTraits;
}

/** The files of a name are called after it; no file's name has an asterisk. */
export const fileOf = (name: string): string => name.replace("*", "_");

/** Where the passwords of a stack's visitors are, from the edge's state on. */
const usersPath = (id: string, domain: number, path = ""): string =>
  `own/${id}-${domain}${path === "" ? "" : `-${short(path)}`}.users`;
const usersFile = (...of: Parameters<typeof usersPath>): string => `${PLACES.state}/${usersPath(...of)}`;

/** Names a path where it can't stand itself. */
const short = (path: string): string => createHash("sha256").update(path).digest("hex").slice(0, 8);

/**
 * A stack's part of the edge's configuration: its names, each with its certificate, and its proxy. Every name, path and
 * address in it was judged by config/schema/domains.ts, which takes none that could end a word or a line here.
 */
export function routeConfiguration({ id, proxy, domains, edge }: Route): string {
  const upstream = `drydock_${id}`;
  return [
    `upstream ${upstream} {`,
    `  zone ${upstream} 128k;`,
    `  server ${proxy}:${PORTS.site} resolve max_fails=0;`,
    "  keepalive 32;",
    // Less than the proxy's own keepalive_min_timeout: a connection that is used again is never one that it closes.
    "  keepalive_timeout 5s;",
    "}",
    ...domains.flatMap((domain, index) => [
      ...zones(id, index, domain),
      ...furtherNames(domain, edge),
      ...serving(upstream, id, index, domain, edge),
    ]),
    "",
  ].join("\n");
}

/** What one name's server begins with: where it listens, and its certificate. */
function server(name: string, edge: EdgeTraits): string[] {
  // One level below, as in a certificate.
  const names = name.startsWith("*.") ? `~^[a-z0-9_-]+[.]${name.slice(2).replaceAll(".", "[.]")}$` : name;
  const file = `${PLACES.certificates}/live/${fileOf(name)}$drydock_live.pem`;
  return [
    "server {",
    ...listens(edge, false).map((line) => `  ${line}`),
    ...listens(edge, true).map((line) => `  ${line}`),
    `  server_name ${names};`,
    `  ssl_certificate ${file};`,
    `  ssl_certificate_key ${file};`,
    ...challenge.map((line) => `  ${line}`),
  ];
}

const port = ({ httpsPort }: EdgeTraits): string => (httpsPort === 443 ? "" : `:${httpsPort}`);

function furtherNames({ name, redirectFrom }: Domain, edge: EdgeTraits): string[] {
  return redirectFrom.flatMap((from) => [
    ...server(from, edge),
    `  location / { return 308 https://${name}${port(edge)}$request_uri; }`,
    "}",
  ]);
}

const HSTS: Readonly<Record<Domain["hsts"], string | undefined>> = {
  auto: "max-age=31536000",
  subdomains: "max-age=31536000; includeSubDomains",
  preload: "max-age=63072000; includeSubDomains; preload",
  off: undefined,
};

function serving(upstream: string, id: string, index: number, domain: Domain, edge: EdgeTraits): string[] {
  const { name, noindex, access, redirects } = domain;
  const hsts = HSTS[domain.hsts];
  const headers = (silent: boolean) => [
    "add_header Strict-Transport-Security $drydock_hsts always;",
    ...(edge.http3 ? [`add_header Alt-Svc 'h3=":${edge.httpsPort}"; ma=86400' always;`] : []),
    ...(silent ? ["add_header X-Robots-Tag noindex always;"] : []),
  ];
  return [
    ...server(name, edge),
    '  set $drydock_hsts "";',
    `  if ($drydock_plain) { return 308 https://$host${port(edge)}$request_uri; }`,
    ...(hsts === undefined
      ? []
      : [
          // The file is there as long as the name's certificate has proven itself.
          `  if (-f ${PLACES.certificates}/proven/${fileOf(name)}) { set $drydock_hsts "${hsts}"; }`,
          "  proxy_hide_header Strict-Transport-Security;",
        ]),
    // Of a path that an application could read in another way nobody knows whether it may be seen.
    ...(Object.keys(domain.paths).length > 0 ? ["  if ($drydock_crooked) { return 400; }"] : []),
    ...[...headers(noindex), ...guarded(access, usersFile(id, index))].map((line) => `  ${line}`),
    ...redirecting(redirects).map((line) => `  ${line}`),
    ...places(domain, id, index).flatMap(({ path, silent, lines }) =>
      locations(path, path in redirects).flatMap((location) => [
        `  location ${location} {`,
        // Those of the server count only where a location has none of its own.
        ...[...(silent && !noindex ? headers(true) : []), ...lines].map((line) => `    ${line}`),
        `    proxy_pass http://${upstream};`,
        "  }",
      ]),
    ),
    "}",
  ];
}

/**
 * The locations of a path and of what is below it: /login is not /login-help. An application takes what comes after its
 * script's name for the path, so that is the same place.
 */
function locations(path: string, redirected: boolean): string[] {
  if (path === "/") return ["/"];
  return ["", "/index.php"].flatMap((script) => [
    ...(redirected && script === "" ? [] : [`= ${script}${path}`]),
    `^~ ${script}${path}/`,
  ]);
}

/** Who gets in. @param inner whether this is below a place where others do */
function guarded({ users, allow }: Pick<Domain["access"], "users" | "allow">, file: string, inner = false): string[] {
  const people = Object.keys(users).length > 0;
  return [
    ...(people && allow.length > 0 ? ["satisfy any;"] : inner ? ["satisfy all;"] : []),
    ...(allow.length > 0 ? [...allow.map((range) => `allow ${range};`), "deny all;"] : inner ? ["allow all;"] : []),
    ...(people
      ? ['auth_basic "This site is not public";', `auth_basic_user_file ${file};`]
      : inner
        ? ["auth_basic off;"]
        : []),
  ];
}

const isBelow = (path: string, above: string): boolean =>
  above === "/" || path === above || path.startsWith(`${above}/`);

/** Of these paths the longest one that a path is below. */
const nearest = (path: string, all: readonly string[]): string | undefined =>
  all.filter((above) => isBelow(path, above)).sort((a, b) => b.length - a.length)[0];

interface Place {
  readonly path: string;
  /** Whether search engines are asked to leave it out. */
  readonly silent: boolean;
  readonly lines: readonly string[];
}

/** The paths for which something is said, each with all that holds there, and `/`. */
function places({ access, limits, paths }: Domain, id: string, index: number): Place[] {
  const closed = Object.keys(paths).filter((path) => isGuarded(paths[path]!));
  const all = [...new Set([...access.open, ...Object.keys(limits), ...Object.keys(paths), "/"])].sort();
  return all.map((path) => {
    const limit = nearest(path, Object.keys(limits));
    const guard = nearest(path, [...access.open, ...closed]);
    const open = guard !== undefined && access.open.includes(guard);
    return {
      path,
      silent: Object.keys(paths).some((above) => isBelow(path, above) && paths[above]!.noindex),
      lines: [
        ...(open ? ["if ($drydock_crooked) { return 400; }", "auth_basic off;", "allow all;"] : []),
        ...(guard === undefined || open ? [] : guarded(paths[guard]!, usersFile(id, index, guard), true)),
        ...(limit === undefined ? [] : [`limit_req zone=${zone(id, index, limit)}${burst(limits[limit]!.burst)};`]),
      ],
    };
  });
}

/** Whether a path says who gets in. */
const isGuarded = ({ users, allow }: Domain["paths"][string]): boolean =>
  Object.keys(users).length > 0 || allow.length > 0;

const burst = (count: number): string => (count === 0 ? "" : ` burst=${count} nodelay`);

const zone = (id: string, index: number, path: string): string => `limit_${id}_${index}_${short(path)}`;

function zones(id: string, index: number, { limits }: Domain): string[] {
  return Object.entries(limits).map(
    ([path, { rate }]) => `limit_req_zone $binary_remote_addr zone=${zone(id, index, path)}:1m rate=${rate}r/m;`,
  );
}

/** What the certificates' keeper is told of a stack's names. */
interface Wanted {
  readonly stack: string;
  readonly names: readonly string[];
}

/** One file that a stack puts into the edge's state. */
export interface EdgeFile {
  /** From the state's folder. */
  readonly path: string;
  readonly content: string;
}

/** Every file of a stack in the edge's state; those of `own/` are secrets. */
export function filesOf(route: Route, stack: string): { readonly plain: EdgeFile[]; readonly secret: EdgeFile[] } {
  const { id, domains } = route;
  const wanted: Wanted = { stack, names: namesOf(domains).map(({ name }) => name) };
  return {
    plain: [
      { path: `wanted/${id}.json`, content: `${JSON.stringify(wanted)}\n` },
      { path: `routes/${id}.conf`, content: routeConfiguration(route) },
    ],
    secret: domains.flatMap(({ name, redirectFrom, access, paths, certificate }, index) => [
      ...usersOf(access.users, usersPath(id, index)),
      ...Object.entries(paths).flatMap(([path, { users }]) => usersOf(users, usersPath(id, index, path))),
      ...(certificate === undefined ? [] : ownOf(certificate, name, redirectFrom)),
    ]),
  };
}

/** The user's certificate for a name, and for those of its further names that it is for as well. */
function ownOf(
  certificate: NonNullable<Settings["domains"][number]["certificate"]>,
  name: string,
  further: readonly string[],
): EdgeFile[] {
  const content = `${certificate.chain.trim()}\n${certificate.key.trim()}\n`;
  const names = [name, ...further.filter((one) => certificateProblem(certificate, [one]) === undefined)];
  return names.map((one) => ({ path: `own/${fileOf(one)}.pem`, content }));
}

/** Passwords as nginx reads them: salted SHA-1, of what it knows the one that needs no other library. */
function usersOf(users: Readonly<Record<string, string>>, path: string): EdgeFile[] {
  if (Object.keys(users).length === 0) return [];
  const lines = Object.entries(users).map(([user, password]) => {
    // The same each time, so that nothing changes where nothing was changed.
    const salt = createHash("sha256").update(`${path}\0${user}\0${password}`).digest().subarray(0, 8);
    const hash = createHash("sha1").update(password).update(salt).digest();
    return `${user}:{SSHA}${Buffer.concat([hash, salt]).toString("base64")}\n`;
  });
  return [{ path, content: lines.join("") }];
}
