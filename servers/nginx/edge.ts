import type { EdgeSettings } from "../../config/edge.ts";
import { PLACES } from "../../contracts/edge.ts";
import { PORTS } from "../../contracts/proxy.ts";
import { forwarded } from "./visitors.ts";

const { state, certificates } = PLACES;

/**
 * What the edge's nginx serves before any stack has come. It changes with the edge's own settings alone: a stack adds a
 * file of its own below `routes/`, and a certificate is read again by itself, since its file's name has a variable in
 * it.
 */
export function edgeConfiguration({ edge }: EdgeSettings): string {
  const traits = traitsOf(edge);
  const lines = [
    "worker_processes auto;",
    "worker_rlimit_nofile 16384;",
    "pid /tmp/nginx.pid;",
    "error_log stderr warn;",
    // Open websockets of the earlier configuration end then; everything else has long been answered.
    "worker_shutdown_timeout 60s;",
    "events { worker_connections 8192; }",
    "http {",
    "  default_type application/octet-stream;",
    "  server_tokens off;",
    "  client_body_temp_path /tmp/body;",
    "  proxy_temp_path /tmp/proxy;",
    "  fastcgi_temp_path /tmp/fastcgi;",
    "  uwsgi_temp_path /tmp/uwsgi;",
    "  scgi_temp_path /tmp/scgi;",
    "  include /tmp/known/*.conf;",
    "  server_names_hash_max_size 4096;",
    "  server_names_hash_bucket_size 256;",
    "  map_hash_bucket_size 256;",
    "  variables_hash_max_size 4096;",
    "  large_client_header_buffers 4 32k;",
    "  tcp_nodelay on;",
    // Of names that Docker knows, a stack's proxy that was started again has another address.
    "  resolver 127.0.0.11 valid=2s ipv6=off;",
    ...visitors(edge),
    '  log_format drydock \'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
      '"$http_referer" \'',
    '    \'"$http_user_agent" "$host" $request_time "$upstream_addr" "$upstream_response_time" $ssl_protocol\';',
    // Each write wakes Docker. No more at once than a pipe takes whole: lines of two processes never mix.
    "  access_log /dev/stdout drydock buffer=4k flush=1s;",
    // Bodies and answers pass through; the stack's own proxy is what buffers them, and limits them.
    "  client_max_body_size 0;",
    "  proxy_http_version 1.1;",
    "  proxy_request_buffering off;",
    "  proxy_max_temp_file_size 0;",
    "  proxy_buffer_size 64k;",
    "  proxy_buffers 16 16k;",
    "  proxy_busy_buffers_size 128k;",
    "  proxy_connect_timeout 2s;",
    "  proxy_read_timeout 3600s;",
    "  proxy_send_timeout 3600s;",
    "  proxy_next_upstream off;",
    "  absolute_redirect off;",
    "  limit_req_status 429;",
    ...forwardedByEdge(edge).map(([header, value]) => `  proxy_set_header ${header} ${value === "" ? '""' : value};`),
    '  map $http_upgrade $drydock_connection { "" ""; default upgrade; }',
    // What has come without encryption goes to https, but for what an authority asks.
    '  map "$drydock_scheme:$uri" $drydock_plain { "~^http:/[.]well-known/acme-challenge/" 0; "~^http:" 1; ' +
      "default 0; }",
    // Whether nginx and an application could read a path in two ways: what is said of a path holds for none of these.
    '  map $request_uri $drydock_crooked { "~*^[^?]*(//|/[.]{1,2}(/|[?]|$)|%2e|%2f|%5c|\\x5c)" 1; default 0; }',
    "  http2 on;",
    "  ssl_protocols TLSv1.2 TLSv1.3;",
    // Mozilla's intermediate list.
    "  ssl_ciphers " +
      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
      "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;",
    "  ssl_prefer_server_ciphers off;",
    "  ssl_session_cache shared:tls:8m;",
    "  ssl_session_timeout 1d;",
    // Their keys would have to be changed by a reload.
    "  ssl_session_tickets off;",
    // A variable in a certificate's path has nginx read it when it is wanted, so that a new one needs no reload.
    '  map "" $drydock_live { default ""; }',
    "  ssl_certificate_cache max=1000 valid=2s;",
    "  server {",
    `    listen 127.0.0.1:${PORTS.health};`,
    "    access_log off;",
    "    location = /healthz { return 200; }",
    "  }",
    "  server {",
    ...listens(traits, false, " default_server").map((line) => `    ${line}`),
    ...challenge.map((line) => `    ${line}`),
    "    location / { return 421; }",
    "  }",
    "  server {",
    ...listens(traits, true, " default_server", true).map((line) => `    ${line}`),
    "    ssl_reject_handshake on;",
    "  }",
    `  include ${state}/routes/*.conf;`,
    "}",
    "",
  ];
  return lines.join("\n");
}

