import type { Context } from "./context.ts";

/**
 * What nginx starts with: no site yet, only an answer to its own health check. It never changes with a release, because it is an input of
 * the container. Temporary files are in the volume, not in memory, which is limited.
 */
export const bootConfiguration = `worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr warn;
worker_shutdown_timeout 300s;
events { worker_connections 4096; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log off;
  server_tokens off;
  client_body_temp_path /var/lib/drydock/body;
  proxy_temp_path /var/lib/drydock/proxy;
  fastcgi_temp_path /var/lib/drydock/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {
    listen 127.0.0.1:8089;
    location = /healthz { return 200; }
  }
  include /var/lib/drydock/site*.conf;
}
`;

/** Where the files of maintenance mode are, while it is on; each has its place in the site (see cli/maintenance/files.ts). */
const maintenance = "/var/lib/drydock/maintenance/current";

/** The page that visitors get in maintenance mode. */
const maintenancePage = "/drydock-maintenance.html";

/**
 * The files of maintenance mode alone, without a site: whether nginx takes them says whether they were damaged. The site itself may
 * be refused for another reason, such as a replica's name that can't be resolved right now.
 */
export const maintenanceCheck = `pid /tmp/check.pid;
error_log stderr crit;
events {}
http {
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  map $scheme $drydock_scheme { default $scheme; }
  include ${maintenance}/http*.conf;
  server {
    listen 127.0.0.1:8088;
    include ${maintenance}/server*.conf;
    location = ${maintenancePage} { include ${maintenance}/page*.conf; }
  }
  server {
    listen 127.0.0.1:8087;
    include ${maintenance}/status*.conf;
  }
}
`;

/** The site, as one release needs it: its replicas, and what the stack's file says about uploads, compression, headers and time limits. */
export function siteConfiguration(
  context: Context,
  replicas: readonly string[],
  servers: readonly { readonly worker: string; readonly names: readonly string[] }[] = [],
): string {
  const { app, proxy } = context.settings;
  const addresses = replicas.map((replica) => `${replica}:${app.port}`);
  const headers = Object.entries(proxy.headers).map(([name, value]) => `add_header ${name} "${value.replace(/["\\]/g, "\\$&")}" always;`);
  const lines = [
    "sendfile on;",
    "tcp_nopush on;",
    "access_log /dev/stdout;",
    `client_max_body_size ${proxy.uploadLimit}m;`,
    "resolver 127.0.0.11 valid=5s;",
    ...(proxy.gzip
      ? ["gzip on;", "gzip_vary on;", "gzip_proxied any;", "gzip_types text/css text/plain application/javascript application/json image/svg+xml;"]
      : []),
    // The client's address and scheme are only believed when a trusted proxy says so.
    ...proxy.trustedProxies.map((range) => `set_real_ip_from ${range};`),
    ...(proxy.trustedProxies.length > 0 ? ["real_ip_header X-Forwarded-For;", "real_ip_recursive on;"] : []),
    "geo $realip_remote_addr $drydock_trusted {",
    "  default 0;",
    ...proxy.trustedProxies.map((range) => `  ${range} 1;`),
    "}",
    'map "$drydock_trusted:$http_x_forwarded_proto" $drydock_scheme { "1:https" https; default $scheme; }',
    'map $drydock_scheme $drydock_https { https on; default ""; }',
    // A pattern that matches no file includes nothing: that is how maintenance mode is off, in every release.
    `include ${maintenance}/http*.conf;`,
    "upstream app {",
    "  zone app 128k;",
    ...addresses.map((address) => `  server ${address} max_fails=1 fail_timeout=2s;`),
    "}",
    ...servers.flatMap(({ worker, names }) => serverUpstream(context, worker, names)),
    'map $http_upgrade $drydock_connection { default upgrade; "" ""; }',
    "server {",
    "  listen 8080 default_server;",
    // The same site for the probes of a release, which come from inside: never published, and never closed for maintenance.
    "  listen 8091;",
    "  root /srv/public;",
    ...headers.map((header) => `  ${header}`),
    `  include ${maintenance}/server*.conf;`,
    `  location = ${maintenancePage} {`,
    "    internal;",
    ...headers.map((header) => `    ${header}`),
    `    include ${maintenance}/page*.conf;`,
    "  }",
    "  location / { try_files $uri @app; }",
    // Names in build/ carry a hash of their content: Vite's default folder.
    "  location /build/ {",
    "    try_files $uri @app;",
    "    expires 1y;",
    ...headers.map((header) => `    ${header}`),
    "  }",
    ...servers.flatMap(({ worker }) => serverLocations(context, worker)).map((line) => `  ${line}`),
    "  location ~ \\.php$ { try_files /nonexistent @app; }",
    "  location ~ /\\.(?!well-known/) { return 404; }",
    "  location @app {",
    ...(app.server === "fpm" ? fastcgi(app.path, proxy.timeout) : http(proxy.timeout)).map((line) => `    ${line}`),
    "  }",
    "}",
    "server {",
    "  listen 8090;",
    `  location = /release/${context.release} { return 200; }`,
    // A new replica asks these what they have compiled (runtime/ready.php).
    ...(app.server === "fpm" ? [`  location = /replicas { return 200 "${addresses.join(",")}"; }`] : []),
    `  include ${maintenance}/status*.conf;`,
    "  location / { return 404; }",
    "}",
    "",
  ];
  return lines.join("\n");
}

