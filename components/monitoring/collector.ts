import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { EnvironmentOf } from "../../contracts/containers.ts";
import { FOLDERS, HOSTS, HTTP_FOLDER, SETTINGS } from "../../contracts/monitoring.ts";
import { type Collected, collectorSettings } from "../../servers/monitoring/collector.ts";
import { healthOf } from "../../servers/monitoring/exporters.ts";
import { labelWords, step } from "../command.ts";
import { container } from "../container.ts";
import { fingerprint } from "../stack.ts";
import { common, type PartArgs } from "./part.ts";

export interface CollectorArgs extends PartArgs {
  /** APP_URL. */
  readonly url: string;
  readonly collected: Collected;
  /** The proxy's volume: nginx tells of its requests there. */
  readonly proxyState: docker.Volume;
}

/** What nobody else says: requests by nginx, Laravel and PHP-FPM by FastCGI, containers by the gate. */
export class Collector extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(name: string, args: CollectorArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:monitoring:Collector", name, {}, options);
    const { stack, network, image, settings, url, collected, proxyState, after } = args;
    const configuration = JSON.stringify(collectorSettings(stack.stack, url, collected));
    const folder = step(
      stack,
      `${name}-folder`,
      {
        script: "monitor-folder",
        environment: {
          IMAGE: image.reference,
          VOLUME: proxyState.name,
          FOLDER: HTTP_FOLDER,
          OWNER: `${settings.uid}:${settings.gid}`,
          LABELS: labelWords(stack),
        },
      },
      { parent: this, dependsOn: [image.resource, ...after] },
    );
    this.container = container(
      stack,
      name,
      {
        ...common(args, settings.memory.collector),
        role: "collector",
        release: fingerprint({ image: image.reference, configuration }),
        networks: [{ network: network.monitoring, aliases: [HOSTS.collector] }, { network: network.app }],
        env: { [SETTINGS]: configuration } satisfies Record<keyof EnvironmentOf<"collector">, unknown>,
        mounts: [{ type: "volume", source: proxyState.name, target: FOLDERS.proxy }],
        tmpfs: { "/tmp": 4 },
        readOnly: true,
        entrypoint: ["collector"],
        health: healthOf("collector", "/healthz"),
      },
      // Of two that listen for nginx at one place, one would hear nothing.
      "old-before-new",
      { parent: this, dependsOn: [image.resource, folder, ...after] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}
