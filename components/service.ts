import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import { container } from "./container.ts";
import { type Context, fingerprint } from "./context.ts";
import { pulled } from "./image.ts";
import type { Network } from "./network.ts";

export interface ServiceArgs {
  readonly network: Network;
  readonly provider: docker.Provider;
  /** Has a shell, for the step that gives the volume to the service's user. */
  readonly toolImage: docker.RemoteImage;
}

/**
 * A container that the application needs besides database and Redis, as `drydock:services.NAME` says. The application
 * reaches it by that name. It lasts from
 * release to release, and is replaced only where its own settings change.
 */
export class Service extends pulumi.ComponentResource {
  readonly container: docker.Container;
  /** Its data, which outlive releases and `pulumi destroy`. */
  readonly volume: docker.Volume | undefined;

  constructor(
    readonly service: string,
    context: Context,
    args: ServiceArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Service", `service-${service}`, {}, options);
    const settings = context.settings.services[service]!;
    const { env, files, health, volume: path } = settings;
    const name = `service-${service}`;
    const image = pulled(`${name}-image`, settings.image, { parent: this, provider: args.provider });
    this.volume =
      path === undefined
        ? undefined
        : new docker.Volume(
            `${name}-data`,
            { labels: [{ label: "drydock.stack", value: context.stack }] },
            { parent: this, protect: true, retainOnDelete: true },
          );
    const owned =
      this.volume === undefined
        ? []
        : [
            step(
              context,
              `${name}-ownership`,
              {
                script: "volumes",
                environment: {
                  IMAGE: context.settings.proxy.image,
                  OWNERS: pulumi.interpolate`${this.volume.name} ${settings.uid}:${settings.gid} .drydock`,
                  LABELS: `--label drydock.stack=${context.stack}`,
                },
              },
              { parent: this, dependsOn: [args.toolImage] },
            ),
          ];
    const { data, app } = args.network;
    this.container = container(
      context,
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
        mounts: this.volume === undefined ? [] : [{ type: "volume", source: this.volume.name, target: path! }],
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
      { parent: this, dependsOn: [image, ...owned] },
    );
    this.registerOutputs({ container: this.container.name, volume: this.volume?.name });
  }
}

/** The services of the stack's file. */
export function servicesOf(context: Context, args: ServiceArgs, options?: pulumi.ComponentResourceOptions): Service[] {
  return Object.keys(context.settings.services).map((name) => new Service(name, context, args, options));
}
