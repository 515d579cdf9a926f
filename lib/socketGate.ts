/**
 * The gate before Docker's socket, as the arguments of its container: nginx, which lets four questions pass and refuses
 * all else. None of them shows a file of a container or changes anything. It is one text, so that a rule can tell this
 * container from any other that mounts the socket.
 */

/** Where the socket is in the gate's container. */
export const GATE_SOCKET = "/run/docker.sock";

const configuration = (port: number) => `worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr crit;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  client_max_body_size 1k;
  server {
    listen ${port};
    if ($request_method != GET) { return 403; }
    location = /healthz { return 200; }
    location = /info { proxy_pass http://unix:${GATE_SOCKET}:; }
    location = /containers/json { proxy_pass http://unix:${GATE_SOCKET}:; }
    location ~ "^/containers/[0-9a-f]{12,64}/json$" { proxy_pass http://unix:${GATE_SOCKET}:; }
    location ~ "^/containers/[0-9a-f]{12,64}/stats$" {
      if ($arg_stream != false) { return 403; }
      proxy_pass http://unix:${GATE_SOCKET}:;
    }
    location / { return 403; }
  }
}
`;

/** What the gate's container runs: the whole of it is known before it is made. */
export function gateCommand(port: number): { readonly entrypoint: string[]; readonly command: string[] } {
  return {
    entrypoint: ["/bin/sh", "-c"],
    command: [`cat > /tmp/gate.conf <<'END'\n${configuration(port)}END\nexec nginx -c /tmp/gate.conf -g 'daemon off;'`],
  };
}
