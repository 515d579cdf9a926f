import type { Settings } from "../../config/settings.ts";
import { forwarded } from "./visitors.ts";

/** The containers of a worker that is a server, as the proxy reaches them. */
export interface Server {
  readonly worker: string;
  /** Names of its containers. */
  readonly names: readonly string[];
  /** Its port, and the paths that the proxy hands to it. */
  readonly http: Settings["workers"][string]["http"];
}

/** The containers of such a worker, for nginx. */
export function serverUpstream({ worker, names, http }: Server): string[] {
  if (http === undefined || http.paths.length === 0) return [];
  const servers = names.map((name) => `  server ${name}:${http.port} max_fails=1 fail_timeout=2s;`);
  return [`upstream worker_${worker} {`, `  zone worker_${worker} 64k;`, ...servers, "}"];
}

/**
 * What begins with one of its paths goes to it: `^~`, so that no pattern of the site comes first. A websocket or stream
 * may be silent for longer than a page may take; its server pings it (Reverb each 30 to 60 s).
 */
export function serverLocations({ worker, http }: Server): string[] {
  return (http?.paths ?? []).flatMap((path) => [
    `location ^~ ${path} {`,
    `  proxy_pass http://worker_${worker};`,
    ...httpHeaders.map((line) => `  ${line}`),
    "  expires off;",
    "  proxy_connect_timeout 1s;",
    "  proxy_read_timeout 3600s;",
    "  proxy_send_timeout 60s;",
    "  proxy_buffering off;",
    "  proxy_next_upstream error;",
    "}",
  ]);
}

/** What a server of its own is told of a request; `$drydock_connection` is the site's. */
export const httpHeaders: readonly string[] = [
  "proxy_http_version 1.1;",
  "proxy_set_header Upgrade $http_upgrade;",
  "proxy_set_header Connection $drydock_connection;",
  ...forwarded.map(([header, value]) => `proxy_set_header ${header} ${value === "" ? '""' : value};`),
];
