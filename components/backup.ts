import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { caFile } from "../config/schema/external.ts";
import type { Settings } from "../config/settings.ts";
import { type Configuration, FOLDERS, PORTS, SECRETS } from "../contracts/agent.ts";
import { defined } from "../lib/defined.ts";
import type { BackupBucket } from "./backupBucket.ts";
import { step } from "./command.ts";
import { type ContainerFile, container } from "./container.ts";
import { type Context, fingerprint } from "./context.ts";
import { authorities } from "./laravel.ts";
import type { Network } from "./network.ts";
import { present } from "./outputs.ts";
import type { Volumes } from "./volumes.ts";

const RUN = "/run/drydock";

/**
 * The backup agent, and its companion in which every backup is restored and thrown away again. No container here
 * depends on the application's image
 * or variables, so no release replaces them.
 */
export class Backup extends pulumi.ComponentResource {
  readonly agent: docker.Container | undefined;
  readonly companion: docker.Container | undefined;
  /** The database account of the agent is there. */
  readonly user: command.local.Command | undefined;

  constructor(
    name: string,
    context: Context,
    args: {
      network: Network;
      volumes: Volumes;
      database: docker.Container | undefined;
      image: docker.RemoteImage | undefined;
      bucket: BackupBucket | undefined;
    },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Backup", name, {}, options);
    const { backup, database, app, proxy } = context.settings;
    const { network, volumes, image } = args;
    if (backup.enabled && image !== undefined && network.restore !== undefined && volumes.restore !== undefined) {
      // On a server elsewhere nobody here may make accounts.
      if (args.database !== undefined)
        this.user = step(
          context,
          "backup-user",
          {
            script: "backup-user",
            environment: { CONTAINER: args.database.name, ENGINE: database.engine },
            stdin: pulumi.secret(`${backup.databasePassword}\n`),
          },
          { parent: this, dependsOn: [args.database] },
        );
      const settings = JSON.stringify(agentConfiguration(context));
      const release = fingerprint({ image: backup.image, settings });
      const common = {
        release,
        image: backup.image!,
        init: true,
        tmpfs: { "/tmp": 64 },
        stopSignal: "SIGTERM",
        stopTimeout: 30,
        startTimeout: 60,
      };
      const files = (secrets: Readonly<Record<string, pulumi.Input<string>>>): ContainerFile[] => [
        { path: `${RUN}/backup.json`, content: settings },
        ...authorities(context),
        ...Object.entries(secrets).map(([file, content]) => ({
          path: `${RUN}/${file}`,
          content: pulumi.secret(content),
        })),
      ];
      const account = { [SECRETS.database]: clientOptions(context), [SECRETS.restoreToken]: backup.token! };
      const mount = (volume: docker.Volume, target: string, readOnly = true) => ({
        type: "volume",
        source: volume.name,
        target,
        readOnly,
      });

      this.companion = container(
        context,
        "backup-restore",
        {
          ...common,
          role: "restore",
          user: database,
          limits: { memory: backup.restoreMemory, cpus: backup.restoreCpus },
          networks: [{ network: network.restore, aliases: ["restore"] }, { network: network.data }],
          files: files(account),
          mounts: [mount(volumes.database, FOLDERS.database), mount(volumes.restore, FOLDERS.restore, false)],
          command: ["companion"],
          health: { test: ["CMD", "healthy", String(PORTS.companion)] },
        },
        "old-before-new",
        { parent: this, dependsOn: [image, volumes.ownership, ...present(this.user)] },
      );
      this.agent = container(
        context,
        "backup-agent",
        {
          ...common,
          role: "backup",
          user: app,
          // The state of maintenance mode is the proxy's.
          groups: [proxy.gid],
          limits: backup,
          // A way out only where something outside is to be reached.
          networks: [
            { network: network.data },
            { network: network.restore },
            ...(reachesOut(context.settings) ? [{ network: network.app }] : []),
          ],
          files: files({ ...account, [SECRETS.repositoryKey]: backup.key!, ...outside(context.settings, args.bucket) }),
          mounts: [
            mount(volumes.backups, FOLDERS.backups, false),
            mount(volumes.storage, FOLDERS.storage),
            mount(volumes.proxy, FOLDERS.proxy),
            mount(volumes.records, FOLDERS.records),
          ],
          command: ["serve"],
          health: { test: ["CMD", "healthy", String(PORTS.agent)] },
        },
        // Two agents on one repository would follow the binary log twice.
        "old-before-new",
        {
          parent: this,
          dependsOn: [
            image,
            volumes.ownership,
            ...present(this.user),
            ...(args.bucket === undefined ? [] : [args.bucket]),
          ],
        },
      );
      const described = JSON.stringify(describedEnvironment(context));
      step(
        context,
        "backup-describe",
        { script: "backup-describe", environment: { CONTAINER: this.agent.name }, stdin: described },
        { parent: this, dependsOn: [this.agent] },
      );
    }
    this.registerOutputs({ agent: this.agent?.name, companion: this.companion?.name });
  }
}

