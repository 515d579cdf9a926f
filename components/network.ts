import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { StackIdentity } from "./stack.ts";

export interface NetworkArgs {
  readonly stack: StackIdentity;
  /** Whether backups are proven, which has a network of its own. @default false */
  readonly restore?: boolean;
  /** Whether the stack is measured, which has a network of its own. @default false */
  readonly monitoring?: boolean;
}

/**
 * The stack's networks. Only the proxy is on `public`; `data` has no way out, so a database can't be reached from
 * outside nor call out.
 */
export class Network extends pulumi.ComponentResource {
  /** The proxy's way to the published port. */
  readonly public: docker.Network;
  /** Proxy, replicas and workers; with a way out, for mail and APIs. */
  readonly app: docker.Network;
  /** Database, Redis and those who use them; internal. */
  readonly data: docker.Network;

  /** The backup agent and the container in which it restores; internal. */
  readonly restore: docker.Network | undefined;

  /** Those who measure the stack; internal. */
  readonly monitoring: docker.Network | undefined;

  constructor(
    name: string,
    { stack, restore = false, monitoring = false }: NetworkArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Network", name, {}, options);
    const network = (suffix: string, internal: boolean) =>
      new docker.Network(
        `${name}-${suffix}`,
        { driver: "bridge", internal, labels: [{ label: "drydock.stack", value: stack.stack }] },
        // They never change, and networks of an older Drydock have one more: none is replaced for it, with all that is
        // in it.
        { parent: this, ignoreChanges: ["labels"] },
      );
    this.public = network("public", false);
    this.app = network("app", false);
    this.data = network("data", true);
    this.restore = restore ? network("restore", true) : undefined;
    this.monitoring = monitoring ? network("monitoring", true) : undefined;
    this.registerOutputs({
      public: this.public.name,
      app: this.app.name,
      data: this.data.name,
      restore: this.restore?.name,
      ...(this.monitoring === undefined ? {} : { monitoring: this.monitoring.name }),
    });
  }
}
