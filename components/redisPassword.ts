import { createHash } from "node:crypto";
import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import type { Network } from "./network.ts";
import type { StackIdentity } from "./stack.ts";

export interface RedisPasswordArgs {
  readonly stack: StackIdentity;
  readonly network: Network;
  /** One server of the stack. */
  readonly redis: docker.Container;
  /** The new password, and its keyed hash as the release's containers are asked for it (config/plan.ts). */
  readonly password: { readonly plain: string; readonly hash: string | undefined };
  /** Takes the earlier password away: by what the new one was added, and after what. @default it stays */
  readonly only?: {
    readonly added: RedisPassword;
    readonly after: pulumi.Input<pulumi.Resource>[];
    /** The application's folder in its image. */
    readonly appPath: string;
  };
}

/**
 * Redis's password, which the server is told while it runs: a release with another one interrupts nobody. Before
 * anything of the release starts, Redis takes the new password as well; when the release is proven, it alone. One that
 * fails leaves both.
 */
export class RedisPassword extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(name: string, args: RedisPasswordArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:RedisPassword", name, {}, options);
    const { stack, network, redis, password, only } = args;
    const sha256 = createHash("sha256").update(password.plain).digest("hex");
    this.command = step(
      stack,
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
                APP_PATH: only.appPath,
                ADDED: pulumi.unsecret(only.added.command.stdout),
              }),
        },
        stdin: pulumi.secret(`#${sha256}\n${JSON.stringify({ names: { REDIS_PASSWORD: password.hash } })}\n`),
      },
      { parent: this, dependsOn: [redis, ...(only?.after ?? [])] },
    );
    this.registerOutputs({ said: this.command.id });
  }
}
