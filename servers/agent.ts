import { alarmsOf } from "../config/alarms.ts";
import { storeOf } from "../config/backupStore.ts";
import { caFile } from "../config/schema/external.ts";
import type { Environment, Settings } from "../config/settings.ts";
import { type Configuration, SECRETS, type Volume } from "../contracts/agent.ts";
import { defined } from "../lib/defined.ts";
import { clientOptions, type DatabaseAccount } from "./database.ts";

/** The settings that the backup agent depends on. */
export interface AgentSettings {
  /** `drydock:backup`: ages in days or hours, limits in MiB and processors. */
  readonly backup: Settings["backup"];
  readonly alarms: Settings["alarms"];
  readonly bucket: Settings["bucket"];
  readonly database: Pick<Settings["database"], "engine" | "external">;
}

/** Settings of what has volumes beside storage/app. */
export interface KeptVolumes {
  readonly app: Pick<Settings["app"], "persistent">;
  readonly services: Settings["services"];
}

/** The agent's settings: no secret, and nothing that a release changes. */
export function agentConfiguration(
  { backup, alarms, bucket, database }: AgentSettings,
  more: {
    /** The value of the label `drydock.stack`. */
    readonly stack: string;
    /** The application's database. */
    readonly schema: string;
    readonly kept: KeptVolumes;
  },
): Configuration {
  const { email, telegram } = alarmsOf({ alarms, backup });
  const s3 = storeOf({ s3: backup.s3, bucket });
  const [volumes, left] = [backedUp(more.kept), leftOut(more.kept)];
  return {
    stack: more.stack,
    engine: database.engine,
    schema: more.schema,
    physical: backup.physical && database.engine === "mariadb" && database.external === undefined,
    ...(database.external === undefined ? {} : { external: true }),
    keepRestored: backup.keepRestored,
    type: backup.type,
    schedule: { backup: backup.schedule, health: backup.healthSchedule, cleanup: backup.cleanupSchedule },
    files: { include: [...backup.include], exclude: [...backup.exclude] },
    ...(volumes.length === 0 ? {} : { volumes }),
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
    ...defined({ s3, telegram: telegram?.chat }),
  };
}

/** Whether the agent has something to do outside of the stack. */
export function reachesOut({ backup, alarms, bucket, database }: AgentSettings): boolean {
  const told = Object.values(alarmsOf({ alarms, backup }));
  const places = [database.external, storeOf({ s3: backup.s3, bucket }), ...told];
  return places.some((place) => place !== undefined);
}

/** The secrets of the services that it sends alarms to, by file. */
export function alarmSecrets(settings: Pick<Settings, "alarms" | "backup">): Readonly<Record<string, string>> {
  const { email, webhook, heartbeat, slack, discord, telegram } = alarmsOf(settings);
  return defined({
    [SECRETS.smtpPassword]: email?.password,
    [SECRETS.webhook]: webhook,
    [SECRETS.heartbeat]: heartbeat,
    [SECRETS.slack]: slack,
    [SECRETS.discord]: discord,
    [SECRETS.telegram]: telegram?.token,
  });
}

/** The option file of the agent's clients: an account of its own, or, on a server elsewhere, the application's. */
export function agentClientOptions(
  { backup, database: { engine, external } }: AgentSettings,
  account: DatabaseAccount,
): string {
  if (external === undefined)
    return clientOptions(
      { user: "drydock_backup", password: backup.databasePassword! },
      { host: "database", port: 3306 },
    );
  const checked = [
    `ssl-ca=${caFile("database", external.ca)}`,
    engine === "mysql" ? "ssl-mode=VERIFY_IDENTITY" : "ssl-verify-server-cert",
  ];
  return clientOptions(account, external, external.tls ? checked : []);
}

/** What is kept of the application's environment with every backup: of secrets the names only. */
export function describedEnvironment({ plain, secret }: Environment): string {
  return JSON.stringify({ plain, secret: Object.keys(secret).sort() });
}

/** A volume beside storage/app, and whether the settings want it in the backups. */
interface KeptVolume {
  readonly volume: Volume;
  readonly backup: boolean;
  /** What is said of it where it is left out. */
  readonly left: string;
}

/** All of them: whatever has data of its own and is not here is in no backup. */
function volumesOf({ app, services }: KeptVolumes): KeptVolume[] {
  return [
    ...Object.entries(app.persistent).map(([name, { backup }]) => ({
      volume: { kind: "folder", name } as const,
      backup,
      left: `folder ${name} (app.persistent: backup is false)`,
    })),
    ...Object.entries(services).flatMap(([name, { volume, backup }]) =>
      volume === undefined
        ? []
        : [
            {
              volume: { kind: "service", name } as const,
              backup,
              left: `${volume} of service ${name} (backup is false)`,
            },
          ],
    ),
  ];
}

/** Those that are backed up. */
export function backedUp(kept: KeptVolumes): Volume[] {
  return volumesOf(kept).flatMap(({ volume, backup }) => (backup ? [volume] : []));
}

/** Those that no backup is to have, in words. */
function leftOut(kept: KeptVolumes): string[] {
  return volumesOf(kept).flatMap(({ backup, left }) => (backup ? [] : [left]));
}
