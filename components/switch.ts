import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import { type Context, fingerprint, siteHost } from "./context.ts";
import type { Network } from "./network.ts";
import { wordsOf } from "./outputs.ts";
import { siteConfiguration } from "./siteConfiguration.ts";
import type { Worker } from "./worker.ts";

/**
 * Sends the traffic to the replicas of this release, proves it with requests, and waits until nothing is sent to the
 * old ones.
 */
export class Switch extends pulumi.ComponentResource {
  readonly command: command.local.Command;
  /** Has run when the proxy has let go of the old replicas. */
  readonly drained: command.local.Command;

  constructor(
    name: string,
    context: Context,
    args: {
      network: Network;
      proxy: docker.Container;
      replicas: docker.Container[];
      servers: Worker[];
      after: pulumi.Input<pulumi.Resource>[];
    },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Switch", name, {}, options);
    const { app, limits, proxy } = context.settings;
    const namesOf = (containers: docker.Container[]) => pulumi.all(containers.map(({ name }) => name));
    const servers = pulumi.all(
      args.servers.map(({ worker, containers }) => namesOf(containers).apply((names) => ({ worker, names }))),
    );
    const site = pulumi
      .all([namesOf(args.replicas), servers, args.network.app.name])
      .apply(([replicas, servers, network]) => siteConfiguration(context, replicas, servers, network));
    this.command = step(
      context,
      name,
      {
        script: "switch",
        environment: {
          PROXY: args.proxy.name,
          REPLICA: args.replicas[0]!.name,
          REPLICAS: wordsOf([...args.replicas, ...args.servers.flatMap(({ containers }) => containers)]),
          RELEASE: context.release,
          HOST: siteHost(context),
          HEALTH_PATH: app.healthPath,
          PROCESSES: String(limits.processes),
          SITE_CONF: site,
        },
      },
      {
        parent: this,
        dependsOn: [...args.replicas, ...args.servers.flatMap(({ containers }) => containers), ...args.after],
      },
    );
    this.drained = step(
      context,
      `${name}-drained`,
      {
        script: "drain",
        environment: { PROXY: args.proxy.name, TIMEOUT: String(proxy.timeout + 15), SITE: site.apply(fingerprint) },
      },
      { parent: this, dependsOn: [this.command] },
    );
    this.registerOutputs({});
  }
}
