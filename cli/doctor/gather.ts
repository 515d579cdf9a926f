import { longestJob } from "../../config/capacity.ts";
import { withoutCertificates } from "../../config/certificateFiles.ts";
import { plannedHashes } from "../../config/plan.ts";
import { isLasting } from "../../config/roles.ts";
import { type Configuration, parseConfiguration } from "../../config/settings.ts";
import { defined } from "../../lib/defined.ts";
import type { EngineLimits } from "../../lib/dockerLimits.ts";
import { VERSION } from "../setup/docker-version.ts";
import { type Docker, type Inspected, inspect } from "../shared/docker.ts";
import { CliError } from "../shared/errors.ts";
import { dataNetworkOf } from "../shared/networks.ts";
import { PROJECT } from "../shared/project.ts";
import type { Pulumi } from "../shared/pulumi.ts";
import { deployed } from "../shared/services.ts";
import type { Session } from "../shared/session.ts";
import type { Outputs, StackContainer } from "../shared/stack.ts";
import { askLaravel, askMaintenance, askRedis, askSchedule, askSite, PATIENCE } from "./ask.ts";
import { askReach, type HostConfig, looseEnds } from "./confinement.ts";
import type { ContainerFacts, Facts } from "./facts.ts";
import { writtenTo } from "./layer.ts";

/** Asks everything that can be asked, without changing anything. */
export async function gather(session: Session): Promise<Facts> {
  const { stack, pulumi } = session;
  const [{ outputs, docker, unfinished }, { settings, environment }] = await Promise.all([
    deployed(session),
    configurationOf(pulumi, stack),
  ]);
  const { app, proxy } = settings;
  const plan = {
    path: app.path,
    uid: app.uid,
    gid: app.gid,
    port: app.port,
    server: app.server,
    healthPath: app.healthPath,
    scheduler: settings.scheduler.enabled,
    processes: settings.limits.processes,
    ...(settings.domains.length > 0 ? {} : { interface: proxy.interface }),
    longestJob: longestJob(settings),
    released: outputs.envHash === undefined || outputs.envHash === environment.hash,
  };
  const live = await inspected(docker, outputs, stack);
  const hashes = JSON.stringify({ path: app.path, names: plannedHashes(environment, outputs.release) });
  const host = new URL(environment.plain.APP_URL ?? "http://localhost").hostname;
  const running = (role: string): string | undefined =>
    live.containers.find((one) => one.role === role && one.state === "running")?.container;
  const replica = running("app");
  const [engine, containers, redis, schedule, site, maintenance, reach] = await Promise.all([
    askEngine(docker),
    Promise.all(
      live.containers.map(async (one) => {
        if (!isLasting(one.role) || one.state !== "running") return one;
        const [laravel, diff] = await Promise.all([
          askLaravel(docker, one, hashes, app.server === "fpm" ? app.port : undefined),
          docker.run(["diff", one.container], { timeout: PATIENCE }),
        ]);
        return {
          ...one,
          laravel,
          written: writtenTo(
            diff.stdout,
            app.path,
            one.mounts.map(({ path }) => path),
          ),
        };
      }),
    ),
    outputs.services.some(({ role }) => role === "redis") ? askRedis(docker, running("redis")) : undefined,
    askSchedule(docker, { stack, scheduler: running("scheduler"), network: live.network }),
    askSite(docker, running("app"), running("proxy"), { path: app.healthPath, host, timeout: proxy.timeout }),
    askMaintenance(docker, running("proxy"), stack),
    replica === undefined
      ? { silent: "no replica runs" }
      : askReach(docker, replica, app.path, app.server === "fpm" ? live.neighbours(replica, app.port) : {}, PATIENCE),
  ]);
  const release = { release: outputs.release, ...defined({ unfinished }) };
  return {
    stack,
    ...release,
    now: Date.now(),
    ...defined({ engine, redis }),
    plan,
    containers,
    schedule,
    site,
    maintenance,
    reach,
  };
}

