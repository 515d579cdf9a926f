import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { plannedHashes } from "../config/plan.ts";
import { fpmAddresses } from "./app.ts";
import { step } from "./command.ts";
import type { Laravel } from "./laravel.ts";
import { wordsOf } from "./outputs.ts";

export interface VerifyArgs {
  readonly laravel: Laravel;
  /** APP_URL. */
  readonly url: string;
  readonly replicas: readonly docker.Container[];
  /** All other containers of the application that last. */
  readonly background: readonly docker.Container[];
  /** Where its predecessor may serve beside it for a moment. @default it has none */
  readonly proxy?: docker.Container | undefined;
  /** How many requests through the proxy must succeed. */
  readonly requests: number;
  /** How many processes and threads a container may have. */
  readonly processes: number;
  /** What it waits for: the switch. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/** Proves the release: requests through the proxy succeed, and every Laravel container has the planned environment. */
export class Verify extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(name: string, args: VerifyArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Verify", name, {}, options);
    const { laravel, url, replicas, background, requests, processes, after, proxy } = args;
    const { app, stack, network, environment, release } = laravel;
    const fpm = app.server === "fpm";
    this.command = step(
      stack,
      name,
      {
        script: "verify",
        environment: {
          REPLICA: replicas[0]!.name,
          FPM: fpm ? fpmAddresses(replicas, app.port, network) : "",
          CONTAINERS: wordsOf(fpm ? background : [...replicas, ...background]),
          WORKERS: wordsOf(background),
          APP_PATH: app.path,
          HOST: new URL(url).hostname,
          HEALTH_PATH: app.healthPath,
          REQUESTS: String(requests),
          PROCESSES: String(processes),
          ...(proxy === undefined ? {} : { PROXY: proxy.name }),
        },
        stdin: pulumi.secret(JSON.stringify({ names: plannedHashes(environment, release) })),
      },
      { parent: this, dependsOn: after },
    );
    this.registerOutputs({ proven: this.command.id });
  }
}
