import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../config/settings.ts";
import { HOSTS } from "../../contracts/monitoring.ts";
import {
  ALERTMANAGER_DATA,
  ALERTMANAGER_FILE,
  alertmanagerCommand,
  alertmanagerConfiguration,
  alertmanagerSecrets,
} from "../../servers/monitoring/alertmanager.ts";
import { healthOf } from "../../servers/monitoring/exporters.ts";
import { container } from "../container.ts";
import { fingerprint } from "../stack.ts";
import { common, type PartArgs } from "./part.ts";
import { partVolume } from "./volume.ts";

export interface AlertmanagerArgs extends PartArgs {
  /** Who is told. */
  readonly told: Settings["alarms"];
}

/** Alertmanager: has one message sent for an incident, and one for its end. */
export class Alertmanager extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(name: string, args: AlertmanagerArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:monitoring:Alertmanager", name, {}, options);
    const { stack, network, image, settings, told, after } = args;
    const { volume, ownership } = partVolume(`${name}-silences`, args, { parent: this });
    const configuration = alertmanagerConfiguration(told, settings);
    const secrets = alertmanagerSecrets(told, settings);
    const reachesOut = Object.keys(secrets).length > 0 || told.email !== undefined;
    this.container = container(
      stack,
      name,
      {
        ...common(args, settings.memory.alertmanager),
        role: "alertmanager",
        release: fingerprint({ image: image.reference, configuration }),
        networks: [
          { network: network.monitoring, aliases: [HOSTS.alertmanager] },
          // A way out only where somebody is told.
          ...(reachesOut ? [{ network: network.app }] : []),
        ],
        files: [
          { path: ALERTMANAGER_FILE, content: configuration },
          ...Object.entries(secrets).map(([path, content]) => ({ path, content: pulumi.secret(content) })),
        ],
        mounts: [{ type: "volume", source: volume.name, target: ALERTMANAGER_DATA }],
        tmpfs: { "/tmp": 4 },
        ...alertmanagerCommand,
        health: healthOf("alertmanager", "/-/ready"),
      },
      // Two of them would both tell.
      "old-before-new",
      { parent: this, dependsOn: [image.resource, ownership, ...after] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}
