import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { transformSync } from "esbuild";
import { imageTags } from "../../cli/setup/images.ts";
import { parseConfiguration, type Settings } from "../../config/settings.ts";
import { stageOf } from "../../config/stage.ts";
import { FOLDERS } from "../../contracts/proxy.ts";
import { bootCheck, bootCommand } from "../../servers/nginx/boot.ts";
import { HASHED, type Site, siteConfiguration, sitePath } from "../../servers/nginx/site.ts";
import { fpmConfiguration } from "../../servers/php/fpm.ts";
import { docker } from "./clone.ts";
import { configuration } from "./components/program.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a replica answers with: an application of a page, without a framework, that says what it was asked. */
const APPLICATION = `<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$kept = '/var/www/html/storage/app';
if ($path === '/up') { echo 'up'; return; }
if ($path === '/who') { header('Content-Type: application/json'); echo json_encode($_SERVER); return; }
if ($path === '/count') { echo @filesize("$kept/count-" . basename($_GET['of'])) ?: 0; return; }
if ($path === '/slow') {
    file_put_contents("$kept/count-" . basename($_GET['of']), 'x', FILE_APPEND);
    if (isset($_GET['half'])) { header('X-Accel-Buffering: no'); echo 'half of an answer'; flush(); usleep(200_000); }
    if (isset($_GET['die']) || isset($_GET['half'])) { posix_kill(getmypid(), 9); }
    for ($until = microtime(true) + (float) $_GET['seconds']; microtime(true) < $until; usleep(50_000));
    echo 'done';
    return;
}
if ($path === '/stream') {
    header('X-Accel-Buffering: no');
    while (ob_get_level()) { ob_end_flush(); }
    for ($i = 0; $i < (int) $_GET['parts']; $i++) { echo "part\\n"; flush(); for ($until = microtime(true) + 1;
    microtime(true) < $until; usleep(50_000)); }
    return;
}
if ($path === '/header') { header('X-Long: ' . str_repeat('x', (int) $_GET['bytes'])); echo 'ok'; return; }
if ($path === '/body') { echo strlen(file_get_contents('php://input')); return; }
http_response_code(404);
echo "the application has no $path";
`;

const mount = (volume: string, path: string, more = "") =>
  `type=volume,source=${volume},target=${path},volume-nocopy${more}`;

/** A proxy with the project's own start and site, and replicas behind it: no stack, so it takes seconds. */
export class ProxyRig {
  readonly id = `drydock-proxy-test-${randomBytes(4).toString("hex")}`;
  readonly proxy = `${this.id}-proxy`;
  readonly replicas: readonly string[];
  private readonly volumes = ["proxy", "public", "storage", "kept"].map((name) => `${this.id}-${name}`);
  private readonly networks = [`${this.id}-public`, `${this.id}-app`];
  readonly php = imageTags().php;
  private readonly more: string[] = [];
  /** The workers that serve requests by themselves, in the sites that are switched to from now on. */
  servers: Site["servers"] = [];
  /** Settings with a folder that is kept, which the rig has. */
  readonly kept = { app: { persistent: { "public/uploads": {} } } };

  constructor(
    private readonly image = imageTags().proxy,
    replicas = 3,
  ) {
    this.replicas = Array.from({ length: replicas }, (_, index) => `${this.id}-app-${index + 1}`);
  }

  site(overrides: Record<string, unknown> = {}, release = "0123456789ab"): Site & { readonly app: Settings["app"] } {
    const config = configuration({
      ...overrides,
      app: { image: "registry.test/shop:1", replicas: this.replicas.length, ...(overrides.app as object) },
    });
    const { settings, environment } = parseConfiguration(config, "local");
    const stage = stageOf("unit", environment.plain.APP_ENV);
    return {
      ...{ ...settings, stage, release, url: environment.plain.APP_URL! },
      ...{ replicas: this.replicas, servers: this.servers, network: this.networks[1]! },
    };
  }

