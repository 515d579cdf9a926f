import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type Site, siteConfiguration, sitePath } from "../servers/nginx/site.ts";
import { step } from "./command.ts";
import type { Laravel } from "./laravel.ts";
import { wordsOf } from "./outputs.ts";
import { fingerprint } from "./stack.ts";
import type { Worker } from "./worker.ts";

export interface SwitchArgs {
  readonly laravel: Laravel;
  /** APP_URL. */
  readonly url: string;
  /** `drydock:proxy`: what the site is like; sizes in MiB, times in seconds. */
  readonly site: Site["proxy"];
  readonly proxy: docker.Container;
  readonly replicas: readonly docker.Container[];
  /** The workers that serve requests by themselves. */
  readonly servers: readonly Worker[];
  /** How many processes and threads a container may have. */
  readonly processes: number;
  /** What it waits for beside the replicas: the public files. */
  readonly after: pulumi.Input<pulumi.Resource>[];
  /** Whether nginx tells the collector of monitoring of each request. */
  readonly measured: boolean;
}

/**
 * Sends the traffic to the replicas of this release, proves it with requests, and waits until nothing is sent to the
 * old ones.
 */
export class Switch extends pulumi.ComponentResource {
  readonly command: command.local.Command;
  /** Has run when the proxy has let go of the old replicas. */
  readonly drained: command.local.Command;

  constructor(name: string, args: SwitchArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Switch", name, {}, options);
    const { laravel, url, proxy, replicas, servers, processes, after, measured } = args;
    const { app, stack, network, release } = laravel;
    const containers = [...replicas, ...servers.flatMap((server) => server.containers)];
    const namesOf = (some: readonly docker.Container[]) => pulumi.all(some.map(({ name }) => name));
    const served = servers.map(({ worker, http, containers }) =>
      namesOf(containers).apply((names) => ({ worker, names, http })),
    );
    const site = pulumi
      .all([namesOf(replicas), pulumi.all(served), network.app.name])
      .apply(([replicas, servers, network]) =>
        siteConfiguration({
          ...{ url, stage: stack.stage, app, proxy: args.site, release },
          ...{ replicas, servers, network, measured },
        }),
      );
    this.command = step(
      stack,
      name,
      {
        script: "switch",
        environment: {
          PROXY: proxy.name,
          REPLICA: replicas[0]!.name,
          REPLICAS: wordsOf(containers),
          HOST: new URL(url).hostname,
          HEALTH_PATH: app.healthPath,
          PROCESSES: String(processes),
          SITE_PATH: site.apply(sitePath),
        },
        stdin: site,
      },
      { parent: this, dependsOn: [...containers, ...after] },
    );
    this.drained = step(
      stack,
      `${name}-drained`,
      {
        script: "drain",
        environment: { PROXY: proxy.name, TIMEOUT: String(drainPatience(args.site)), SITE: site.apply(fingerprint) },
      },
      { parent: this, dependsOn: [this.command] },
    );
    this.registerOutputs({ switched: this.command.id, drained: this.drained.id });
  }
}

/** How long a release waits for what visitors hold open, in seconds. */
function drainPatience({ timeout, drainTimeout }: Site["proxy"]): number {
  // nginx itself closes it then, and takes a moment for it.
  return drainTimeout === undefined ? timeout + 15 : drainTimeout + 5;
}
