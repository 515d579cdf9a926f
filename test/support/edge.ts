import { execFile, execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ensureImages } from "../../cli/setup/images.ts";
import { keeperConfiguration } from "../../components/edge/keeper.ts";
import { type EdgeSettings, parseEdge } from "../../config/edge.ts";
import { domains as schema } from "../../config/schema/domains.ts";
import type { KeeperStatus } from "../../contracts/certificates.ts";
import { addressing, edgeAddresses, NETWORK, PLACES } from "../../contracts/edge.ts";
import { edgeStart, traitsOf } from "../../servers/nginx/edge.ts";
import { fileOf, filesOf } from "../../servers/nginx/route.ts";
import { docker } from "./clone.ts";
import { testImage } from "./image.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** Seconds that Pebble's certificates are valid. */
export const VALIDITY = 60;
/** A name that Pebble never signs. */
export const BLOCKED = "blocked.example.com";

export interface Rig {
  readonly edge: string;
  readonly keeper: string;
  /** Published on 127.0.0.1. */
  readonly http: number;
  readonly https: number;
  /** The root by which Pebble's certificates are checked. */
  readonly root: string;
  /** Starts what a stack's proxy is to the edge: it answers with its name, and with what it was told. */
  proxy(name: string): string;
  /** Has the edge send a stack's domains to that proxy; what the script said, and its exit code. */
  join(id: string, stack: string, proxy: string, domains: readonly object[]): Promise<{ code: number; said: string }>;
  leave(id: string, stack: string): Promise<void>;
  status(): KeeperStatus;
  down(): void;
}

/** The edge and its keeper as the program makes them, on the machine itself, with an authority beside them. */
export async function startRig(): Promise<Rig> {
  const others = docker("ps", "--all", "--quiet", "--filter", "label=drydock.role=edge");
  if (others !== "") throw new Error("this machine has an edge: ./drydock edge down first");
  const host = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
  const images = await ensureImages({ log: () => undefined, host, only: ["base", "proxy", "certificates"] });
  const pebbleImage = await testImage({ name: "drydock/pebble:2", folder: join(ROOT, "test", "support", "pebble") });
  const mark = `edge-test-${randomBytes(4).toString("hex")}`;
  const started: string[] = [];
  const volumes = ["state", "certificates", "accounts"].map((part) => `${mark}-${part}`);
  const [state, certificates, accounts] = volumes as [string, string, string];
  const run = (name: string, ...words: string[]): string => {
    started.push(`${mark}-${name}`);
    docker(
      "run",
      "--detach",
      "--name",
      `${mark}-${name}`,
      "--label",
      `drydock.stack=${mark}`,
      "--network",
      NETWORK,
      ...words,
    );
    return `${mark}-${name}`;
  };
  const down = (): void => {
    if (started.length > 0) spawnSync("docker", ["rm", "--force", "--volumes", ...started]);
    spawnSync("docker", ["network", "rm", NETWORK]);
    spawnSync("docker", ["volume", "rm", ...volumes]);
  };
  try {
    const settings = (roots: string, resolver: string): EdgeSettings =>
      parseEdge(
        {
          edge: {
            ...{ ca: "https://pebble:14000/dir", email: "ops@example.com", roots, resolvers: [`${resolver}:8053`] },
            ...{ image: images.proxy, certificatesImage: images.certificates, hstsAfter: 0 },
          },
        },
        "edge-test",
      );
    const subnets = [settings("-----BEGIN CERTIFICATE-----", "10.0.0.1").edge.subnet, "fd64:7279:646f:636b::/64"];
    const [four, six] = subnets.map(addressing) as [ReturnType<typeof addressing>, ReturnType<typeof addressing>];
    const addresses = edgeAddresses(subnets) as [string, string];
    const words = (one: typeof four) => ["--subnet", one.subnet, "--gateway", one.gateway, "--ip-range", one.ipRange];
    docker("network", "create", "--ipv6", ...words(four), ...words(six), NETWORK);
    for (const volume of volumes) {
      docker("volume", "create", volume);
      docker(
        "run",
        "--rm",
        "--user",
        "0:0",
        "--entrypoint",
        "/bin/sh",
        "--volume",
        `${volume}:/volume`,
        images.proxy,
        "-c",
        "mkdir /volume/.drydock && chown -R 101:101 /volume",
      );
    }
    const pebble = run(
      "pebble",
      ...["--network-alias", "pebble", "--env", `ADDRESS=${addresses[0]}`, "--env", `VALIDITY=${VALIDITY}`],
      ...["--env", `BLOCKED=${BLOCKED}`, pebbleImage],
    );
    const own = await told(pebble, "cat", "/run/pebble/cert.pem");
    const resolver = docker(
      "inspect",
      "--format",
      `{{(index .NetworkSettings.Networks "${NETWORK}").IPAddress}}`,
      pebble,
    );
    const ready = settings(own, resolver);
    const common = [
      "--user",
      "101:101",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
      "--memory",
      "192m",
    ];
    const edge = run(
      "edge",
      ...["--label", "drydock.role=edge", "--ip", addresses[0], "--ip6", addresses[1], ...common, "--read-only"],
      ...["--tmpfs", "/tmp:rw,noexec,nosuid,uid=101,gid=101,mode=700,size=32m", "--stop-signal", "SIGQUIT"],
      ...["--volume", `${state}:${PLACES.state}`, "--volume", `${certificates}:${PLACES.certificates}:ro`],
      ...["--publish", "127.0.0.1::8080", "--publish", "127.0.0.1::8443"],
      ...["--entrypoint", "/bin/sh", images.proxy, "-c", edgeStart(ready)],
    );
    const keeper = `${mark}-keeper`;
    started.push(keeper);
    docker(
      ...[
        "create",
        "--name",
        keeper,
        "--label",
        "drydock.role=certificates",
        "--network",
        NETWORK,
        ...common,
        "--init",
      ],
      ...["--tmpfs", "/tmp:rw,noexec,nosuid,uid=101,gid=101,mode=700,size=16m"],
      ...["--volume", `${state}:${PLACES.state}:ro`, "--volume", `${certificates}:${PLACES.certificates}`],
      ...["--volume", `${accounts}:${PLACES.accounts}`, images.certificates],
    );
    const { createTar } = await import("nanotar");
    const data = JSON.stringify(keeperConfiguration({ settings: ready, stack: "edge-test" }));
    const tar = createTar([{ name: "run/drydock/settings.json", data, attrs: { mode: "444" } }]);
    execFileSync("docker", ["cp", "-", `${keeper}:/`], { input: tar });
    docker("start", keeper);
    const port = (inside: number) => Number(docker("port", edge, `${inside}/tcp`).split(":").at(-1));
    const root = await told(pebble, "curl", "-sk", "https://localhost:15000/roots/0");
    return {
      ...{ edge, keeper, http: port(8080), https: port(8443), root },
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
          { ID: id, STACK: stack, NAMES: names.join(" "), FILES: archive(files.plain) },
          archive(files.secret),
        );
      },
      async leave(id, stack) {
        await script("leave", { ID: id, STACK: stack });
      },
      status: () => JSON.parse(docker("exec", keeper, "cat", "/certs/status.json")) as KeeperStatus,
      down,
    };
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
