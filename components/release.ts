import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { longestJob } from "../config/capacity.ts";
import { plannedHashes } from "../config/plan.ts";
import type { Environment, Settings } from "../config/settings.ts";
import { webLimits } from "../config/webLimits.ts";
import { App } from "./app.ts";
import { Assets } from "./assets.ts";
import type { FoundEdge } from "./edge/found.ts";
import { Join } from "./edge/join.ts";
import { Horizon } from "./horizon.ts";
import { AppImage } from "./image.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { accountOf, externalOf, type Laravel } from "./laravel.ts";
import { Migrate } from "./migrate.ts";
import { MigrationBackup } from "./migrationBackup.ts";
import { Opcache } from "./opcache.ts";
import { present } from "./outputs.ts";
import { Preflight } from "./preflight.ts";
import { Record } from "./record.ts";
import { RedisPassword } from "./redisPassword.ts";
import { Scheduler } from "./scheduler.ts";
import type { ReleaseIdentity, StackIdentity } from "./stack.ts";
import { Switch } from "./switch.ts";
import { Verify } from "./verify.ts";
import { Worker } from "./worker.ts";

/** The settings that a release depends on; sizes in MiB, times in seconds, processors as fractions. */
type ReleaseSettings = Pick<
  Settings,
  | ("app" | "workers" | "horizon" | "scheduler" | "migrate" | "database" | "redis" | "proxy")
  | ("verify" | "limits" | "logs" | "domains")
>;

export interface ReleaseArgs extends ReleaseIdentity {
  readonly stack: StackIdentity;
  readonly infrastructure: Infrastructure;
  readonly settings: ReleaseSettings;
  /** The one block of variables, plain and secret. */
  readonly environment: Environment;
  /** Names all settings without variables and secrets, for the records. */
  readonly settingsHash: string;
  /** The machine's edge, where visitors come through one. @default they come to a published port */
  readonly edge?: FoundEdge | undefined;
  /** What an image is built for: a system and processor, such as linux/amd64. @default the builder's own */
  readonly platform?: string | undefined;
  /** Whether the stack is measured. @default false */
  readonly monitored?: boolean;
}

/** One release, in its order: what comes later waits for what comes before. */
export class Release extends pulumi.ComponentResource {
  readonly replicas: readonly docker.Container[];
  /** Horizon, workers and scheduler: all its other containers that last as long as it does. */
  readonly background: readonly docker.Container[];
  readonly record: Record;

  constructor(name: string, args: ReleaseArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Release", name, {}, options);
    const { stack, infrastructure, settings, environment, release, image, platform } = args;
    const { network, volumes, services, backupContainers } = infrastructure;
    const [proxy, { agent }] = [infrastructure.proxy.container, infrastructure.backups];
    const [account, recordWriter, { processes }] = [accountOf(environment), settings.proxy, settings.limits];
    const url = environment.plain.APP_URL ?? "http://localhost";
    const { longestRequest, uploadLimit } = webLimits(settings.proxy);
    const external = externalOf(settings);
    // Without an agent, the migration backup is a dump of the stack's own server.
    const database = { ...settings.database, ...(external.database === undefined ? {} : { image: undefined }) };
    const laravel: Laravel = {
      ...{ stack, release, image, network, volumes },
      ...{ environment, app: settings.app, uploadLimit, external },
    };
    const on = { parent: this };
    const named = (part: string) => `${stack.prefix}${part}`;
    const workersOf = (kind: "servers" | "jobs", after: pulumi.Input<pulumi.Resource>[]) =>
      Object.entries(settings.workers)
        .filter(([, { http }]) => (http !== undefined) === (kind === "servers"))
        .map(([worker, one]) => new Worker(named(`worker-${worker}`), { laravel, worker, settings: one, after }, on));

    // An earlier release's image stays, for the containers that run from it and for a way back.
    const build = settings.app.pinned === undefined ? settings.app.build : undefined;
    const appImage = new AppImage(named("app-image"), { stack, reference: image, build, platform }, on);
    const password = {
      plain: environment.secret.REDIS_PASSWORD ?? "",
      hash: plannedHashes(environment, release).REDIS_PASSWORD,
    };
    const passwords = infrastructure.redis.map(({ service, container }) => {
      const args = { stack, network, redis: container, password };
      return { service, args, added: new RedisPassword(named(`${service}-password`), args, on) };
    });
    const preflight = new Preflight(
      named("preflight"),
      {
        laravel,
        horizonMemory: settings.horizon.enabled ? settings.horizon.memory : undefined,
        longestJob: longestJob(settings),
        after: [appImage.ready, volumes.ownership],
      },
      on,
    );
    const ready = [
      ...[appImage.ready, preflight.command, volumes.ownership, volumes.delivery],
      ...present(infrastructure.database?.container),
      ...passwords.map(({ added }) => added.command),
      ...services.map(({ container }) => container),
      ...backupContainers,
    ];
    const backup = new MigrationBackup(
      named("backup"),
      { ...{ laravel, settings: settings.migrate, account, database, recordWriter, agent }, after: ready },
      on,
    );
    const migrate = new Migrate(
      named("migrate"),
      { laravel, settings: settings.migrate, backup, after: [...ready, ...present(backup.command)] },
      on,
    );
    const migrated = [...ready, ...present(migrate.command)];
    const assets = new Assets(named("assets"), { laravel, proxy, after: migrated }, on);
    const app = new App(named("app"), { laravel, longestRequest, after: [...migrated, assets.command, proxy] }, on);
    const servers = workersOf("servers", [...migrated, proxy]);
    const traffic = new Switch(
      named("switch"),
      {
        ...{ laravel, url, site: settings.proxy, proxy, processes },
        ...{ replicas: app.replicas, servers, after: [assets.command], measured: args.monitored ?? false },
      },
      on,
    );
    const switched = [traffic.command];
    const opcache = new Opcache(named("opcache"), { laravel, replicas: app.replicas, after: switched }, on);
    const horizon = new Horizon(named("horizon"), { laravel, settings: settings.horizon, after: switched }, on);
    const scheduler = new Scheduler(named("scheduler"), { laravel, settings: settings.scheduler, after: switched }, on);
    const jobs = workersOf("jobs", switched);
    const background = [
      ...present(horizon.container),
      ...present(scheduler.container),
      ...[...servers, ...jobs].flatMap(({ containers }) => containers),
    ];
    const verify = new Verify(
      named("verify"),
      {
        ...{ laravel, url, replicas: app.replicas, background, processes, requests: settings.verify.requests },
        proxy: args.edge && proxy,
        after: [traffic.command, ...present(opcache.command)],
      },
      on,
    );
    const { edge } = args;
    const joined =
      edge === undefined
        ? undefined
        : new Join(
            named("join"),
            { ...{ stack, edge, proxy, domains: settings.domains }, volume: volumes.proxy, after: [verify.command] },
            on,
          );
    this.record = new Record(
      named("record"),
      {
        ...{
          laravel,
          settings: args.settingsHash,
          keepDays: settings.logs.keepDays,
          recordWriter,
          replicas: app.replicas,
        },
        ...{ probes: verify.command.stdout, after: [verify.command, ...present(joined?.drained)] },
      },
      on,
    );
    for (const { service, args, added } of passwords) {
      const only = { added, after: [verify.command, traffic.drained], appPath: settings.app.path };
      new RedisPassword(named(`${service}-only-password`), { ...args, only }, on);
    }

    this.replicas = app.replicas;
    this.background = background;
    this.registerOutputs({ release, record: this.record.recorded });
  }
}
