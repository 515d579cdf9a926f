import * as pulumi from "@pulumi/pulumi";
import { createTar } from "nanotar";
import { labelWords } from "./command.ts";
import { runtime, type Context } from "./context.ts";
import { envFile } from "./laravel.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

/** The input of commands/one-off.sh: a container of the new image with the new environment, that runs one command and is gone. */
export function oneOff(
  context: Context,
  network: Network,
): { environment: Record<string, pulumi.Input<string>>; files: pulumi.Output<string> } {
  const { app } = context.settings;
  return {
    environment: {
      IMAGE: context.image,
      NETWORK: network.data.name,
      APP_PATH: app.path,
      RUN_AS: `${app.uid}:${app.gid}`,
      MEMORY: String(app.memory),
      LABELS: labelWords(context, "migrate"),
    },
    files: delivery(context),
  };
}

/** The input of commands/records.sh: how the volume with the stack's records is mounted. */
export function recordsInput(context: Context, volumes: Volumes): Record<string, pulumi.Input<string>> {
  const { proxy } = context.settings;
  return {
    RECORDS: volumes.records.name,
    RECORDS_IMAGE: proxy.image,
    RECORDS_USER: `${proxy.uid}:${proxy.gid}`,
    RECORDS_LABELS: `--label drydock.stack=${context.stack}`,
  };
}

/** The container's files, as base64 of a tar: `docker cp -` unpacks it before the container starts. */
function delivery(context: Context): pulumi.Output<string> {
  const { uid, gid } = context.settings.app;
  const env = envFile(context);
  // A fixed time keeps the archive the same from one run to the next.
  const file = (path: string, data: string, mode: string) => ({ name: path.slice(1), data, attrs: { mode, uid, gid, mtime: 0 } });
  return pulumi.secret(env.content).apply((content) => {
    const scripts = ["start.sh", "answer.php", "unlock.php", "pending.php"].map(
      (name) => file(`/drydock/${name}`, runtime[name] ?? "", "555"),
    );
    return Buffer.from(createTar([file(env.path, content, "400"), ...scripts])).toString("base64");
  });
}
