import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createTar } from "nanotar";
import { labelWords, step } from "./command.ts";
import { runtime, type Context } from "./context.ts";
import { envFile } from "./laravel.ts";
import type { Network } from "./network.ts";

/** The migrations: once a release, in a container of the new image with the new environment, before anything is switched. */
export class Migrate extends pulumi.ComponentResource {
  readonly command: command.local.Command | undefined;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Migrate", name, {}, options);
    const { app, migrate } = context.settings;
    if (migrate.enabled) {
      this.command = step(
        context,
        name,
        {
          script: "migrate",
          environment: {
            IMAGE: context.image,
            // One name a stack: whoever makes the container holds the lock.
            NAME: pulumi.interpolate`${args.network.data.name}-migrate`,
            NETWORK: args.network.data.name,
            APP_PATH: app.path,
            RUN_AS: `${app.uid}:${app.gid}`,
            MEMORY: String(app.memory),
            TIMEOUT: String(migrate.timeout),
            LABELS: labelWords(context, "migrate"),
          },
          stdin: delivery(context),
          triggers: [context.image, context.environment.hash],
        },
        { parent: this, dependsOn: args.after },
      );
    }
    this.registerOutputs({});
  }
}

/** The files of the one-off container, as base64 of a tar: `docker cp -` unpacks it before the container starts. */
function delivery(context: Context): pulumi.Output<string> {
  const { uid, gid } = context.settings.app;
  const env = envFile(context);
  // A fixed time keeps the archive the same from one run to the next.
  const file = (path: string, data: string, mode: string) => ({ name: path.slice(1), data, attrs: { mode, uid, gid, mtime: 0 } });
  return pulumi.secret(env.content).apply((content) => {
    const scripts = ["start.sh", "unlock.php"].map((name) => file(`/drydock/${name}`, runtime[name] ?? "", "555"));
    return Buffer.from(createTar([file(env.path, content, "400"), ...scripts])).toString("base64");
  });
}
