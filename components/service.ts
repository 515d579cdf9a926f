import type * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { labelWords, step } from "./command.ts";
import { container } from "./container.ts";
import { type PulledImage, pulled } from "./image.ts";
import type { Network } from "./network.ts";
import { present } from "./outputs.ts";
import { fingerprint, type StackIdentity } from "./stack.ts";

export interface ServiceArgs {
  readonly stack: StackIdentity;
  /** Its name in the network. */
  readonly service: string;
  readonly network: Network;
  /** Has a shell, for the step that gives the volume to the service's user. */
  readonly toolImage: PulledImage;
  /** `drydock:services.NAME`: limits in MiB and processors, times in seconds. */
  readonly settings: Settings["services"][string];
}

/**
 * A container that the application needs besides database and Redis, as `drydock:services.NAME` says. The application
 * reaches it by that name. It lasts from release to release, and is replaced only where its own settings change.
 */
export class Service extends pulumi.ComponentResource {
  readonly container: docker.Container;
  /** Its name in the network. */
  readonly service: string;
  readonly settings: ServiceArgs["settings"];
  /** Its data, which outlive releases and `pulumi destroy`. */
  readonly volume: docker.Volume | undefined;
  /** Has run when the volume belongs to the service's user. */
  readonly ownership: command.local.Command | undefined;

  constructor(name: string, args: ServiceArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Service", name, {}, options);
    const { stack, service, toolImage, settings } = args;
    this.service = service;
    this.settings = settings;
    const { env, files, health, volume: path } = settings;
    const image = pulled(`${name}-image`, settings.image, { parent: this });
    this.volume =
      path === undefined
        ? undefined
        : new docker.Volume(
            `${name}-data`,
            { labels: [{ label: "drydock.stack", value: stack.stack }] },
            { parent: this, protect: true, retainOnDelete: true },
          );
    [this.ownership] = present(this.volume).map((volume) =>
      step(
        stack,
        `${name}-ownership`,
        {
          script: "volumes",
          environment: {
            IMAGE: toolImage.reference,
            OWNERS: pulumi.interpolate`${volume.name} ${settings.uid}:${settings.gid} .drydock`,
            LABELS: labelWords(stack),
          },
        },
        { parent: this, dependsOn: [toolImage.resource] },
      ),
    );
    const { data, app } = args.network;
    this.container = container(
      stack,
      name,
      {
        role: "service",
        release: fingerprint({ service, image: settings.image }),
        image: settings.image,
        user: settings,
        limits: settings,
        // Through the network of the replicas there is a way out, and the proxy is on it.
        networks: [
          { network: data, aliases: [service] },
          ...(settings.outbound ? [{ network: app, aliases: [service] }] : []),
        ],
        env,
        files: Object.entries(files).map(([path, content]) => ({ path, content: pulumi.secret(content) })),
        mounts: present(this.volume).map((volume) => ({ type: "volume", source: volume.name, target: path! })),
        entrypoint: settings.entrypoint,
        command: settings.command,
        init: true,
        health: { test: ["CMD", ...health] },
        stopSignal: "SIGTERM",
        stopTimeout: settings.stopTimeout,
        startTimeout: settings.startTimeout,
      },
      // Two servers on one folder of data would destroy it.
      this.volume === undefined ? "new-before-old" : "old-before-new",
      { parent: this, dependsOn: [image.resource, ...present(this.ownership)] },
    );
    this.registerOutputs({ container: this.container.name, volume: this.volume?.name });
  }
}
