import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { App } from "./components/app.ts";
import { Assets } from "./components/assets.ts";
import { Backup } from "./components/backup.ts";
import { type Context, releaseOf } from "./components/context.ts";
import { Database } from "./components/database.ts";
import { engineOf, hostOf } from "./components/engine.ts";
import { guardOf } from "./components/guard.ts";
import { Horizon } from "./components/horizon.ts";
import { AppImage, namedImage, pulled } from "./components/image.ts";
import { Limits } from "./components/limits.ts";
import { Migrate } from "./components/migrate.ts";
import { MigrationBackup } from "./components/migrationBackup.ts";
import { Network } from "./components/network.ts";
import { Opcache } from "./components/opcache.ts";
import { present, servicesOutput } from "./components/outputs.ts";
import { Preflight } from "./components/preflight.ts";
import { Proxy } from "./components/proxy.ts";
import { Record } from "./components/record.ts";
import { Redis } from "./components/redis.ts";
import { RedisPassword } from "./components/redisPassword.ts";
import { Scheduler } from "./components/scheduler.ts";
import { servicesOf } from "./components/service.ts";
import { Switch } from "./components/switch.ts";
import { Verify } from "./components/verify.ts";
import { Volumes } from "./components/volumes.ts";
import { workersOf } from "./components/worker.ts";
import { loadConfiguration } from "./config/load.ts";
import { defined } from "./lib/defined.ts";

const { settings, environment } = loadConfiguration();
const engine = await engineOf(settings);
const { reference: image, id } = await namedImage(settings.app, hostOf(settings));
const release = releaseOf(image, id, environment, settings);
const guard = await guardOf(pulumi.getStack(), settings, environment);
const context: Context = {
  project: pulumi.getProject(),
  stack: pulumi.getStack(),
  settings,
  environment,
  image,
  release,
};

const { docker: host } = settings;
const provider = new docker.Provider("docker", {
  ...defined({ host: host.host }),
  ...(host.registry === undefined
    ? {}
    : { registryAuth: [{ ...host.registry, password: pulumi.secret(host.registry.password) }] }),
});
// Written out, so that both plugins start at once: a default one starts when the first resource of its kind has all
// that it waits for.
const images = { provider, transformations: guard.transformations };
const on = {
  providers: { docker: provider, command: new command.Provider("command") },
  // The guard sees each resource before it is registered.
  transformations: guard.transformations,
};
// Loaded only where it is wanted: AWS's SDK would slow down every preview of a stack without a bucket. Nothing waits
// after this line, so
// the guard has seen everything before the engine hears of anything.
const { BackupBucket } = settings.bucket.name === undefined ? {} : await import("./components/backupBucket.ts");

// What lasts from release to release.
const network = new Network("network", context, on);
const proxyImage = pulled("proxy-image", settings.proxy.image, images);
const volumes = new Volumes("volumes", context, { toolImage: proxyImage }, on);
// A server elsewhere is none of the stack's resources.
const database =
  settings.database.external === undefined
    ? new Database(
        "database",
        context,
        { network, volumes, image: pulled("database-image", settings.database.image!, images) },
        on,
      )
    : undefined;
const redisVolumes = [
  ...(settings.redis.external === undefined ? [{ purpose: "store", volume: volumes.redis } as const] : []),
  ...present(volumes.redisCache).map((volume) => ({ purpose: "cache", volume }) as const),
];
const redisImage = redisVolumes.length === 0 ? undefined : pulled("redis-image", settings.redis.image!, images);
const redisServers = redisVolumes.map(
  ({ purpose, volume }) =>
    new Redis(
      purpose === "store" ? "redis" : "redis-cache",
      context,
      { purpose, network, volume, image: redisImage! },
      on,
    ),
);
const proxy = new Proxy("proxy", context, { network, volumes, image: proxyImage }, on);
const others = servicesOf(context, { network, provider, toolImage: proxyImage }, on);
const backupImage = settings.backup.enabled ? pulled("backup-image", settings.backup.image!, images) : undefined;
const bucket = BackupBucket === undefined ? undefined : new BackupBucket("backup-bucket", context, on);
const backups = new Backup(
  "backup-system",
  context,
  { network, volumes, database: database?.container, image: backupImage, bucket },
  on,
);

// The release, in its order.
const appImage = new AppImage("app-image", context, engine?.platform, on);
const backupContainers = [...present(backups.agent), ...present(backups.companion)];
const stores = [...present(database?.container), ...redisServers.map(({ container }) => container)];
const lasting = [proxy.container, ...stores, ...others.map((one) => one.container), ...backupContainers];
new Limits("limits", context, lasting, on);
const redisPasswords = redisServers.map(({ service, container }) => ({
  service,
  redis: container,
  added: new RedisPassword(`${service}-password`, context, { redis: container, network }, on),
}));
const preflight = new Preflight(
  "preflight",
  context,
  { network, volumes, after: [appImage.ready, volumes.ownership] },
  on,
);
const ready = [
  ...[
    appImage.ready,
    preflight.command,
    ...present(database?.container),
    ...redisPasswords.map(({ added }) => added.command),
    volumes.ownership,
    volumes.delivery,
  ],
  ...others.map((one) => one.container),
  ...backupContainers,
];
const backup = new MigrationBackup("backup", context, { network, volumes, agent: backups.agent, after: ready }, on);
const migrate = new Migrate(
  "migrate",
  context,
  { network, volumes, backup, after: [...ready, ...present(backup.command)] },
  on,
);
const migrated = [...ready, ...present(migrate.command)];
const assets = new Assets("assets", context, { volumes, proxy: proxy.container, after: migrated }, on);
const app = new App("app", context, { network, volumes, after: [...migrated, assets.command, proxy.container] }, on);
const servers = workersOf("servers", context, { network, volumes, after: [...migrated, proxy.container] }, on);
const traffic = new Switch(
  "switch",
  context,
  { network, proxy: proxy.container, replicas: app.replicas, servers, after: [assets.command] },
  on,
);
const opcache = new Opcache("opcache", context, { network, replicas: app.replicas, after: [traffic.command] }, on);
const horizon = new Horizon("horizon", context, { network, volumes, after: [traffic.command] }, on);
const scheduler = new Scheduler("scheduler", context, { network, volumes, after: [traffic.command] }, on);
const jobs = workersOf("jobs", context, { network, volumes, after: [traffic.command] }, on);
const workers = [
  ...present(horizon.container),
  ...present(scheduler.container),
  ...[...servers, ...jobs].flatMap(({ containers }) => containers),
];
const verify = new Verify(
  "verify",
  context,
  { network, replicas: app.replicas, workers, after: [traffic.command, ...present(opcache.command)] },
  on,
);

const recorded = new Record(
  "record",
  context,
  { volumes, replicas: app.replicas, probes: verify.command.stdout, after: [verify.command] },
  on,
);
for (const { service, redis, added } of redisPasswords)
  new RedisPassword(
    `${service}-only-password`,
    context,
    { redis, network, only: { added, after: [verify.command, traffic.drained] } },
    on,
  );

guard.finish();

export const stack = context.stack;
export const url = environment.plain.APP_URL;
export { release };
export const envHash = environment.hash;
export const dockerHost = host.host ?? null;
export const services = servicesOutput([
  proxy.container,
  ...app.replicas,
  ...workers,
  ...stores,
  ...others.map((one) => one.container),
  ...backupContainers,
]);
export const record = recorded.recorded;
export const records = recorded.records;
export const backupBucket = bucket?.bucket ?? null;
