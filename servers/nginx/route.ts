import { createHash } from "node:crypto";
import { namesOf } from "../../config/domains.ts";
import type { Settings } from "../../config/settings.ts";
import { PLACES } from "../../contracts/edge.ts";
import { challenge, type EdgeTraits, listens } from "./edge.ts";

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

/** Where the passwords of a stack's visitors are. */
const usersFile = (id: string, domain: number): string => `${PLACES.state}/own/${id}-${domain}.users`;

/**
 * A stack's part of the edge's configuration: its names, each with its certificate, and its proxy. Every name, path and
 * address in it was judged by
 * config/schema/domains.ts, which takes none that could end a word or a line here.
 */
export function routeConfiguration({ id, proxy, domains, edge }: Route): string {
  const upstream = `drydock_${id}`;
  return [
    `upstream ${upstream} {`,
    `  zone ${upstream} 128k;`,
    `  server ${proxy}:8080 resolve max_fails=0;`,
    "  keepalive 32;",
    // Less than the proxy's own keepalive_min_timeout: a connection that is used again is never one that it closes.
    "  keepalive_timeout 5s;",
    "}",
    ...domains.flatMap((domain, index) => [
      ...zones(id, index, domain),
      ...redirecting(domain, edge),
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

function redirecting({ name, redirectFrom }: Domain, edge: EdgeTraits): string[] {
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
    "  add_header Strict-Transport-Security $drydock_hsts always;",
    ...(edge.http3 ? [`  add_header Alt-Svc 'h3=":${edge.httpsPort}"; ma=86400' always;`] : []),
    ...(noindex ? ["  add_header X-Robots-Tag noindex always;"] : []),
    ...guarded(access, usersFile(id, index)),
    ...Object.entries(redirects).map(
      ([from, to]) => `  location = ${from} { return 308 ${to}${to.includes("?") ? "" : "$is_args$args"}; }`,
    ),
    ...paths(domain, id, index).flatMap(({ path, lines }) =>
      // The path itself, and what is below it: /login is not /login-help.
      (path === "/" ? ["/"] : [...(path in redirects ? [] : [`= ${path}`]), `^~ ${path}/`]).flatMap((location) => [
        `  location ${location} {`,
        ...lines.map((line) => `    ${line}`),
        `    proxy_pass http://${upstream};`,
        "  }",
      ]),
    ),
    "}",
  ];
}

/** Who gets in. */
function guarded({ users, allow }: Domain["access"], file: string): string[] {
  const people = Object.keys(users).length > 0;
  return [
    ...(people && allow.length > 0 ? ["  satisfy any;"] : []),
    ...(allow.length > 0 ? [...allow.map((range) => `  allow ${range};`), "  deny all;"] : []),
    ...(people ? ['  auth_basic "This site is not public";', `  auth_basic_user_file ${file};`] : []),
  ];
}

const isBelow = (path: string, above: string): boolean =>
  above === "/" || path === above || path.startsWith(`${above}/`);

/** The paths for which something is said, each with all that holds there, and `/`. */
function paths({ access, limits }: Domain, id: string, index: number): { path: string; lines: string[] }[] {
  const limited = Object.keys(limits);
  const all = [...new Set([...access.open, ...limited, "/"])].sort();
  return all.map((path) => {
    const open = access.open.some((above) => isBelow(path, above));
    const nearest = limited.filter((above) => isBelow(path, above)).sort((a, b) => b.length - a.length)[0];
    return {
      path,
      lines: [
        ...(open ? ["if ($drydock_crooked) { return 400; }", "auth_basic off;", "allow all;"] : []),
        ...(nearest === undefined
          ? []
          : [`limit_req zone=${zone(id, index, nearest)}${burst(limits[nearest]!.burst)};`]),
      ],
    };
  });
}

const burst = (count: number): string => (count === 0 ? "" : ` burst=${count} nodelay`);

const zone = (id: string, index: number, path: string): string =>
  `limit_${id}_${index}_${createHash("sha256").update(path).digest("hex").slice(0, 8)}`;

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
    secret: domains.flatMap(({ name, access, certificate }, index) => [
      ...(Object.keys(access.users).length === 0
        ? []
        : [{ path: `own/${id}-${index}.users`, content: usersOf(access.users, `${id}-${index}`) }]),
      ...(certificate === undefined
        ? []
        : [{ path: `own/${fileOf(name)}.pem`, content: `${certificate.chain.trim()}\n${certificate.key.trim()}\n` }]),
    ]),
  };
}

/** Passwords as nginx reads them: salted SHA-1, of what it knows the one that needs no other library. */
function usersOf(users: Readonly<Record<string, string>>, salting: string): string {
  return Object.entries(users)
    .map(([user, password]) => {
      // The same each time, so that nothing changes where nothing was changed.
      const salt = createHash("sha256").update(`${salting}\0${user}\0${password}`).digest().subarray(0, 8);
      const hash = createHash("sha1").update(password).update(salt).digest();
      return `${user}:{SSHA}${Buffer.concat([hash, salt]).toString("base64")}\n`;
    })
    .join("");
}
