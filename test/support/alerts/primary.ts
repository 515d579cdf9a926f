import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../clone.ts";

/** A database server beside a stack's own, for that one to follow. */
export class Primary {
  readonly container: string;
  readonly #name: string;
  // MySQL takes 32 characters at most.
  readonly #password = randomUUID().replaceAll("-", "");

  /** @param like the container of the stack's database: same image, same networks */
  constructor(name: string, like: string, id: number) {
    this.#name = name;
    this.container = `drydock-primary-${name}-${process.pid}`;
    const [image, network] = [
      "{{.Config.Image}}",
      "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}",
    ].map((format) => docker("inspect", "--format", format, like).trim().split(" ")[0]!);
    const small = ["--innodb-buffer-pool-size=16M", "--performance-schema=OFF"];
    docker(
      ...["run", "--detach", "--name", this.container, "--label", "drydock.test=primary", "--network", network!],
      ...["--env", "MYSQL_ROOT_PASSWORD_FILE=/tmp/password", "--entrypoint", "sh", image!, "-c"],
      'cat /proc/sys/kernel/random/uuid > /tmp/password; exec docker-entrypoint.sh "$@"',
      ...["sh", `--server-id=${id}`, "--log-bin=binlog", "--skip-name-resolve", ...small],
    );
  }

  async answers(): Promise<void> {
    for (let left = 120; ; left--)
      try {
        return void this.sql("SELECT 1");
      } catch (error) {
        if (left === 0) throw error;
        await sleep(1_000);
      }
  }

  async ready(): Promise<void> {
    await this.answers();
    this.sql(`SET sql_log_bin = 0; CREATE USER follower@'%' IDENTIFIED BY '${this.#password}';
      GRANT REPLICATION SLAVE ON *.* TO follower@'%'`);
  }

  sql(text: string): string {
    const client = "MYSQL_PWD=$(cat /tmp/password) exec $(command -v mariadb || command -v mysql)";
    return docker("exec", this.container, "sh", "-c", `${client} --no-defaults -u root -N -e "$1" 2>&1`, "sh", text);
  }

  /** What a replica is told to follow it from now on, in a channel of that name. @param delay seconds */
  follow(engine: "mariadb" | "mysql", delay = 0): string {
    const [file, position] = this.sql("SHOW BINARY LOGS").split("\n").at(-1)!.split("\t");
    const primary = (word: string) =>
      `${word}_HOST = '${this.container}', ${word}_USER = 'follower', ${word}_PASSWORD = '${this.#password}', ` +
      `${word}_LOG_FILE = '${file}', ${word}_LOG_POS = ${position}, ${word}_CONNECT_RETRY = 5, ` +
      `${word}_DELAY = ${delay}`;
    return engine === "mariadb"
      ? `CHANGE MASTER '${this.#name}' TO ${primary("MASTER")}, MASTER_SSL_VERIFY_SERVER_CERT = 0;
        START SLAVE '${this.#name}';`
      : `CHANGE REPLICATION SOURCE TO ${primary("SOURCE")}, SOURCE_SSL = 1 FOR CHANNEL '${this.#name}';
        START REPLICA FOR CHANNEL '${this.#name}';`;
  }

  remove(): void {
    docker("rm", "--force", "--volumes", this.container);
  }
}
