import * as pulumi from "@pulumi/pulumi";
import { createTar } from "nanotar";
import { ONE_OFF_FILES } from "../contracts/steps.ts";
import { quote } from "../lib/shell.ts";
import { labelWords } from "./command.ts";
import { authorities, envFiles, type Laravel, laravelSpec, phpFile } from "./laravel.ts";
import { runtime, type StackIdentity } from "./stack.ts";
import type { Volumes } from "./volumes.ts";

/**
 * The input of commands/functions/one-off.sh: a container of the new image that runs one command and is gone, with the
 * environment, the volumes and the networks of a replica.
 *
 * @param rehearsal it runs the code of migrations for what they would do: nothing that they write to files or send
 * elsewhere may happen
 */
export function oneOff(
  laravel: Laravel,
  { rehearsal }: { readonly rehearsal: boolean },
): { environment: Record<string, pulumi.Input<string>>; files: pulumi.Output<string> } {
  const { app, network, stack, release, image, external } = laravel;
  const { env = {}, mounts = [] } = laravelSpec(laravel, "migrate");
  const logs = `${app.path}/storage/logs`;
  const variables = Object.entries({ ...env, DRYDOCK_CACHE: "0" }).map(
    ([name, value]) => `--env ${quote(`${name}=${value}`)}`,
  );
  const volumes = pulumi.all(mounts).apply((all) =>
    all
      // Its scripts are those of this release, which the volume may not have yet.
      .filter(({ target }) => target !== "/drydock")
      .map(({ source, target, readOnly }) => {
        const readonly = readOnly === true || (rehearsal && target !== logs) ? ",readonly" : "";
        return `--mount ${quote(`type=volume,source=${source},target=${target},volume-nocopy${readonly}`)}`;
      }),
  );
  const isOutside = external.database !== undefined || external.redis !== undefined;
  return {
    environment: {
      IMAGE: image,
      NETWORK: network.data.name,
      APP_PATH: app.path,
      RUN_AS: `${app.uid}:${app.gid}`,
      MEMORY: String(app.memory),
      LABELS: labelWords(stack, { role: "migrate", release }),
      MORE: volumes.apply((words) => [...variables, ...words].join(" ")),
      // The other one has no way out, unless the database itself is outside.
      ...(rehearsal && !isOutside ? {} : { ALSO: network.app.name }),
    },
    files: delivery(laravel),
  };
}

/** Who reads and writes the stack's records: a one-off container of the proxy's image and user. */
export interface RecordWriter {
  /** With a tag or a digest. */
  readonly image: string;
  readonly uid: number;
  readonly gid: number;
}

/** The input of commands/functions/records.sh: how the volume with the stack's records is mounted. */
export function recordsInput(
  stack: StackIdentity,
  volumes: Volumes,
  { image, uid, gid }: RecordWriter,
): Record<string, pulumi.Input<string>> {
  return {
    RECORDS: volumes.records.name,
    RECORDS_IMAGE: image,
    RECORDS_USER: `${uid}:${gid}`,
    RECORDS_LABELS: labelWords(stack),
  };
}

/** The container's files, as base64 of a tar: `docker cp -` unpacks it before the container starts. */
function delivery(laravel: Laravel): pulumi.Output<string> {
  const { uid, gid } = laravel.app;
  // A fixed time keeps the archive the same from one run to the next.
  const file = ({ path, content }: { readonly path: string; readonly content: string }, mode: string) => ({
    name: path.slice(1),
    data: content,
    attrs: { mode, uid, gid, mtime: 0 },
  });
  return pulumi
    .secret(pulumi.all(envFiles(laravel).map(({ path, content }) => ({ path, content }))))
    .apply((files) =>
      Buffer.from(
        createTar([
          ...authorities(laravel.external).map(({ path, content }) => file({ path, content: String(content) }, "444")),
          ...files.map((one) => file(one, "400")),
          file(phpFile(laravel), "444"),
          ...ONE_OFF_FILES.map((name) => file({ path: `/drydock/${name}`, content: runtime[name] ?? "" }, "555")),
        ]),
      ).toString("base64"),
    );
}