async function askEngine(docker: Docker): Promise<Facts["engine"]> {
  const [{ code, stdout }, limits] = await Promise.all([
    docker.run(VERSION, { timeout: PATIENCE }),
    docker.run(["info", "--format", "{{json .}}"], { timeout: PATIENCE }),
  ]);
  const [version, api] = stdout.trim().split(" ");
  const host = docker.env.DOCKER_HOST ?? "this machine";
  return code !== 0 || version === undefined || api === undefined
    ? undefined
    : { host, version, api, ...(limits.code === 0 ? { limits: JSON.parse(limits.stdout) as EngineLimits } : {}) };
}

/** The configuration as it is now, with its secrets: they stay in this process. */
async function configurationOf(pulumi: Pulumi, stack: string): Promise<Configuration> {
  const { code, stdout, stderr } = await pulumi.capture(["config", "--json", "--show-secrets", "--stack", stack]);
  if (code !== 0)
    throw new CliError({
      what: `the configuration of stack ${stack} can't be read: ${stderr.trim().split("\n").at(-1) ?? ""}`,
      remedy: `eval "$(./drydock env)" && pulumi config -s ${stack}`,
    });
  const values = JSON.parse(stdout) as Record<string, { value?: string }>;
  const prefix = `${PROJECT}:`;
  const own = Object.entries(values).filter(([key]) => key.startsWith(prefix));
  const raw = Object.fromEntries(own.map(([key, { value }]) => [key.slice(prefix.length), value]));
  return parseConfiguration(withoutCertificates(raw, stack), stack);
}

interface Live extends Inspected {
  readonly Config: Inspected["Config"] & {
    readonly User?: string;
    readonly Healthcheck?: { readonly Test?: readonly string[] } | null;
  };
  readonly State: Inspected["State"] & { readonly StartedAt: string };
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Destination: string }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress?: string }>> };
  readonly HostConfig: HostConfig;
}

interface Found {
  readonly containers: readonly ContainerFacts[];
  /** That of database and Redis. */
  readonly network?: string;
  /** Where PHP-FPM of the other replicas would be on that network, by their names. */
  neighbours(replica: string, port: number): Readonly<Record<string, string>>;
}

async function inspected(docker: Docker, { services }: Outputs, stack: string): Promise<Found> {
  const found = new Map(
    (
      await inspect<Live>(
        docker,
        services.map(({ container }) => container),
        stack,
        PATIENCE,
      )
    ).map((one) => [one.Name.replace(/^\//, ""), one]),
  );
  const network = dataNetworkOf([...found.values()].flatMap((one) => Object.keys(one.NetworkSettings.Networks)));
  const neighbours = (replica: string, port: number) =>
    Object.fromEntries(
      services
        .filter(({ role, container }) => role === "app" && container !== replica)
        .flatMap(({ name, container }) => {
          const address = found.get(container)?.NetworkSettings.Networks[network ?? ""]?.IPAddress;
          return address === undefined || address === "" ? [] : [[name, `${address}:${port}`]];
        }),
    );
  const containers = services.map((service) => containerFacts(service, found.get(service.container)));
  return { containers, neighbours, ...defined({ network }) };
}

function containerFacts({ name, role, container }: StackContainer, live: Live | undefined): ContainerFacts {
  if (live === undefined) return { name, role, container, state: "missing", health: "none", mounts: [] };
  const test = live.Config.Healthcheck?.Test;
  return {
    name,
    role,
    container,
    state: live.State.Status,
    health: live.State.Health?.Status ?? "none",
    startedAt: Date.parse(live.State.StartedAt),
    ...defined({ healthTest: test }),
    image: live.Config.Image,
    loose: looseEnds(live.HostConfig, live.Config.User ?? ""),
    mounts: live.Mounts.filter(({ Type }) => Type === "volume").map(({ Name, Destination }) => ({
      volume: Name ?? "",
      path: Destination,
    })),
  };
}
