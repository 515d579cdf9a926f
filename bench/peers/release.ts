import { execFile, execFileSync } from "node:child_process";
import { chownSync, copyFileSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeReadable } from "../../cli/setup/images.ts";
import { docker, type Status } from "../../test/support/clone.ts";
import { testImage } from "../../test/support/image.ts";

const FOLDER = import.meta.dirname;

/**
 * The same application as a stack's, from the same images, deployed with docker compose: it uses the stack's database
 * and Redis.
 */
export class Peer {
  /** Where the site is; Docker chose the port. */
  url = "";
  private readonly folder: string;
  private readonly tool: string;
  private readonly project: string;

  private constructor(folder: string, tool: string, project: string) {
    this.folder = folder;
    this.tool = tool;
    this.project = project;
  }

  /** Starts it beside a stack that runs, with the image that the stack runs. */
  static async start(status: Status, replicas: number): Promise<Peer> {
    const folder = mkdtempSync(join(tmpdir(), "drydock-peer-"));
    const project = `peer${folder
      .slice(-6)
      .toLowerCase()
      .replace(/[^a-z0-9]/g, "x")}`;
    const one = (role: string) => status.services.find((service) => service.role === role)!;
    // What the stack's containers were given as files.
    docker("cp", `${one("app").container}:/drydock`, join(folder, "drydock"));
    docker("cp", `${one("app").container}:/var/www/html/.env`, join(folder, "env"));
    for (const file of ["drydock", "env", ...readdirSync(join(folder, "drydock")).map((name) => join("drydock", name))])
      chownSync(join(folder, file), 1000, 1000);
    copyFileSync(join(FOLDER, "nginx.conf"), join(folder, "nginx.conf"));
    cpSync(join(FOLDER, "release.sh"), join(folder, "release.sh"));
    makeReadableButSecrets(folder);
    const services = {
      app: { ...service(one("app").container, folder), deploy: { replicas } },
      horizon: service(one("horizon").container, folder),
      scheduler: service(one("scheduler").container, folder),
      proxy: {
        image: one("proxy").image,
        ports: ["127.0.0.1::8080"],
        volumes: [`${folder}/nginx.conf:/etc/nginx/conf.d/default.conf:ro`],
        labels: { "drydock.bench": project },
        restart: "no",
        networks: ["default"],
      },
    };
    const data = Object.keys(
      JSON.parse(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", one("app").container)) as object,
    ).find((name) => name.includes("data"))!;
    writeFileSync(
      join(folder, "compose.yaml"),
      JSON.stringify({ name: project, services, networks: { data: { external: true, name: data } } }, null, 2),
    );
    const tool = docker(
      "run",
      "--detach",
      "--name",
      `${project}-tool`,
      "--label",
      `drydock.bench=${project}`,
      "--network",
      "none",
      "--env",
      `IMAGE=${one("app").image}`,
      "--volume",
      "/var/run/docker.sock:/var/run/docker.sock",
      "--volume",
      `${folder}:/peer`,
      await testImage({ name: "drydock/compose:2", folder: FOLDER }),
    );
    const peer = new Peer(folder, tool, project);
    try {
      peer.compose(["up", "--detach", "--wait", "app", "horizon", "scheduler"], one("app").image);
      peer.compose(["up", "--detach", "proxy"], one("app").image);
      peer.url = `http://${docker("port", `${project}-proxy-1`, "8080").split("\n")[0]!}`;
      for (let tries = 1; !(await answers(`${peer.url}/up`)); tries++) {
        if (tries > 50) throw new Error(`${peer.url}/up does not answer`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    } catch (error) {
      peer.remove();
      throw error;
    }
    return peer;
  }

  async release(way: "compose" | "rollout", image: string): Promise<void> {
    await promisify(execFile)("docker", ["exec", "--env", `IMAGE=${image}`, this.tool, "sh", "/peer/release.sh", way]);
  }

  remove(): void {
    const own = docker("ps", "--all", "--quiet", "--filter", `label=com.docker.compose.project=${this.project}`)
      .split("\n")
      .filter((id) => id !== "");
    docker("rm", "--force", "--volumes", this.tool, ...own);
    // Docker lets go of the last container's place in it a little later.
    execFileSync("sh", [
      "-c",
      'for try in 1 2 3 4 5; do docker network rm "$1" 2>/dev/null && exit; sleep 1; done',
      "sh",
      `${this.project}_default`,
    ]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private compose(args: readonly string[], image: string): void {
    execFileSync(
      "docker",
      ["exec", "--env", `IMAGE=${image}`, this.tool, "docker", "compose", "--progress", "quiet", ...args],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

/** A service with the inputs of a container of the stack. */
function service(container: string, folder: string): object {
  const { Config, HostConfig } = (JSON.parse(docker("inspect", container)) as [Inspected])[0];
  const seconds = (nanoseconds: number) => `${nanoseconds / 1e9}s`;
  return {
    image: "${IMAGE}",
    user: Config.User,
    entrypoint: Config.Entrypoint,
    command: Config.Cmd,
    environment: Config.Env.map((line) => line.replaceAll("$", "$$$$")),
    init: HostConfig.Init === true,
    tmpfs: Object.entries(HostConfig.Tmpfs ?? {}).map(([path, options]) => `${path}:${options}`),
    volumes: [`${folder}/drydock:/drydock:ro`, `${folder}/env:/var/www/html/.env:ro`],
    healthcheck: {
      test: Config.Healthcheck.Test,
      interval: seconds(Config.Healthcheck.Interval),
      timeout: seconds(Config.Healthcheck.Timeout),
      start_period: seconds(Config.Healthcheck.StartPeriod),
      retries: Config.Healthcheck.Retries,
    },
    stop_signal: Config.StopSignal,
    stop_grace_period: `${Config.StopTimeout}s`,
    mem_limit: HostConfig.Memory,
    cap_drop: ["ALL"],
    networks: ["default", "data"],
  };
}

interface Inspected {
  readonly Config: {
    readonly User: string;
    readonly Entrypoint: string[];
    readonly Cmd: string[];
    readonly Env: string[];
    readonly StopSignal: string;
    readonly StopTimeout: number;
    readonly Healthcheck: {
      readonly Test: string[];
      readonly Interval: number;
      readonly Timeout: number;
      readonly StartPeriod: number;
      readonly Retries: number;
    };
  };
  readonly HostConfig: {
    readonly Init: boolean | null;
    readonly Tmpfs: Record<string, string> | null;
    readonly Memory: number;
  };
}

function makeReadableButSecrets(folder: string): void {
  const mode = statSync(join(folder, "env")).mode;
  makeReadable(folder);
  execFileSync("chmod", [(mode & 0o777).toString(8), join(folder, "env")]);
  execFileSync("chmod", ["755", folder]);
}