  start(): void {
    for (const network of this.networks) docker("network", "create", network);
    for (const volume of this.volumes) docker("volume", "create", volume);
    const [proxy, files, storage, kept] = this.volumes as [string, string, string, string];
    const owners = [`${proxy} 101:101`, `${files} 1000:1000`, `${storage} 1000:1000`, `${kept} 1000:1000`].join("\n");
    const owned = this.step("volumes", { IMAGE: this.image, OWNERS: owners, LABELS: "" });
    assert.equal(owned.code, 0, owned.stderr);
    for (const replica of this.replicas) {
      docker(
        "create",
        "--name",
        replica,
        "--network",
        this.networks[1]!,
        "--cap-drop",
        "ALL",
        "--init",
        "--env",
        "DRYDOCK_LISTEN=0.0.0.0",
        "--mount",
        mount(storage, "/var/www/html/storage/app"),
        "--mount",
        mount(kept, "/var/www/html/public/uploads"),
        this.php,
        "php-fpm",
        "-F",
        "-y",
        "/var/www/html/fpm.conf",
        "-d",
        "display_errors=0",
      );
      this.put(replica, "/var/www/html/fpm.conf", fpmConfiguration(this.site().app, 60));
      this.put(replica, "/var/www/html/public/index.php", APPLICATION);
      this.put(replica, "/drydock/stored.php", readFileSync("runtime/stored.php", "utf8"));
      docker("start", replica);
    }
    docker(
      "create",
      "--name",
      this.proxy,
      "--label",
      "drydock.role=proxy",
      "--network",
      this.networks[0]!,
      "--publish",
      "127.0.0.1::8080",
      "--user",
      "101:101",
      "--read-only",
      "--tmpfs",
      "/tmp:rw,noexec,nosuid,uid=101,gid=101,mode=700,size=16m",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
      "--mount",
      mount(proxy, "/var/lib/drydock"),
      "--mount",
      mount(files, "/srv/public", ",readonly"),
      "--mount",
      mount(storage, "/var/www/html/storage/app", ",readonly"),
      "--mount",
      mount(kept, "/var/www/html/public/uploads", ",readonly"),
      "--stop-signal",
      "SIGQUIT",
      "--entrypoint",
      "/bin/sh",
      this.image,
      "-c",
      bootCommand,
    );
    docker("network", "connect", "--alias", "proxy", this.networks[1]!, this.proxy);
    docker("start", this.proxy);
  }

  /** Puts a file into a container, readable by everybody; folders are made. */
  put(container: string, path: string, content: string): void {
    const tar = spawnSync(
      "sh",
      [
        "-c",
        'd=$(mktemp -d); mkdir -p "$d/$(dirname "$1")"; cat > "$d/$1"; chmod -R a+rX "$d"; ' +
          'tar -C "$d" --owner=1000 --group=1000 -cf - .; rm -rf "$d"',
        "tar",
        path,
      ],
      { input: content },
    );
    const { status, stderr } = spawnSync("docker", ["cp", "-", `${container}:/`], { input: tar.stdout });
    assert.equal(status, 0, String(stderr));
  }

  /** Runs a step of a release. */
  step(
    script: string,
    env: Record<string, string>,
    input = "",
  ): { readonly code: number | null; readonly stderr: string } {
    const { status, stderr } = spawnSync("sh", [`commands/${script}.sh`], {
      encoding: "utf8",
      input,
      env: { ...process.env, ...env },
    });
    return { code: status, stderr };
  }

  /** Makes an image's public files ready, as a release does. */
  assets(image: string, release: string, days = "7"): { readonly code: number | null; readonly stderr: string } {
    return this.step("assets", {
      IMAGE: image,
      VOLUME: this.volumes[1]!,
      APP_PATH: "/var/www/html",
      RUN_AS: "1000:1000",
      LABELS: "",
      RELEASE: release,
      PROXY: this.proxy,
      DAYS: days,
      HASHED,
      PERSISTENT: `${this.volumes[3]} public/uploads public`,
    });
  }

  /** Has another proxy's nginx judge what is served. */
  check(image = this.image): { readonly code: number | null; readonly stderr: string } {
    return this.step(
      "proxy-check",
      {
        ...{ IMAGE: image, RUN_AS: "101:101", NETWORK: this.networks[1]!, VOLUME: this.volumes[0]! },
        ...{ STATE: FOLDERS.state, LABELS: "" },
      },
      bootCheck,
    );
  }

