import { createHash } from "node:crypto";
import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { plannedHashes } from "../config/plan.ts";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import type { Network } from "./network.ts";

/**
 * Redis's password, which the server is told while it runs: a release with another one interrupts nobody. Before
 * anything of the release starts,
 * Redis takes the new password as well; when the release is proven, it alone. One that fails leaves both.
 */
export class RedisPassword extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  /** @param args.redis one server of the stack
   *  @param args.only the earlier password is taken away, by whom it was added; @default it stays */
  constructor(
    name: string,
    context: Context,
    args: {
      redis: docker.Container;
      network: Network;
      only?: { added: RedisPassword; after: pulumi.Input<pulumi.Resource>[] };
    },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:RedisPassword", name, {}, options);
    const { redis, network, only } = args;
    const sha256 = createHash("sha256")
      .update(context.environment.secret.REDIS_PASSWORD ?? "")
      .digest("hex");
    const { REDIS_PASSWORD } = plannedHashes(context.environment, context.release);
    this.command = step(
      context,
      name,
      {
        script: "redis-password",
        environment: {
          REDIS: redis.name,
          // What was added is taken away by the release that succeeds, be it with the password before: whenever one was
          // added.
          ...(only === undefined
            ? {}
            : {
                NETWORK: network.data.name,
                APP_PATH: context.settings.app.path,
                ADDED: pulumi.unsecret(only.added.command.stdout),
              }),
        },
        stdin: pulumi.secret(`#${sha256}\n${JSON.stringify({ names: { REDIS_PASSWORD } })}\n`),
      },
      { parent: this, dependsOn: [redis, ...(only?.after ?? [])] },
    );
    this.registerOutputs({});
  }
}
