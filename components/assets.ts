import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import { HASHED } from "./siteConfiguration.ts";
import type { Volumes } from "./volumes.ts";

/** The release's public files, made ready beside those that are served; the switch changes to them. */
export class Assets extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(
    name: string,
    context: Context,
    args: { volumes: Volumes; proxy: docker.Container; after: pulumi.Input<pulumi.Resource>[] },
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
          RELEASE: context.release,
          PROXY: args.proxy.name,
          DAYS: String(app.assetDays),
          HASHED,
          PERSISTENT: pulumi
            .all(
              args.volumes.persistent.map(
                ({ path, public: served, volume }) =>
                  pulumi.interpolate`${volume.name} ${path} ${served ? "public" : "private"}`,
              ),
            )
            .apply((lines) => lines.join("\n")),
        },
      },
      { parent: this, dependsOn: [args.proxy, ...args.after] },
    );
    this.registerOutputs({});
  }
}
