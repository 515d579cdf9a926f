import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Environment, Settings } from "../config/settings.ts";
import { FOLDERS, folderOf, PORTS, readerOf, SECRETS } from "../contracts/agent.ts";
import { AGENT_HOST } from "../contracts/monitoring.ts";
import {
  type AgentSettings,
  agentClientOptions,
  agentConfiguration,
  alarmSecrets,
  backedUp,
  describedEnvironment,
  type KeptVolumes,
  reachesOut,
} from "../servers/agent.ts";
import type { DatabaseAccount } from "../servers/database.ts";
import type { BackupBucket } from "./backupBucket.ts";
import { step } from "./command.ts";
import { type ContainerFile, container } from "./container.ts";
import type { PulledImage } from "./image.ts";
import { authorities, type ExternalServers } from "./laravel.ts";
import type { Network } from "./network.ts";
import { present } from "./outputs.ts";
import type { Service } from "./service.ts";
import { fingerprint, type StackIdentity } from "./stack.ts";
import type { Volumes } from "./volumes.ts";

const RUN = "/run/drydock";

/** A user of a container, by numbers. */
type User = { readonly uid: number; readonly gid: number };

export interface BackupArgs {
  readonly stack: StackIdentity;
  readonly network: Network;
  readonly volumes: Volumes;
  /** The agent's, and its companion's. @default there are no backups */
  readonly image?: PulledImage | undefined;
  readonly settings: AgentSettings & { readonly database: Pick<Settings["database"], "uid" | "gid"> };
  /** The application's account. */
  readonly account: DatabaseAccount;
  /** What is kept of it with every backup: of secrets the names only. */
  readonly environment: Environment;
  /** Who owns the application's files. */
  readonly app: User;
  /** The group that may read the state of maintenance mode: the proxy's. */
  readonly proxyGid: number;
  readonly external: ExternalServers;
  /** The folders of the application and the services that may be backed up, by their settings. */
  readonly kept: KeptVolumes;
  readonly services: readonly Service[];
  /** The stack's own server, in which the agent gets an account. @default it is elsewhere */
  readonly database?: docker.Container | undefined;
  /** The bucket that the stack makes. @default none */
  readonly bucket?: BackupBucket | undefined;
}

/**
 * The backup agent, and its companion in which every backup is restored and thrown away again. No container here
 * depends on the application's image or variables, so no release replaces them.
 */
export class Backup extends pulumi.ComponentResource {
  readonly agent: docker.Container | undefined;
  readonly companion: docker.Container | undefined;
  /** Those that read the services' volumes for the agent. */
  readonly readers: readonly docker.Container[] = [];
  /** The database account of the agent is there. */
  readonly user: command.local.Command | undefined;

