import { createHmac } from "node:crypto";
import { type HOSTS, PORTS } from "../../contracts/monitoring.ts";
import { quote } from "../../lib/shell.ts";
import { clientOptions } from "../database.ts";

const RUN = "/run/drydock";

/** What each of them is started with; their images are laid out as the official ones. */
export const COMMANDS = {
  database: {
    entrypoint: ["/bin/mysqld_exporter"],
    command: [`--config.my-cnf=${RUN}/monitor.cnf`, `--web.listen-address=:${PORTS.database}`, "--log.level=warn"],
  },
  redis: {
    entrypoint: ["/redis_exporter"],
    command: [
      // It asks whom Prometheus names. Laravel's account may not see the server's configuration.
      "--redis.addr=",
      // Before Prometheus gives up: of a server that hangs it is said that it does not answer.
      "--connection-timeout=2s",
      `--redis.password-file=${RUN}/redis-passwords.json`,
      "--config-command=-",
      "--exclude-latency-histogram-metrics",
      `--web.listen-address=:${PORTS.redis}`,
    ],
  },
  host: {
    entrypoint: ["/bin/node_exporter"],
    command: [
      "--collector.disable-defaults",
      ...["cpu", "diskstats", "filesystem", "loadavg", "meminfo", "pressure", "stat", "time", "uname", "vmstat"].map(
        (name) => `--collector.${name}`,
      ),
      `--web.listen-address=:${PORTS.host}`,
      "--log.level=error",
    ],
  },
} as const;

/** Files of the exporters that hold a password. */
export const FILES = {
  database: { path: `${RUN}/monitor.cnf`, content: databaseOptions },
  redis: { path: `${RUN}/redis-passwords.json`, content: redisPasswords },
} as const;

/**
 * The password of the account that measures the database: it follows from root's, so nobody has to make one up. Who has
 * it learns nothing of root's.
 */
export function monitorPassword(rootPassword: string): string {
  return createHmac("sha256", rootPassword).update("drydock_monitor").digest("hex").slice(0, 40);
}

function databaseOptions(rootPassword: string): string {
  return clientOptions(
    { user: "drydock_monitor", password: monitorPassword(rootPassword) },
    { host: "database", port: 3306 },
  );
}

function redisPasswords(servers: readonly string[], password: string): string {
  return JSON.stringify(Object.fromEntries(servers.map((server) => [`redis://${server}:6379`, password])));
}

/** Commands that fail where the program does not know what it is started with, and say what. */
export const knows = (started: {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}): string => `${[...started.entrypoint, ...started.command, "--version"].map(quote).join(" ")}\n`;

/** Commands that have a tool of the image's own judge its files, where there is one, and say what it finds amiss. */
export const judges = (tool: string, ...words: readonly string[]): string =>
  `[ ! -x ${tool} ] || said=$(${[tool, ...words].map(quote).join(" ")} 2>&1) || { echo "$said"; exit 1; }\n`;

/** Asks one of the parts of monitoring whether it is well, in its own container. */
export function healthOf(part: keyof typeof HOSTS, path: string) {
  // Once in two minutes: each check starts a process, and a silent part is an alert by then.
  return { test: ["CMD", "wget", "-qO", "/dev/null", `http://127.0.0.1:${PORTS[part]}${path}`], seldom: 120 };
}
