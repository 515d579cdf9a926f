import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { alarmsOf } from "../../config/alarms.ts";
import { socketOf } from "../../config/monitoring.ts";
import type { Environment, Settings } from "../../config/settings.ts";
import { alertmanagerConfiguration, judgeAlertmanager } from "../../servers/monitoring/alertmanager.ts";
import { COMMANDS, FILES, knows, monitorPassword } from "../../servers/monitoring/exporters.ts";
import { prometheusCommands } from "../../servers/monitoring/prometheus.ts";
import { labelWords, step } from "../command.ts";
import { pulled } from "../image.ts";
import type { Infrastructure } from "../infrastructure.ts";
import { Limits } from "../limits.ts";
import { present } from "../outputs.ts";
import type { StackIdentity } from "../stack.ts";
import { Alertmanager } from "./alertmanager.ts";
import { Collector } from "./collector.ts";
import { Exporter } from "./exporter.ts";
import { Gate } from "./gate.ts";
import type { PartArgs } from "./part.ts";
import { Prometheus } from "./prometheus.ts";

export interface MonitoringArgs {
  readonly stack: StackIdentity;
  readonly settings: Settings;
  readonly environment: Environment;
  readonly infrastructure: Infrastructure;
  /** What it waits for: the release, which it must not hold up. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/** Everything that measures the stack and raises alerts. No release replaces anything of it, and it holds up none. */
export class Monitoring extends pulumi.ComponentResource {
  readonly containers: readonly docker.Container[];

  constructor(name: string, args: MonitoringArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Monitoring", name, {}, options);
    const { stack, settings, environment, infrastructure, after } = args;
    const { monitoring, backup, proxy } = settings;
    const { volumes } = infrastructure;
    const network = {
      ...infrastructure.network,
      monitoring: infrastructure.network.monitoring!,
    } as PartArgs["network"];
    const on = { parent: this };
    const named = (part: string) => `${stack.prefix}monitoring-${part}`;
    // The same image for all that the settings name none for.
    const images = new Map<string, PartArgs["image"]>();
    const image = (reference: string = monitoring.image!) => {
      const found =
        images.get(reference) ?? pulled(named(images.size === 0 ? "image" : `image-${images.size}`), reference, on);
      images.set(reference, found);
      return found;
    };
    const own = image();
    const told = alarmsOf(settings);
    const redis = infrastructure.redis.map(({ service }) => service);
    const { database } = infrastructure;
    const targets = { database: database !== undefined, redis, backup: backup.enabled };
    const judges = {
      prometheus: prometheusCommands(stack.stack, monitoring, targets, backup.maxAge).judge,
      alertmanager: judgeAlertmanager(alertmanagerConfiguration(told, monitoring)),
      database: knows(COMMANDS.database),
      redis: knows(COMMANDS.redis),
      host: knows(COMMANDS.host),
    };
    const checks = Object.entries(monitoring.images).map(([part, reference]) => {
      const { resource } = image(reference);
      const environment = {
        IMAGE: reference,
        PART: part,
        RUN_AS: `${monitoring.uid}:${monitoring.gid}`,
        LABELS: labelWords(stack),
      };
      const spec = { script: "monitor-check", environment, stdin: judges[part as keyof typeof judges] } as const;
      return step(stack, named(`${part}-check`), spec, { ...on, dependsOn: [resource, ...after] });
    });
    for (const NETWORK of present(monitoring.network))
      checks.push(
        step(
          stack,
          named("network-check"),
          { script: "monitor-network", environment: { NETWORK } },
          { ...on, dependsOn: [...after] },
        ),
      );
    // Before any part gives way: an update that fails has taken parts away, and does not make the next ones.
    const common = { stack, network, settings: monitoring, after: [...after, ...checks] };
    const part = (reference?: string): PartArgs => ({ ...common, image: image(reference) });

    const collector = new Collector(
      named("collector"),
      {
        ...{ ...common, image: own },
        url: environment.plain.APP_URL ?? "http://localhost",
        collected: settings,
        proxyState: volumes.proxy,
      },
      on,
    );
    const exporters = [
      new Exporter(
        named("host"),
        {
          ...part(monitoring.images.host),
          of: "host",
          // Any volume tells how full the disk is that Docker has its data on.
          mounts: [{ type: "volume", source: volumes.public.name, target: "/host", readOnly: true }],
        },
        on,
      ),
      ...present(database?.container).map((container) =>
        this.#databaseExporter(named("database"), args, container, part(monitoring.images.database)),
      ),
      ...(redis.length === 0
        ? []
        : [
            new Exporter(
              named("redis"),
              {
                ...part(monitoring.images.redis),
                ...{ of: "redis", asks: true },
                file: {
                  path: FILES.redis.path,
                  content: pulumi.secret(FILES.redis.content(redis, environment.secret.REDIS_PASSWORD ?? "")),
                },
              },
              on,
            ),
          ]),
    ];
    const gate = monitoring.containers
      ? new Gate(named("gate"), { ...part(proxy.image), socket: socketOf(settings) }, on)
      : undefined;
    const alertmanager = new Alertmanager(named("alertmanager"), { ...part(monitoring.images.alertmanager), told }, on);
    const prometheus = new Prometheus(
      named("prometheus"),
      {
        ...part(monitoring.images.prometheus),
        targets,
        backupAge: backup.maxAge,
      },
      on,
    );
    const parts = [prometheus, alertmanager, collector, ...exporters, ...present(gate)];
    this.containers = parts.map(({ container }) => container);
    const { processes } = settings.limits;
    new Limits(named("limits"), { stack, containers: this.containers, processes }, on);
    this.registerOutputs({ containers: this.containers.map((container) => container.name) });
  }

  #databaseExporter(
    name: string,
    { stack, settings: { database } }: MonitoringArgs,
    server: docker.Container,
    common: PartArgs,
  ): Exporter {
    const on = { parent: this };
    const root = database.rootPassword!;
    const user = step(
      stack,
      `${name}-user`,
      {
        script: "monitor-user",
        environment: { CONTAINER: server.name, ENGINE: database.engine },
        stdin: pulumi.secret(`${monitorPassword(root)}\n`),
      },
      { ...on, dependsOn: [server, ...common.after] },
    );
    return new Exporter(
      name,
      {
        ...common,
        ...{ of: "database", asks: true },
        file: { path: FILES.database.path, content: pulumi.secret(FILES.database.content(root)) },
        after: [...common.after, user],
      },
      on,
    );
  }
}
