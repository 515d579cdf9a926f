import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { databaseWords } from "../config/serverOptions.ts";
import { BESIDE } from "../contracts/agent.ts";
import { container } from "./container.ts";
import { type Context, fingerprint } from "./context.ts";
import { DatabaseCheck } from "./databaseCheck.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

/**
 * MariaDB or MySQL: on the internal network only, its passwords in files, its data in a protected volume, with a binary
 * log.
 */
export class Database extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; image: docker.RemoteImage },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Database", name, {}, options);
    const { database } = context.settings;
    const { plain, secret } = context.environment;
    const client = database.engine === "mysql" ? "mysql" : "mariadb";
    const run = "/run/drydock";
    const [user, schema, password] = [plain.DB_USERNAME ?? "", plain.DB_DATABASE ?? "", secret.DB_PASSWORD ?? ""];
    const files = {
      "root-password": database.rootPassword!,
      password,
      // The health check asks as the application does; the password is in a file, not on the check's command line.
      "client.cnf": clientOptions(context),
    };
    const command = [
      "--character-set-server=utf8mb4",
      "--collation-server=utf8mb4_unicode_ci",
      `--innodb-buffer-pool-size=${database.bufferPool}M`,
      "--innodb-flush-log-at-trx-commit=1",
      "--log-bin=binlog",
      "--server-id=1",
      "--binlog-format=ROW",
      `--binlog-expire-logs-seconds=${database.binlogDays * 86_400}`,
      "--sync-binlog=1",
      // Otherwise no migration can make a trigger or a function: the application has no SUPER. What it guards against
      // cannot happen where the
      // log holds rows. (loose: MySQL has deprecated it.)
      "--loose-log-bin-trust-function-creators=1",
      // MariaDB's default is off, and then an event is made without a word and never runs.
      "--event-scheduler=ON",
      "--skip-name-resolve",
      // What restores put beside the server's files is no schema.
      ...(database.engine === "mariadb" ? [`--ignore-db-dirs=${BESIDE}`] : []),
      // The last one of a name counts.
      ...databaseWords(database.options),
    ];
    const checked = new DatabaseCheck(
      `${name}-check`,
      context,
      { image: args.image, volumes: args.volumes, options: command },
      { parent: this },
    );
    this.container = container(
      context,
      name,
      {
        role: "database",
        release: fingerprint({ image: database.image, command }),
        image: database.image!,
        user: database,
        limits: database,
        networks: [{ network: args.network.data, aliases: ["database"] }],
        env: {
          MYSQL_DATABASE: schema,
          MYSQL_USER: user,
          MYSQL_PASSWORD_FILE: `${run}/password`,
          MYSQL_ROOT_PASSWORD_FILE: `${run}/root-password`,
          // Everything that needs root asks inside the container.
          MYSQL_ROOT_HOST: "localhost",
          // The official image brings the server's own tables up to a newer version.
          MARIADB_AUTO_UPGRADE: "1",
        },
        files: Object.entries(files).map(([file, content]) => ({
          path: `${run}/${file}`,
          content: pulumi.secret(content),
        })),
        mounts: [{ type: "volume", source: args.volumes.database.name, target: "/var/lib/mysql" }],
        command,
        health: { test: ["CMD-SHELL", answers(client, `${run}/client.cnf`, schema)] },
        stopSignal: "SIGTERM",
        stopTimeout: database.stopTimeout,
        startTimeout: 180,
      },
      // Two servers on one data folder would destroy it.
      "old-before-new",
      // The files say how a new volume is begun. What was begun keeps its passwords until somebody changes them in it:
      // another one in the
      // settings must not stop the server, which goes on serving those who have the right one.
      { parent: this, dependsOn: [args.image, checked.command], ignoreChanges: ["uploads"] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}

/**
 * The option file of a client that connects from the server's own container as the application does; holds the
 * password.
 */
export function clientOptions({ environment: { plain, secret } }: Context): string {
  const password = (secret.DB_PASSWORD ?? "").replace(/[\\"]/g, "\\$&");
  return `[client]\nhost=127.0.0.1\nport=3306\nuser="${plain.DB_USERNAME ?? ""}"\npassword="${password}"\n`;
}

/** A server that knows another password by now is no less alive: ERROR 1045 is its answer. */
function answers(client: string, options: string, schema: string): string {
  return `said=$(${client} --defaults-file=${options} -e "SELECT 1" ${schema} 2>&1) || case $said in *"ERROR 1045"*) ;; *) echo "$said"; exit 1 ;; esac`;
}
