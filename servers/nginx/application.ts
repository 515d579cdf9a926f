import type { Settings } from "../../config/settings.ts";
import { forwarded } from "./visitors.ts";
import { httpHeaders } from "./workers.ts";

/** How a request is handed to the application: the same for the first try and for the next. */
export function request(
  app: Pick<Settings["app"], "server" | "path">,
  script: string,
  timeout: number,
  at: string,
): string[] {
  const protocol = app.server === "fpm" ? "fastcgi" : "proxy";
  return [
    ...(app.server === "fpm" ? fastcgi(app.path, script) : httpHeaders),
    "expires off;",
    `${protocol}_connect_timeout 1s;`,
    // Between two of its answer's parts, so that a stream may last.
    `${protocol}_read_timeout ${timeout}s;`,
    `${protocol}_send_timeout ${timeout}s;`,
    `${protocol}_next_upstream off;`,
    // A header that is larger than this is an error.
    `${protocol}_buffer_size 64k;`,
    `${protocol}_buffers 16 16k;`,
    `error_page 502 = $drydock_failed${at};`,
    `error_page 504 = $drydock_late${at};`,
    "recursive_error_pages on;",
  ];
}

/** All of PHP's parameters: those in nginx's packages differ. */
function fastcgi(path: string, script: string): string[] {
  const parameters: Readonly<Record<string, string>> = {
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_SOFTWARE: "nginx/$nginx_version",
    SERVER_PROTOCOL: "$server_protocol",
    QUERY_STRING: "$query_string",
    REQUEST_METHOD: "$request_method",
    REQUEST_URI: "$request_uri",
    DOCUMENT_URI: "$document_uri",
    CONTENT_TYPE: "$content_type",
    CONTENT_LENGTH: "$content_length",
    SCRIPT_FILENAME: script.startsWith("/") ? script : `${path}/${script}`,
    SCRIPT_NAME: "/index.php",
    DOCUMENT_ROOT: `${path}/public`,
    REMOTE_ADDR: "$remote_addr",
    REMOTE_PORT: "$remote_port",
    REMOTE_USER: "$remote_user",
    SERVER_ADDR: "$server_addr",
    SERVER_PORT: "$server_port",
    SERVER_NAME: "$drydock_name",
    REQUEST_SCHEME: "$drydock_scheme",
    REDIRECT_STATUS: "200",
  };
  return [
    ...Object.entries(parameters).map(([name, value]) => `fastcgi_param ${name} ${value};`),
    "fastcgi_param HTTPS $drydock_https if_not_empty;",
    ...forwarded.map(
      ([header, value]) =>
        `fastcgi_param HTTP_${header.toUpperCase().replaceAll("-", "_")} ${value === "" ? '""' : value} if_not_empty;`,
    ),
  ];
}