/** Where an authority looks for what it has asked for: before everything else, whatever a site has. */
export const challenge: readonly string[] = [
  "location ^~ /.well-known/acme-challenge/ {",
  `  root ${certificates}/challenge;`,
  "  default_type text/plain;",
  "  auth_basic off;",
  "  allow all;",
  "}",
];

/** The `listen` lines of a server; the ports are those inside the container. */
export function listens(
  { ipv6, http3 }: Omit<EdgeTraits, "httpsPort">,
  tls: boolean,
  more = "",
  first = false,
): string[] {
  const families = ipv6 ? ["", "[::]:"] : [""];
  return families.flatMap((family) => [
    `listen ${family}${tls ? 8443 : PORTS.site}${tls ? " ssl" : ""}${more};`,
    ...(tls && http3 ? [`listen ${family}8443 quic${first ? " reuseport" : ""}${more};`] : []),
  ]);
}

/** Who a visitor is and how he came, where something stands in front of the edge. */
function visitors({ trustedProxies }: EdgeSettings["edge"]): string[] {
  return [
    ...trustedProxies.map((range) => `  set_real_ip_from ${range};`),
    ...(trustedProxies.length === 0 ? [] : ["  real_ip_header X-Forwarded-For;", "  real_ip_recursive on;"]),
    "  geo $realip_remote_addr $drydock_front {",
    "    default 0;",
    ...trustedProxies.map((range) => `    ${range} 1;`),
    "  }",
    '  map "$drydock_front:$http_x_forwarded_proto" $drydock_scheme { "~*^1: *https *(,|$)" https; default $scheme; }',
    '  map $drydock_front $drydock_cf { 1 $http_cf_connecting_ip; default ""; }',
  ];
}

/** What a stack's proxy is told of a request; what a visitor says of these himself never reaches it. */
function forwardedByEdge({ httpsPort }: EdgeSettings["edge"]): (readonly [header: string, value: string])[] {
  const said: Readonly<Record<string, string>> = {
    Host: httpsPort === 443 ? "$host" : `$host:${httpsPort}`,
    "X-Real-IP": "$remote_addr",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$drydock_scheme",
    "CF-Connecting-IP": "$drydock_cf",
    Upgrade: "$http_upgrade",
    Connection: "$drydock_connection",
  };
  const silent = forwarded.map(([header]) => header).filter((header) => said[header] === undefined);
  return [...Object.entries(said), ...silent.map((header) => [header, ""] as const)];
}

/**
 * What a stack's routes need to know of the edge that they are made for; told by the labels of its network, so that a
 * stack reads them before it changes anything.
 */
export interface EdgeTraits {
  /** The published port for https. */
  readonly httpsPort: number;
  readonly http3: boolean;
  readonly ipv6: boolean;
}

export function traitsOf({ httpsPort, http3, subnet6 }: EdgeSettings["edge"]): EdgeTraits {
  return { httpsPort, http3, ipv6: subnet6 !== "" };
}

/** How the edge starts: with what it serves by itself, and the routes that it takes. */
export function edgeStart(settings: EdgeSettings): string {
  return `mkdir -p /tmp/known /tmp/edge ${state}/routes ${state}/claims ${state}/wanted ${state}/own
chmod 0700 ${state}/own
# Other than before where what stacks have told was lost.
[ -s ${state}/generation ] || od -An -N8 -tx1 /dev/urandom | tr -d ' \\n' > ${state}/generation
cat > /tmp/edge/nginx.conf <<'END'
${edgeConfiguration(settings)}END
# nginx knows it since 1.27.4.
echo 'pid /tmp/knows.pid; events {} http { keepalive_min_timeout 10s; }' > /tmp/knows.conf
nginx -q -t -c /tmp/knows.conf 2>/dev/null && echo 'keepalive_min_timeout 10s;' > /tmp/known/keepalive.conf
accepted() { nginx -q -t -c /tmp/edge/nginx.conf; }
# A stack's route that this nginx refuses keeps no other site down.
if ! accepted; then
  for route in ${state}/routes/*.conf; do [ ! -e "$route" ] || mv "$route" "$route.aside"; done
  for aside in ${state}/routes/*.aside; do
    [ -e "$aside" ] || continue
    route=\${aside%.aside}
    mv "$aside" "$route"
    accepted 2>/dev/null || { mv "$route" "$route.refused"; \
echo "edge: $route is refused and was set aside; its stack writes it anew: ./drydock up" >&2; }
  done
fi
exec nginx -c /tmp/edge/nginx.conf -g 'daemon off;'`;
}
