import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { HOSTS } from "../../contracts/monitoring.ts";
import { healthOf } from "../../servers/monitoring/exporters.ts";
import { PROMETHEUS_DATA, prometheusCommands, type Targets } from "../../servers/monitoring/prometheus.ts";
import { container } from "../container.ts";
import { present } from "../outputs.ts";
import { fingerprint } from "../stack.ts";
import { common, type PartArgs } from "./part.ts";
import { partVolume } from "./volume.ts";

export interface PrometheusArgs extends PartArgs {
  readonly targets: Targets;
  /** Hours after which a backup is too old. */
  readonly backupAge: number;
}

/** Prometheus: stores the numbers of the stack, and evaluates the alerts. */
export class Prometheus extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(name: string, args: PrometheusArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:monitoring:Prometheus", name, {}, options);
    const { stack, network, image, settings, targets, backupAge, after } = args;
    const { volume, ownership } = partVolume(`${name}-metrics`, args, { parent: this });
    const { start: command } = prometheusCommands(stack.stack, settings, targets, backupAge);
    this.container = container(
      stack,
      name,
      {
        ...common(args, settings.memory.prometheus),
        role: "prometheus",
        release: fingerprint({ image: image.reference, command }),
        networks: [
          { network: network.monitoring, aliases: [HOSTS.prometheus] },
          ...present(settings.network).map((name) => ({ network: { name }, aliases: [`drydock-${stack.stack}`] })),
        ],
        mounts: [{ type: "volume", source: volume.name, target: PROMETHEUS_DATA }],
        tmpfs: { "/tmp": 16 },
        readOnly: true,
        entrypoint: ["/bin/sh", "-c"],
        command: [command],
        health: healthOf("prometheus", "/-/ready"),
      },
      // Two of them on one folder would destroy it.
      "old-before-new",
      { parent: this, dependsOn: [image.resource, ownership, ...after] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}
