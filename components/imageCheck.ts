import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import type { Context } from "./context.ts";

/** Looks into the image for what the release needs (PHP, its extensions, the application's files), before anything is changed. */
export class ImageCheck extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(name: string, context: Context, args: { image: pulumi.Resource }, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:ImageCheck", name, {}, options);
    const { app, horizon } = context.settings;
    this.command = step(
      context,
      name,
      {
        script: "image",
        environment: {
          IMAGE: context.image,
          APP_PATH: app.path,
          RUN_AS: `${app.uid}:${app.gid}`,
          LABELS: `--label drydock.stack=${context.stack} --label drydock.release=${context.release}`,
          HORIZON: horizon.enabled ? "1" : "0",
          OWN_START: app.server === "http" && app.command === undefined ? "1" : "0",
        },
      },
      { parent: this, dependsOn: [args.image] },
    );
    this.registerOutputs({});
  }
}