  constructor(name: string, args: BackupArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Backup", name, {}, options);
    const { stack, network, volumes, image, settings, account, external } = args;
    const { backup, database } = settings;
    const named = (part: string) => `${stack.prefix}backup-${part}`;
    if (image !== undefined && network.restore !== undefined && volumes.restore !== undefined) {
      // On a server elsewhere nobody here may make accounts.
      if (args.database !== undefined)
        this.user = step(
          stack,
          named("user"),
          {
            script: "backup-user",
            environment: { CONTAINER: args.database.name, ENGINE: database.engine },
            stdin: pulumi.secret(`${backup.databasePassword}\n`),
          },
          { parent: this, dependsOn: [args.database] },
        );
      const { schema } = account;
      const configuration = JSON.stringify(
        agentConfiguration(settings, { stack: stack.stack, schema, kept: args.kept }),
      );
      const common = {
        release: fingerprint({ image: image.reference, settings: configuration }),
        image: image.reference,
        init: true,
        tmpfs: { "/tmp": 64 },
        stopSignal: "SIGTERM",
        stopTimeout: 30,
        startTimeout: 60,
      };
      const files = (secrets: Readonly<Record<string, pulumi.Input<string>>>): ContainerFile[] => [
        { path: `${RUN}/backup.json`, content: configuration },
        ...authorities(external),
        ...Object.entries(secrets).map(([file, content]) => ({
          path: `${RUN}/${file}`,
          content: pulumi.secret(content),
        })),
      ];
      const accounts = {
        [SECRETS.database]: agentClientOptions(settings, account),
        [SECRETS.restoreToken]: backup.token!,
      };
      const mount = (volume: docker.Volume, target: string, readOnly = true) => ({
        type: "volume",
        source: volume.name,
        target,
        readOnly,
      });
      const ready = [image.resource, volumes.ownership, ...present(this.user)];

      this.companion = container(
        stack,
        named("restore"),
        {
          ...common,
          role: "restore",
          user: database,
          limits: { memory: backup.restoreMemory, cpus: backup.restoreCpus },
          networks: [{ network: network.restore, aliases: ["restore"] }, { network: network.data }],
          files: files(accounts),
          mounts: [mount(volumes.database, FOLDERS.database), mount(volumes.restore, FOLDERS.restore, false)],
          command: ["companion"],
          health: { test: ["CMD", "healthy", String(PORTS.companion)] },
        },
        "old-before-new",
        { parent: this, dependsOn: ready },
      );
      const wanted = backedUp(args.kept);
      const isBackedUp = (kind: "folder" | "service", named: string) =>
        wanted.some((one) => one.kind === kind && one.name === named);
      const { restore } = network;
      // Each as the service's own user, so that no container needs a right to read other users' files.
      this.readers = args.services.flatMap(({ service, volume, ownership, settings: { uid, gid } }) => {
        if (volume === undefined || !isBackedUp("service", service)) return [];
        return container(
          stack,
          named(`service-${service}`),
          {
            ...common,
            release: fingerprint({ image: image.reference }),
            role: "reader",
            user: { uid, gid },
            limits: { memory: backup.readerMemory, cpus: backup.cpus },
            networks: [{ network: restore, aliases: [readerOf({ name: service })] }],
            files: [{ path: `${RUN}/${SECRETS.restoreToken}`, content: pulumi.secret(backup.token!) }],
            mounts: [mount(volume, FOLDERS.volume)],
            command: ["reader"],
            health: { test: ["CMD", "healthy", String(PORTS.companion)] },
          },
          "old-before-new",
          { parent: this, dependsOn: [image.resource, ...present(ownership)] },
        );
      });
      this.agent = container(
        stack,
        named("agent"),
        {
          ...common,
          role: "backup",
          user: args.app,
          // The state of maintenance mode is the proxy's.
          groups: [args.proxyGid],
          limits: backup,
          // A way out only where something outside is to be reached.
          networks: [
            { network: network.data },
            { network: network.restore },
            ...(reachesOut(settings) ? [{ network: network.app }] : []),
            ...present(network.monitoring).map((network) => ({ network, aliases: [AGENT_HOST] })),
          ],
          files: files({
            ...accounts,
            [SECRETS.repositoryKey]: backup.key!,
            ...bucketSecrets(backup, args.bucket),
            ...alarmSecrets(settings),
          }),
          mounts: [
            mount(volumes.backups, FOLDERS.backups, false),
            mount(volumes.storage, FOLDERS.storage),
            mount(volumes.proxy, FOLDERS.proxy),
            mount(volumes.records, FOLDERS.records),
            ...volumes.persistent
              .filter(({ path }) => isBackedUp("folder", path))
              .map(({ path, volume }) => mount(volume, folderOf({ name: path }))),
          ],
          command: ["serve"],
          health: { test: ["CMD", "healthy", String(PORTS.agent)] },
        },
        // Two agents on one repository would follow the binary log twice.
        "old-before-new",
        { parent: this, dependsOn: [...ready, ...present(args.bucket)] },
      );
      step(
        stack,
        named("describe"),
        {
          script: "backup-describe",
          environment: { CONTAINER: this.agent.name },
          stdin: describedEnvironment(args.environment),
        },
        { parent: this, dependsOn: [this.agent] },
      );
    }
    this.registerOutputs({ agent: this.agent?.name, companion: this.companion?.name, user: this.user?.id });
  }
}

/** The key to the bucket: what the settings say, else that of the bucket's own user. */
function bucketSecrets(
  { s3 }: Settings["backup"],
  bucket: BackupBucket | undefined,
): Readonly<Record<string, pulumi.Input<string>>> {
  const { accessKeyId, secretAccessKey } = s3 ?? bucket?.identity ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined) return {};
  return {
    [SECRETS.s3]: pulumi.concat(
      `[default]\naws_access_key_id=${accessKeyId}\n`,
      pulumi.interpolate`aws_secret_access_key=${secretAccessKey}\n`,
    ),
  };
}
