import { isLoopback } from "../../config/hosts.ts";
import { FOLDERS, PORTS } from "../../contracts/proxy.ts";
import type { Maintenance } from "./state.ts";

/** Where nginx finds them in the proxy. */
const FOLDER = FOLDERS.maintenance;

/** The page's path on the site; the site's configuration has the same one. */
export const PAGE = "drydock-maintenance.html";

const COOKIE = "drydock_maintenance";

/**
 * The files of one generation of maintenance mode, by name. The site's configuration includes each kind at its place:
 * `http*.conf` beside the servers, `server*.conf` in the site's, `page*.conf` in the page's location, `status*.conf` in
 * the server of the release's check. Every value has been validated: nothing here can be read by nginx in another way
 * than meant.
 */
export function filesOf(state: Maintenance, generation: string): Readonly<Record<string, string>> {
  const { allow, retryAfter, pass } = state;
  return {
    "state.json": `${JSON.stringify(state, null, 2)}\n`,
    [PAGE]: state.page ?? generatedPage(state),
    "http.conf": lines(
      "geo $drydock_allowed {",
      "  default 0;",
      ...new Set(allow.map((range) => `  ${range} 1;`)),
      // Requests of the host itself come from the gateway of the proxy's network; which one that is, the proxy knows.
      ...(allow.some(isLoopback) ? ["  include /tmp/host/geo.conf;"] : []),
      "}",
      "map $cookie_drydock_maintenance $drydock_guest {",
      "  default 0;",
      ...(pass === null ? [] : [`  "~^${pass.cookie}$" 1;`]),
      "}",
      'map $drydock_scheme $drydock_secure { default ""; https "; Secure"; }',
      // Volatile: the page itself is asked for in the same request, under another path.
      'map "$server_port:$drydock_allowed$drydock_guest:$uri" $drydock_closed {',
      "  volatile;",
      "  default 1;",
      `  "~^${PORTS.proof}:" 0;`,
      '  "~^[0-9]+:[01]*1" 0;',
      `  "~^[0-9]+:[01]+:/${PAGE.replace(".", "\\.")}$" 0;`,
      ...(pass === null ? [] : [`  "~^[0-9]+:[01]+:/${pass.path}$" 0;`]),
      "}",
    ),
    "server.conf": lines(
      "if ($drydock_closed) { return 503; }",
      `error_page 503 /${PAGE};`,
      ...(pass === null
        ? []
        : [
            `location = /${pass.path} {`,
            "  access_log off;",
            "  absolute_redirect off;",
            `  add_header Set-Cookie "${COOKIE}=${pass.cookie}; Path=/; Max-Age=86400; HttpOnly; ` +
              'SameSite=Lax$drydock_secure" always;',
            '  add_header Cache-Control "no-store" always;',
            '  add_header Referrer-Policy "no-referrer" always;',
            "  return 302 /;",
            "}",
          ]),
    ),
    "page.conf": lines(
      `root ${FOLDER}/${generation};`,
      "charset utf-8;",
      `add_header Retry-After ${retryAfter} always;`,
      'add_header Cache-Control "no-store" always;',
      "add_header X-Drydock-Maintenance on always;",
      // Without the page there is nginx's own, and still no 404.
      `if (!-f ${FOLDER}/${generation}/${PAGE}) { return 503; }`,
    ),
    "status.conf": lines(`location = /maintenance/${generation} { return 200; }`),
  };
}

const lines = (...all: readonly string[]): string => `${all.join("\n")}\n`;

/** One self-contained page: it needs nothing from the site, which is closed. */
export function generatedPage({ message }: Pick<Maintenance, "message">): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Down for maintenance</title>
<style>
  :root { color-scheme: light dark; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 1.1rem/1.6 system-ui, sans-serif; }
  main { max-width: 34rem; padding: 2rem; text-align: center; }
  p { white-space: pre-line; overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<h1>Down for maintenance</h1>
<p>${escaped(message)}</p>
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
