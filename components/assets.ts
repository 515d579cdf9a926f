import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { HASHED } from "../servers/nginx/site.ts";
import { labelWords, step } from "./command.ts";
import type { Laravel } from "./laravel.ts";

export interface AssetsArgs {
  readonly laravel: Laravel;
  readonly proxy: docker.Container;
  /** What it waits for: the migrations. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/** The release's public files, made ready beside those that are served; the switch changes to them. */
export class Assets extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(name: string, { laravel, proxy, after }: AssetsArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Assets", name, {}, options);
    const { app, stack, volumes, release, image } = laravel;
    const persistent = volumes.persistent.map(
      ({ path, public: served, volume }) => pulumi.interpolate`${volume.name} ${path} ${served ? "public" : "private"}`,
    );
    this.command = step(
      stack,
      name,
      {
        script: "assets",
        environment: {
          IMAGE: image,
          VOLUME: volumes.public.name,
          APP_PATH: app.path,
          RUN_AS: `${app.uid}:${app.gid}`,
          LABELS: labelWords(stack, { release }),
          RELEASE: release,
          PROXY: proxy.name,
          DAYS: String(app.assetDays),
          HASHED,
          PERSISTENT: pulumi.all(persistent).apply((lines) => lines.join("\n")),
        },
      },
      { parent: this, dependsOn: [proxy, ...after] },
    );
    this.registerOutputs({ ready: this.command.id });
  }
}