/** Where the second repository is: in the bucket that the settings name, else in the one that this stack makes. */
function storeOf({ backup: { s3 }, bucket }: Settings): Configuration["s3"] {
  if (s3 !== undefined)
    return { bucket: s3.bucket, region: s3.region, prefix: s3.prefix, ...defined({ endpoint: s3.endpoint }) };
  if (bucket.name === undefined || bucket.region === undefined) return undefined;
  return { bucket: bucket.name, region: bucket.region, prefix: "", ...defined({ endpoint: bucket.endpoint }) };
}

function reachesOut(settings: Settings): boolean {
  const { alarms } = settings.backup;
  return (
    settings.database.external !== undefined ||
    storeOf(settings) !== undefined ||
    alarms.email !== undefined ||
    alarms.webhook !== undefined ||
    alarms.heartbeat !== undefined
  );
}

/** The secrets of services outside. */
function outside(
  { backup: { s3, alarms } }: Settings,
  bucket: BackupBucket | undefined,
): Record<string, pulumi.Input<string>> {
  const { accessKeyId, secretAccessKey } = s3 ?? bucket?.identity ?? {};
  return {
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          [SECRETS.s3]: pulumi.interpolate`[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`,
        }),
    ...defined({
      [SECRETS.smtpPassword]: alarms.email?.password,
      [SECRETS.webhook]: alarms.webhook,
      [SECRETS.heartbeat]: alarms.heartbeat,
    }),
  };
}

/** The option file of the agent's clients: an account of its own, or, on a server elsewhere, the application's. */
function clientOptions({
  settings: {
    backup,
    database: { engine, external },
  },
  environment: { plain, secret },
}: Context): string {
  const options = (host: string, port: number, user: string, password: string, more: readonly string[] = []): string =>
    [`[client]`, `host=${host}`, `port=${port}`, `user="${user}"`, `password="${password}"`, ...more, ""].join("\n");
  if (external === undefined) return options("database", 3306, "drydock_backup", backup.databasePassword!);
  const checked = [
    `ssl-ca=${caFile("database", external.ca)}`,
    engine === "mysql" ? "ssl-mode=VERIFY_IDENTITY" : "ssl-verify-server-cert",
  ];
  return options(
    external.host,
    external.port,
    plain.DB_USERNAME ?? "",
    secret.DB_PASSWORD ?? "",
    external.tls ? checked : [],
  );
}

/** What is kept of the application's environment with every backup: of secrets the names only. */
function describedEnvironment({ environment }: Pick<Context, "environment">): {
  readonly plain: Readonly<Record<string, string>>;
  readonly secret: readonly string[];
} {
  return { plain: environment.plain, secret: Object.keys(environment.secret).sort() };
}

/** The volumes with data that no backup has. */
function leftOut({ app, services }: Settings): string[] {
  return [
    ...Object.keys(app.persistent).map((path) => `${path} (app.persistent)`),
    ...Object.entries(services).flatMap(([name, { volume }]) =>
      volume === undefined ? [] : [`${volume} of ${name} (services)`],
    ),
  ];
}

/** The agent's settings: no secret, and nothing that a release changes. */
export function agentConfiguration(context: Context): Configuration {
  const { backup, database } = context.settings;
  const { email } = backup.alarms;
  const s3 = storeOf(context.settings);
  const left = leftOut(context.settings);
  return {
    stack: context.stack,
    engine: database.engine,
    schema: context.environment.plain.DB_DATABASE ?? "",
    physical: backup.physical && database.engine === "mariadb" && database.external === undefined,
    ...(database.external === undefined ? {} : { external: true }),
    keepRestored: backup.keepRestored,
    type: backup.type,
    schedule: { backup: backup.schedule, health: backup.healthSchedule, cleanup: backup.cleanupSchedule },
    files: { include: [...backup.include], exclude: [...backup.exclude] },
    ...(left.length === 0 ? {} : { left }),
    hooks: Object.fromEntries(
      ["pre", "post", "validate"].flatMap((name) => {
        const hook = backup[name as "pre" | "post" | "validate"];
        return hook === undefined ? [] : [[name, { command: [...hook.command], timeout: hook.timeout }]];
      }),
    ),
    retention: { localDays: backup.localDays, s3Days: backup.s3Days },
    maxAge: backup.maxAge,
    binlogInterval: backup.binlogInterval,
    ...(email === undefined
      ? {}
      : {
          email: {
            to: email.to,
            from: email.from,
            host: email.host,
            port: email.port,
            security: email.security,
            ...defined({ username: email.username }),
          },
        }),
    ...defined({ s3 }),
  };
}