  /** Switches to a site, as a release does. */
  switch(
    overrides: Record<string, unknown> = {},
    release = "0123456789ab",
    change = (site: string) => site,
  ): { readonly code: number | null; readonly stderr: string } {
    const given = this.site(overrides, release);
    const site = change(siteConfiguration(given));
    const env = {
      PROXY: this.proxy,
      REPLICA: this.replicas[0]!,
      REPLICAS: this.replicas[0]!,
      HOST: new URL(given.url).hostname,
      HEALTH_PATH: given.app.healthPath,
      SITE_PATH: sitePath(site),
    };
    return this.step("switch", env, site);
  }

  /** Runs a line in the storage volume, or in the public one, as the application's user. */
  inVolume(which: "storage" | "public" | "kept", line: string): string {
    const volume = `${this.id}-${which}`;
    return docker(
      "run",
      "--rm",
      "--user",
      "1000:1000",
      "--network",
      "none",
      "--mount",
      mount(volume, "/volume"),
      "--workdir",
      "/volume",
      "--entrypoint",
      "sh",
      this.php,
      "-c",
      line,
    );
  }

  get port(): number {
    return Number(docker("port", this.proxy, "8080").split(":").pop());
  }

  /** Asks as a client on the host would; headers may be repeated. */
  async ask(
    path: string,
    {
      headers = [],
      method = "GET",
      body,
    }: { headers?: readonly (readonly [string, string])[]; method?: string; body?: string | Buffer } = {},
  ): Promise<Answer> {
    const host = headers.some(([name]) => name.toLowerCase() === "host")
      ? []
      : [["Host", `127.0.0.1:${this.port}`] as const];
    const sent = request({
      host: "127.0.0.1",
      port: this.port,
      path,
      method,
      agent: false,
      maxHeaderSize: 128 << 10,
      headers: [
        ...host,
        ...headers,
        ...(body === undefined || headers.some(([name]) => name === "Transfer-Encoding")
          ? []
          : [["Content-Length", String(Buffer.byteLength(body))] as const]),
      ].flat() as unknown as readonly string[],
    });
    sent.end(body);
    const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
      sent.once("response", resolve);
      sent.once("error", reject);
    });
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  }

  /** Starts a program of Node's on the application's network, from a file of the project's. */
  node(name: string, file: string, ...words: readonly string[]): string {
    const container = `${this.id}-${name}`;
    docker(
      ...["create", "--name", container, "--network", this.networks[1]!, "--init", "--entrypoint", "node"],
      ...[imageTags().certificates, "/program.mjs", ...words],
    );
    this.more.push(container);
    // Debian's Node reads no types.
    this.put(container, "/program.mjs", transformSync(readFileSync(file, "utf8"), { loader: "ts" }).code);
    docker("start", container);
    return container;
  }

  /** Runs a line in the proxy, in the folder of its files. */
  inProxy(line: string): string {
    return docker("exec", this.proxy, "/bin/sh", "-c", `cd /var/lib/drydock; ${line}`);
  }

  /** Waits for an answer with this status. */
  async until(path: string, status: number, seconds = 20): Promise<void> {
    let last: number | string = "nothing";
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(200)) {
      last = await this.ask(path).then(
        (answer) => answer.status,
        (error: Error) => error.message,
      );
      if (last === status) return;
    }
    assert.fail(`${path} answers ${last}, not ${status}\n${docker("logs", "--tail", "20", this.proxy)}`);
  }

  log(): string {
    const { stdout, stderr } = spawnSync("docker", ["logs", this.proxy], { encoding: "utf8" });
    return `${stdout}${stderr}`;
  }

  remove(): void {
    spawnSync("docker", ["rm", "--force", this.proxy, ...this.replicas, ...this.more]);
    spawnSync("docker", ["volume", "rm", ...this.volumes]);
    spawnSync("docker", ["network", "rm", ...this.networks]);
  }
}
