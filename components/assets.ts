import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import type { Volumes } from "./volumes.ts";

/** The release's public files, added to those of earlier releases before any page of the new release asks for them. */
export class Assets extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(
    name: string,
    context: Context,
    args: { volumes: Volumes; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Assets", name, {}, options);
    const { app } = context.settings;
    this.command = step(
      context,
      name,
      {
        script: "assets",
        environment: {
          IMAGE: context.image,
          VOLUME: args.volumes.public.name,
          APP_PATH: app.path,
          RUN_AS: `${app.uid}:${app.gid}`,
          LABELS: `--label drydock.stack=${context.stack} --label drydock.release=${context.release}`,
        },
      },
      { parent: this, dependsOn: args.after },
    );
    this.registerOutputs({});
  }
}