/** A request is tried on another replica only where that can't repeat what it does: a POST that was sent is never sent again. */
const retry = (protocol: "fastcgi" | "proxy", timeout: number) => [
  `${protocol}_connect_timeout 1s;`,
  `${protocol}_read_timeout ${timeout}s;`,
  `${protocol}_send_timeout ${timeout}s;`,
  `${protocol}_next_upstream error timeout;`,
];

function fastcgi(path: string, timeout: number): string[] {
  return [
    "fastcgi_pass app;",
    "include /etc/nginx/fastcgi_params;",
    `fastcgi_param SCRIPT_FILENAME ${path}/public/index.php;`,
    "fastcgi_param SCRIPT_NAME /index.php;",
    `fastcgi_param DOCUMENT_ROOT ${path}/public;`,
    "fastcgi_param REQUEST_SCHEME $drydock_scheme;",
    "fastcgi_param HTTPS $drydock_https if_not_empty;",
    'fastcgi_param HTTP_PROXY "";',
    "fastcgi_buffers 16 16k;",
    "fastcgi_buffer_size 32k;",
    ...retry("fastcgi", timeout),
  ];
}

function http(timeout: number): string[] {
  return [
    "proxy_pass http://app;",
    "proxy_http_version 1.1;",
    'proxy_set_header Connection "";',
    "proxy_set_header Host $http_host;",
    "proxy_set_header X-Real-IP $remote_addr;",
    "proxy_set_header X-Forwarded-For $remote_addr;",
    "proxy_set_header X-Forwarded-Proto $drydock_scheme;",
    ...retry("proxy", timeout),
  ];
}

/** The containers of a worker that is a server, as the proxy reaches them. */
function serverUpstream(context: Context, worker: string, names: readonly string[]): string[] {
  const { http } = context.settings.workers[worker]!;
  if (http === undefined || http.paths.length === 0) return [];
  const servers = names.map((name) => `  server ${name}:${http.port} max_fails=1 fail_timeout=2s;`);
  return [`upstream worker_${worker} {`, `  zone worker_${worker} 64k;`, ...servers, "}"];
}

/**
 * What begins with one of its paths goes to it: `^~`, so that no pattern of the site comes first. A websocket or stream may be silent for longer than a page
 * may take; its server pings it (Reverb each 30 to 60 s).
 */
function serverLocations(context: Context, worker: string): string[] {
  const { http } = context.settings.workers[worker]!;
  return (http?.paths ?? []).flatMap((path) => [
    `location ^~ ${path} {`,
    `  proxy_pass http://worker_${worker};`,
    "  proxy_http_version 1.1;",
    "  proxy_set_header Upgrade $http_upgrade;",
    "  proxy_set_header Connection $drydock_connection;",
    "  proxy_set_header Host $http_host;",
    "  proxy_set_header X-Real-IP $remote_addr;",
    "  proxy_set_header X-Forwarded-For $remote_addr;",
    "  proxy_set_header X-Forwarded-Proto $drydock_scheme;",
    "  proxy_connect_timeout 1s;",
    "  proxy_read_timeout 3600s;",
    "  proxy_send_timeout 60s;",
    "  proxy_buffering off;",
    "  proxy_next_upstream error;",
    "}",
  ]);
}
