import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createTar } from "nanotar";
import { type Database, query } from "../../../cli/backup/sql.ts";
import { imageTags } from "../../../cli/setup/images-tags.ts";
import { dockerFor } from "../../../cli/shared/docker.ts";
import { docker } from "../clone.ts";

/** A database's server as a stack has it, and nothing else; it is taken away by its name. */
export class Server implements Database {
  readonly docker = dockerFor(process.env.DOCKER_HOST);
  readonly container = `drydock-hostile-${randomBytes(4).toString("hex")}`;

  constructor(
    readonly client: "mariadb" | "mysql" = "mariadb",
    readonly image = imageTags().database,
  ) {}

  async start(...options: readonly string[]): Promise<void> {
    docker(
      "create",
      "--name",
      this.container,
      "--user",
      "999:999",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
      "--network",
      "none",
      "--env",
      "MYSQL_ROOT_PASSWORD_FILE=/run/drydock/root-password",
      "--env",
      "MYSQL_DATABASE=shop",
      this.image,
      "--character-set-server=utf8mb4",
      "--collation-server=utf8mb4_unicode_ci",
      "--log-bin=binlog",
      "--server-id=1",
      "--binlog-format=ROW",
      ...options,
    );
    const password = createTar([
      {
        name: "run/drydock/root-password",
        data: randomBytes(24).toString("hex"),
        attrs: { mode: "400", uid: 999, gid: 999 },
      },
    ]);
    execFileSync("docker", ["cp", "-", `${this.container}:/`], { input: password });
    docker("start", this.container);
    await this.ready();
  }

  async ready(): Promise<void> {
    for (const end = Date.now() + 120_000; ; ) {
      try {
        await query(this, "SELECT 1");
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
        await new Promise((wake) => setTimeout(wake, 300));
      }
    }
  }

  /** As a machine that stops: nothing is flushed. */
  async crash(): Promise<void> {
    docker("kill", this.container);
    docker("start", this.container);
    await this.ready();
  }

  remove(): void {
    execFileSync("docker", ["rm", "--force", "--volumes", this.container], { stdio: "ignore" });
  }
}
