import { execFile, execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { transformSync } from "esbuild";
import { createTar } from "nanotar";
import { ensureImages } from "../../cli/setup/images.ts";
import { keeperConfiguration, keeperSecrets } from "../../components/edge/keeper.ts";
import { type EdgeSettings, parseEdge } from "../../config/edge.ts";
import { domains as schema } from "../../config/schema/domains.ts";
import type { KeeperStatus } from "../../contracts/certificates.ts";
import { addressing, edgeAddresses, NETWORK, PLACES } from "../../contracts/edge.ts";
import { edgeConfiguration, edgeStart, traitsOf } from "../../servers/nginx/edge.ts";
import { fileOf, filesOf } from "../../servers/nginx/route.ts";
import { docker } from "./clone.ts";
import { testImage } from "./image.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** Seconds that Pebble's certificates are valid. */
export const VALIDITY = 60;
/** A name that Pebble never signs. */
export const BLOCKED = "blocked.example.com";
/** Where Pebble is, with its name server: not among the addresses that Docker gives by itself. */
const [AUTHORITY, TRIALS, DNS_API] = ["10.213.77.3", "10.213.77.4", "10.213.77.5"];

export interface RigOptions {
  /** Settings of the edge beside those that the rig needs. */
  readonly edge?: object;
  /** Seconds that certificates are valid. @default VALIDITY */
  readonly validity?: number;
  /** Id and key of the only account that the authority lets in. */
  readonly account?: { readonly kid: string; readonly hmac: string };
  /** A name that the authority for trials refuses; then there is one. */
  readonly trials?: string;
  /** MiB of the volume of the certificates. @default as much as the disk has */
  readonly space?: number;
  /** Whether there is a provider of the zone: lego's httpreq, at http://dns-api:9000. */
  readonly dns?: boolean;
}

export interface Rig {
  readonly edge: string;
  readonly keeper: string;
  /** The containers of the authorities. */
  readonly pebble: string;
  readonly trials: string | undefined;
  readonly dns: string | undefined;
  /** Published on 127.0.0.1. */
  readonly http: number;
  readonly https: number;
  /** The root by which Pebble's certificates are checked: another one each time that it starts. */
  readonly root: string;
  /** Starts what a stack's proxy is to the edge: it answers with its name, and with what it was told. */
  proxy(name: string): string;
  /** Starts a container in the edge's network. */
  run(name: string, ...words: string[]): string;
  /** Has the edge send a stack's domains to that proxy; what the script said, and its exit code. */
  join(id: string, stack: string, proxy: string, domains: readonly object[]): Promise<{ code: number; said: string }>;
  leave(id: string, stack: string): Promise<void>;
  /** Has a next edge of that image, with these ports, be judged; what the script said, and its exit code. */
  check(next?: { image?: string; ports?: string }): Promise<{ code: number; said: string }>;
  status(): KeeperStatus;
  /** Waits until the name has a certificate of the authority's, and nginx has seen it. */
  issued(name: string, seconds?: number): Promise<void>;
  /** Makes the keeper anew, with variables of its own. */
  anotherKeeper(...variables: string[]): void;
  /** Asks Pebble for its root again. */
  renewRoot(): Promise<void>;
  down(): void;
}

/** The edge and its keeper as the program makes them, on the machine itself, with an authority beside them. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const others = docker("ps", "--all", "--quiet", "--filter", "label=drydock.role=edge");
  if (others !== "") throw new Error("this machine has an edge: ./drydock edge down first");
  const host = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
  const images = await ensureImages({ log: () => undefined, host, only: ["base", "proxy", "certificates"] });
  const pebbleImage = await testImage({ name: "drydock/pebble:2", folder: join(ROOT, "test", "support", "pebble") });
  const mark = `edge-test-${randomBytes(4).toString("hex")}`;
  const started: string[] = [];
  const volumes = ["state", "certificates", "accounts"].map((part) => `${mark}-${part}`);
  const [state, certificates, accounts] = volumes as [string, string, string];
  const named = (name: string, ...words: string[]) => [
    ...["--name", `${mark}-${name}`, "--label", `drydock.stack=${mark}`, "--network", NETWORK],
    ...words,
  ];
  const run = (name: string, ...words: string[]): string => {
    started.push(`${mark}-${name}`);
    docker("run", "--detach", ...named(name, ...words));
    return `${mark}-${name}`;
  };
  /** One that gets files before it starts. */
  const runWith = (files: Readonly<Record<string, string>>, name: string, ...words: string[]): string => {
    started.push(`${mark}-${name}`);
    docker("create", ...named(name, ...words));
    const tar = createTar(
      Object.entries(files).map(([path, data]) => ({ name: path.slice(1), data, attrs: { mode: "444" } })),
    );
    execFileSync("docker", ["cp", "-", `${mark}-${name}:/`], { input: tar });
    docker("start", `${mark}-${name}`);
    return `${mark}-${name}`;
  };
  const down = (): void => {
    if (started.length > 0) spawnSync("docker", ["rm", "--force", "--volumes", ...started]);
    spawnSync("docker", ["network", "rm", NETWORK]);
    spawnSync("docker", ["volume", "rm", ...volumes]);
  };
  try {
    const settings = (more: object): EdgeSettings =>
      parseEdge(
        {
          edge: {
            ...{ ca: "https://pebble:14000/dir", email: "ops@example.com", resolvers: [`${AUTHORITY}:8053`] },
            ...{ image: images.proxy, certificatesImage: images.certificates, hstsAfter: 0 },
            ...options.edge,
            ...more,
          },
        },
        "edge-test",
      );
    const { subnet, subnet6 } = settings({}).edge;
    const subnets = [subnet, subnet6];
    const addresses = edgeAddresses(subnets) as [string, string];
    const words = (one: ReturnType<typeof addressing>) => [
      ...["--subnet", one.subnet, "--gateway", one.gateway, "--ip-range", one.ipRange],
    ];
    docker("network", "create", "--ipv6", ...subnets.flatMap((one) => words(addressing(one))), NETWORK);
    for (const volume of volumes) {
      const small = options.space !== undefined && volume === certificates;
      const limits = small ? ["type=tmpfs", "device=tmpfs", `o=size=${options.space}m,uid=101,gid=101,mode=0755`] : [];
      docker("volume", "create", ...limits.flatMap((one) => ["--opt", one]), volume);
      const line = "mkdir /volume/.drydock && chown -R 101:101 /volume";
      docker(
        ...["run", "--rm", "--user", "0:0", "--entrypoint", "/bin/sh", "--volume", `${volume}:/volume`],
        ...[images.proxy, "-c", line],
      );
    }
    const authority = (name: string, ip: string, blocked: string, account: string) =>
      run(
        name,
        ...["--network-alias", name, "--ip", ip, "--env", `NAME=${name}`, "--env", `ADDRESS=${addresses[0]}`],
        ...["--env", `VALIDITY=${options.validity ?? VALIDITY}`, "--env", `BLOCKED=${blocked}`],
        // One name server for both.
        ...["--env", `EAB=${account}`, "--env", `DNS=${AUTHORITY}:8053`, pebbleImage],
      );
    const { account, trials: refused } = options;
    const pebble = authority(
      "pebble",
      AUTHORITY!,
      BLOCKED,
      account === undefined ? "" : `${account.kid} ${account.hmac}`,
    );
    const trials = refused === undefined ? undefined : authority("trials", TRIALS!, refused, "");
    const roots = await Promise.all([pebble, trials].map((one) => one && told(one, "cat", "/run/pebble/cert.pem")));
    const program = readFileSync(join(ROOT, "test", "support", "dnsApi.ts"), "utf8");
    const dns = !options.dns
      ? undefined
      : runWith(
          { "/program.mjs": transformSync(program, { loader: "ts" }).code },
          "dns-api",
          ...["--network-alias", "dns-api", "--ip", DNS_API!, "--init", "--entrypoint", "node"],
          ...[images.certificates, "/program.mjs", "http://pebble:8055"],
        );
    const ready = settings({
      roots: roots.join("\n"),
      ...(trials === undefined ? {} : { staging: "https://trials:14000/dir" }),
      ...(account === undefined ? {} : { eab: account }),
    });
    const common = [
      ...["--user", "101:101", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "192m"],
    ];
    const edge = run(
      "edge",
      ...["--label", "drydock.role=edge", "--ip", addresses[0], "--ip6", addresses[1], ...common, "--read-only"],
      ...["--tmpfs", "/tmp:rw,noexec,nosuid,uid=101,gid=101,mode=700,size=32m", "--stop-signal", "SIGQUIT"],
      ...["--volume", `${state}:${PLACES.state}`, "--volume", `${certificates}:${PLACES.certificates}:ro`],
      ...["--publish", "127.0.0.1::8080", "--publish", "127.0.0.1::8443", "--publish", "127.0.0.1::8443/udp"],
      ...["--entrypoint", "/bin/sh", images.proxy, "-c", edgeStart(ready)],
    );
    const files = {
      "/run/drydock/settings.json": JSON.stringify(keeperConfiguration({ settings: ready, stack: "edge-test" })),
      ...Object.fromEntries(
        Object.entries(keeperSecrets(ready.edge)).map(([file, content]) => [`/run/drydock/${file}`, content]),
      ),
    };
    // In memory, it is another one each time that somebody begins to use it.
    if (options.space !== undefined) {
      const line = "mkdir -p /volume/.drydock && chown 101:101 /volume /volume/.drydock";
      const shell = ["--entrypoint", "/bin/sh", images.proxy, "-c", line];
      docker("run", "--rm", "--user", "0:0", "--volume", `${certificates}:/volume:nocopy`, ...shell);
    }
    const startKeeper = (variables: readonly string[] = []) =>
      runWith(
        files,
        "keeper",
        ...["--label", "drydock.role=certificates", ...common, "--init"],
        ...variables.flatMap((one) => ["--env", one]),
        ...["--tmpfs", "/tmp:rw,noexec,nosuid,uid=101,gid=101,mode=700,size=16m"],
        ...["--volume", `${state}:${PLACES.state}:ro`, "--volume", `${certificates}:${PLACES.certificates}`],
        ...["--volume", `${accounts}:${PLACES.accounts}`, images.certificates],
      );
    const keeper = startKeeper();
    const port = (inside: number) => Number(docker("port", edge, `${inside}/tcp`).split(":").at(-1));
    const rootOf = () => told(pebble, "curl", "-sk", "https://localhost:15000/roots/0");
    let root = await rootOf();
    const rig: Rig = {
      ...{ edge, keeper, pebble, trials, dns, run, down },
      get root() {
        return root;
      },
      // Another one each time that the edge is started.
      get http() {
        return port(8080);
      },
      get https() {
        return port(8443);
      },
      anotherKeeper(...variables) {
        docker("rm", "--force", keeper);
        startKeeper(variables);
      },
      async renewRoot() {
        root = await rootOf();
      },
      proxy: (name) =>
        run(
          name,
          ...["--entrypoint", "/bin/sh", images.proxy, "-c"],
          `cat > /tmp/nginx.conf <<'END'
pid /tmp/nginx.pid; error_log stderr warn; events {}
http { access_log off; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p;
  fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
keepalive_min_timeout 10s;
server { listen 8080; location / { default_type text/plain; 
  return 200 "${name}|$http_host|$http_x_forwarded_for|$http_x_forwarded_proto|\
$http_x_forwarded_host|$request_uri"; } } }
END
exec nginx -c /tmp/nginx.conf -g 'daemon off;'`,
        ),
      async join(id, stack, proxy, domains) {
        const parsed = schema.parse(domains);
        const files = filesOf({ id, proxy, domains: parsed, edge: traitsOf(ready.edge) }, stack);
        const archive = (all: readonly { path: string; content: string }[]) =>
          all.map(({ path, content }) => `${path} ${Buffer.from(content).toString("base64")}\n`).join("");
        const names = parsed.flatMap(({ name, redirectFrom }) => [name, ...redirectFrom].map(fileOf));
        return await script(
          "join",
          { ID: id, STACK: stack, NAMES: names.join(" ") },
          archive([...files.plain, ...files.secret]),
        );
      },
      async leave(id, stack) {
        await script("leave", { ID: id, STACK: stack });
      },
      check: ({ image = images.proxy, ports = "" } = {}) =>
        script(
          "check",
          {
            ...{ IMAGE: image, RUN_AS: "101:101", NETWORK, STATE: state, CERTIFICATES: certificates, PORTS: ports },
            ...{ PLACES: `${PLACES.state} ${PLACES.certificates}`, LABELS: `--label drydock.stack=${mark}` },
          },
          edgeConfiguration(ready),
        ),
      status: () => JSON.parse(docker("exec", keeper, "cat", "/certs/status.json")) as KeeperStatus,
      async issued(name, seconds = 100) {
        for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(500)) {
          if (rig.status().names.some((one) => one.name === name && one.kind === "authority")) return sleep(2_500);
        }
        throw new Error(`${name} has no certificate: ${docker("logs", "--tail", "20", keeper)}`);
      },
    };
    return rig;
  } catch (error) {
    down();
    throw error;
  }
}

async function script(name: string, env: Record<string, string>, input = ""): Promise<{ code: number; said: string }> {
  const child = promisify(execFile)("sh", [`commands/edge-${name}.sh`], { cwd: ROOT, env: { ...process.env, ...env } });
  child.child.stdin!.end(input);
  try {
    const { stdout, stderr } = await child;
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, said: stdout + stderr };
  }
}

/** What a command in a container says, once it succeeds. */
async function told(container: string, ...command: string[]): Promise<string> {
  for (let tries = 0; ; tries++) {
    const { status, stdout } = spawnSync("docker", ["exec", container, ...command], { encoding: "utf8" });
    if (status === 0 && stdout.trim() !== "") return stdout.trim();
    if (tries > 100) throw new Error(`${command.join(" ")} never succeeds in ${container}`);
    await sleep(300);
  }
}
