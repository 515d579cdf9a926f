import * as pulumi from "@pulumi/pulumi";
import { createTar } from "nanotar";
import { labelWords } from "./command.ts";
import { type Context, runtime } from "./context.ts";
import { authorities, envFiles, laravelSpec } from "./laravel.ts";
import type { Network } from "./network.ts";
import { PHP_FOLDER, phpSettings } from "./php.ts";
import type { Volumes } from "./volumes.ts";

/**
 * The input of commands/one-off.sh: a container of the new image that runs one command and is gone, with the
 * environment, the volumes and
 * the networks of a replica.
 *
 * @param rehearsal it runs the code of migrations for what they would do: nothing that they write to files or send
 * elsewhere may happen
 */
export function oneOff(
  context: Context,
  args: { readonly network: Network; readonly volumes: Volumes; readonly rehearsal: boolean },
): { environment: Record<string, pulumi.Input<string>>; files: pulumi.Output<string> } {
  const { app } = context.settings;
  const { env = {}, mounts = [] } = laravelSpec(context, "migrate", args);
  const logs = `${app.path}/storage/logs`;
  const variables = Object.entries({ ...env, DRYDOCK_CACHE: "0" }).map(
    ([name, value]) => `--env ${quote(`${name}=${value}`)}`,
  );
  const volumes = pulumi.all(mounts).apply((all) =>
    all
      // Its scripts are those of this release, which the volume may not have yet.
      .filter(({ target }) => target !== "/drydock")
      .map(({ source, target, readOnly }) => {
        const readonly = readOnly === true || (args.rehearsal && target !== logs) ? ",readonly" : "";
        return `--mount ${quote(`type=volume,source=${source},target=${target},volume-nocopy${readonly}`)}`;
      }),
  );
  return {
    environment: {
      IMAGE: context.image,
      NETWORK: args.network.data.name,
      APP_PATH: app.path,
      RUN_AS: `${app.uid}:${app.gid}`,
      MEMORY: String(app.memory),
      LABELS: labelWords(context, "migrate"),
      MORE: volumes.apply((words) => [...variables, ...words].join(" ")),
      // The other one has no way out, unless the database itself is outside.
      ...(args.rehearsal && !reachesOut(context) ? {} : { ALSO: args.network.app.name }),
    },
    files: delivery(context),
  };
}

function reachesOut({ settings: { database, redis } }: Context): boolean {
  return database.external !== undefined || redis.external !== undefined;
}

/** One word for a POSIX shell, whatever is in it. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
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
  // A fixed time keeps the archive the same from one run to the next.
  const file = (path: string, data: string, mode: string) => ({
    name: path.slice(1),
    data,
    attrs: { mode, uid, gid, mtime: 0 },
  });
  const scripts = [
    "start.sh",
    "answer.php",
    "image.php",
    "masked.php",
    "migrate.php",
    "pending.php",
    "preflight.php",
    "stores.php",
    "elsewhere.php",
  ];
  return pulumi
    .secret(pulumi.all(envFiles(context).map(({ path, content }) => ({ path, content }))))
    .apply((files) =>
      Buffer.from(
        createTar([
          ...authorities(context).map(({ path, content }) => file(path, String(content), "444")),
          ...files.map(({ path, content }) => file(path, content, "400")),
          file(`${PHP_FOLDER}/drydock.ini`, phpSettings(context), "444"),
          ...scripts.map((name) => file(`/drydock/${name}`, runtime[name] ?? "", "555")),
        ]),
      ).toString("base64"),
    );
}
