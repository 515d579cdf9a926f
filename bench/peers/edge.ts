import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { NETWORK } from "../../contracts/edge.ts";
import { PORTS } from "../../contracts/proxy.ts";
import { docker } from "../../test/support/clone.ts";

/** Where requests are sent to. */
export interface Way {
  readonly name: string;
  readonly container: string;
  readonly port: number;
  readonly tls: boolean;
}

/** What the other servers need to stand in the edge's place. */
export interface Place {
  /** The name that they serve. */
  readonly name: string;
  /** The container of the stack's proxy, and its image: an nginx, in which the others run, too. */
  readonly proxy: { readonly container: string; readonly image: string };
  /** For configurations and the certificate. */
  readonly folder: string;
  /** Programs that were built elsewhere, by their paths. */
  readonly programs: { readonly caddy?: string | undefined; readonly traefik?: string | undefined };
}

/** Other servers that end TLS in the edge's place, in containers of its network. */
export class EdgePeers {
  readonly ways: readonly Way[];
  readonly #started: string[] = [];
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
    const { caddy, traefik } = place.programs;
    const pair = this.#certificate();
    try {
      this.ways = [
        this.#nginx(pair),
        ...(caddy === undefined ? [] : [this.#caddy(pair, caddy)]),
        ...(traefik === undefined ? [] : [this.#traefik(pair, traefik)]),
      ];
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  remove(): void {
    if (this.#started.length > 0) docker("rm", "--force", ...this.#started);
  }

  get #upstream(): string {
    return `${this.#place.proxy.container}:${PORTS.site}`;
  }

  /** By their paths in a container. */
  #certificate(): Readonly<Record<string, string>> {
    const { folder, name } = this.#place;
    const [certificate, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"],
        ...["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, "-keyout", key, "-out", certificate],
      ],
      { stdio: "ignore" },
    );
    return { "/tls/cert.pem": certificate, "/tls/key.pem": key };
  }

  #nginx(pair: Readonly<Record<string, string>>): Way {
    const configuration = this.#write(
      "nginx.conf",
      `worker_processes auto; pid /tmp/nginx.pid; error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  upstream site { server ${this.#upstream}; keepalive 32; }
  server {
    listen 8443 ssl http2;
    server_name ${this.#place.name};
    ssl_certificate /tls/cert.pem; ssl_certificate_key /tls/key.pem;
    ssl_session_cache shared:s:10m;
    location / {
      proxy_pass http://site;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
    }
  }
}
`,
    );
    const files = { ...pair, "/bench/nginx.conf": configuration };
    return this.#start("nginx", files, "nginx", "-c", "/bench/nginx.conf", "-g", "daemon off;");
  }

  #caddy(pair: Readonly<Record<string, string>>, program: string): Way {
    const configuration = this.#write(
      "Caddyfile",
      `{
  admin off
  auto_https off
}
https://${this.#place.name}:8443 {
  tls /tls/cert.pem /tls/key.pem
  reverse_proxy ${this.#upstream}
}
`,
    );
    const files = { ...pair, "/bench/Caddyfile": configuration, "/bench/caddy": resolve(program) };
    const words = ["run", "--config", "/bench/Caddyfile", "--adapter", "caddyfile"];
    return this.#start("caddy", files, "/bench/caddy", ...words);
  }

  #traefik(pair: Readonly<Record<string, string>>, program: string): Way {
    const dynamic = this.#write(
      "dynamic.yml",
      `http:
  routers: { site: { rule: "Host(\`${this.#place.name}\`)", service: site, entryPoints: [web], tls: {} } }
  services: { site: { loadBalancer: { servers: [{ url: "http://${this.#upstream}" }] } } }
tls: { certificates: [{ certFile: /tls/cert.pem, keyFile: /tls/key.pem }] }
`,
    );
    return this.#start(
      "traefik",
      { ...pair, "/bench/dynamic.yml": dynamic, "/bench/traefik": resolve(program) },
      ...["/bench/traefik", "--entryPoints.web.address=:8443", "--providers.file.filename=/bench/dynamic.yml"],
      ...["--log.level=ERROR", "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"],
    );
  }

  #start(name: string, files: Readonly<Record<string, string>>, ...command: string[]): Way {
    const container = `drydock-bench-${name}-${process.pid}`;
    const mounts = Object.entries(files).flatMap(([path, source]) => ["--volume", `${source}:${path}:ro`]);
    this.#started.push(container);
    const [entry, ...rest] = command;
    docker(
      ...["run", "--detach", "--name", container, "--label", "drydock.bench=edge", "--network", NETWORK, "--user", "0"],
      ...["--entrypoint", entry!, ...mounts, this.#place.proxy.image, ...rest],
    );
    return { name, container, port: 8443, tls: true };
  }

  #write(name: string, text: string): string {
    const file = join(this.#place.folder, name);
    writeFileSync(file, text);
    return file;
  }
}
