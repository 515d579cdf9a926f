import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { HealthCheck } from "../servers/health.ts";
import { fpmConfiguration } from "../servers/php/fpm.ts";
import { step } from "./command.ts";
import { type ContainerFile, container } from "./container.ts";
import { type Laravel, laravelSpec } from "./laravel.ts";
import type { Network } from "./network.ts";
import { present } from "./outputs.ts";

/** PHP-FPM's configuration in the container. */
const FPM = "/run/drydock/fpm.conf";

export interface AppArgs {
  readonly laravel: Laravel;
  /** How long a request may last in all, in seconds. */
  readonly longestRequest: number;
  /** What the replicas wait for. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/**
 * The replicas. Each release makes new ones beside the old; the old ones go last, when all of the release has
 * succeeded.
 */
export class App extends pulumi.ComponentResource {
  readonly replicas: docker.Container[] = [];

  constructor(name: string, { laravel, longestRequest, after }: AppArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:App", name, {}, options);
    const { app, stack } = laravel;
    const fpm = app.server === "fpm";
    const together = app.startTogether === 0 ? app.replicas : app.startTogether;
    const spec = laravelSpec(laravel, "app");
    const command = fpm ? [...app.command!, "-y", FPM] : app.command;
    const start = command === undefined ? this.imageStart(name, laravel, after) : undefined;
    const server: ContainerFile[] = fpm
      ? [{ path: FPM, content: fpmConfiguration(app, longestRequest), mode: "0444", owner: "root" }]
      : [];

    for (let index = 0; index < app.replicas; index++) {
      const previous = this.replicas[index - together];
      this.replicas.push(
        container(
          stack,
          `${name}-${index + 1}`,
          {
            ...spec,
            limits: app,
            files: [...(spec.files ?? []), ...present(start), ...server],
            command,
            // A server that may listen on port 80 is a file with this capability (FrankenPHP, Caddy): without it, it
            // can't even be started.
            ...(fpm ? {} : { capabilities: ["NET_BIND_SERVICE"] }),
            health: healthCheck(laravel),
            // SIGQUIT lets PHP-FPM finish what it serves; SIGTERM would cut it.
            stopSignal: fpm ? "SIGQUIT" : "SIGTERM",
            stopTimeout: app.stopTimeout,
          },
          "new-before-old",
          { parent: this, dependsOn: previous === undefined ? after : [...after, previous] },
        ),
      );
    }
    this.registerOutputs({ replicas: this.replicas.map((replica) => replica.name) });
  }

  /** What the image starts with by itself: known when it is on the Docker host. */
  private imageStart(name: string, { stack, image }: Laravel, after: pulumi.Input<pulumi.Resource>[]): ContainerFile {
    const { stdout } = step(
      stack,
      `${name}-start`,
      { script: "start", environment: { IMAGE: image } },
      { parent: this, dependsOn: after },
    );
    return { path: "/run/drydock/start", content: stdout.apply(startOf), mode: "0444", owner: "root" };
  }
}

/**
 * The words that an image starts with by itself, for a shell to read: start.sh becomes them when it has made the
 * folders and caches that Laravel needs. They are no input of the container, because nobody knows them, and no rule
 * could judge them, before the image is here.
 *
 * @param printed what commands/start.sh prints
 */
export function startOf(printed: string): string {
  if (printed.trim() === "") return "";
  const { Entrypoint, Cmd } = JSON.parse(printed) as {
    readonly Entrypoint: readonly string[] | null;
    readonly Cmd: readonly string[] | null;
  };
  return [...(Entrypoint ?? []), ...(Cmd ?? [])].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/**
 * The question that decides on a replica's health: `app.healthPath`, over IPv4 (incident 7), at the port it serves
 * (incident 8).
 */
function healthCheck({ app }: Laravel): HealthCheck {
  const test =
    app.server === "fpm"
      ? [
          "CMD",
          "php",
          "-n",
          "/drydock/ready.php",
          `127.0.0.1:${app.port}`,
          app.healthPath,
          `${app.path}/public/index.php`,
        ]
      : ["CMD", "php", "-n", "/drydock/http.php", `http://127.0.0.1:${app.port}${app.healthPath}`];
  return { test };
}

/**
 * Where the replicas' PHP-FPM are, for fcgi.php in one of them: HOST:PORT with commas. A replica is on two networks,
 * and its PHP-FPM answers on that of the proxy alone: Docker knows the name of a container on one network with that
 * network's behind it.
 */
export function fpmAddresses(
  replicas: readonly docker.Container[],
  port: number,
  { app }: Network,
): pulumi.Output<string> {
  return pulumi
    .all([app.name, ...replicas.map(({ name }) => name)])
    .apply(([network, ...names]) => names.map((name) => `${name}.${network}:${port}`).join(","));
}
