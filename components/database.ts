import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import type { EnvironmentOf } from "../contracts/containers.ts";
import { clientOptions, type DatabaseAccount, databaseAnswers, databaseCommand } from "../servers/database.ts";
import { container } from "./container.ts";
import { DatabaseCheck } from "./databaseCheck.ts";
import type { PulledImage } from "./image.ts";
import type { Network } from "./network.ts";
import { fingerprint, type StackIdentity } from "./stack.ts";
import type { Volumes } from "./volumes.ts";

const RUN = "/run/drydock";

export interface DatabaseArgs {
  readonly stack: StackIdentity;
  readonly network: Network;
  readonly volumes: Volumes;
  readonly image: PulledImage;
  /** `drydock:database`: limits in MiB and processors, times in seconds; the password of root is a secret. */
  readonly server: Settings["database"];
  /** The application's account, which a new volume is made with. */
  readonly account: DatabaseAccount;
}

/**
 * MariaDB or MySQL: on the internal network only, its passwords in files, its data in a protected volume, with a binary
 * log.
 */
export class Database extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(name: string, args: DatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Database", name, {}, options);
    const { stack, network, volumes, image, server, account } = args;
    const files = {
      "root-password": server.rootPassword!,
      password: account.password,
      // The health check asks as the application does; the password is in a file, not on the check's command line.
      "client.cnf": clientOptions(account),
    };
    const command = databaseCommand(server);
    const checked = new DatabaseCheck(
      `${name}-check`,
      { stack, volumes, image, server, options: command },
      { parent: this },
    );
    this.container = container(
      stack,
      name,
      {
        role: "database",
        release: fingerprint({ image: image.reference, command }),
        image: image.reference,
        user: server,
        limits: server,
        networks: [{ network: network.data, aliases: ["database"] }],
        env: {
          MYSQL_DATABASE: account.schema,
          MYSQL_USER: account.user,
          MYSQL_PASSWORD_FILE: `${RUN}/password`,
          MYSQL_ROOT_PASSWORD_FILE: `${RUN}/root-password`,
          // Everything that needs root asks inside the container.
          MYSQL_ROOT_HOST: "localhost",
          // The official image brings the server's own tables up to a newer version.
          MARIADB_AUTO_UPGRADE: "1",
        } satisfies EnvironmentOf<"database">,
        files: Object.entries(files).map(([file, content]) => ({
          path: `${RUN}/${file}`,
          content: pulumi.secret(content),
        })),
        mounts: [{ type: "volume", source: volumes.database.name, target: "/var/lib/mysql" }],
        command,
        health: { test: ["CMD-SHELL", databaseAnswers(server.engine, `${RUN}/client.cnf`, account.schema)] },
        stopSignal: "SIGTERM",
        stopTimeout: server.stopTimeout,
        startTimeout: 180,
      },
      // Two servers on one data folder would destroy it.
      "old-before-new",
      // The files say how a new volume starts. What has started keeps its passwords until somebody changes them in it:
      // another one in the settings must not stop the server, which goes on serving those who have the right one.
      { parent: this, dependsOn: [image.resource, checked.command], ignoreChanges: ["uploads"] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}
