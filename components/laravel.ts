import * as pulumi from "@pulumi/pulumi";
import { dotenv } from "../config/dotenv.ts";
import { caFile } from "../config/schema/external.ts";
import type { ContainerFile, ContainerSpec } from "./container.ts";
import type { Context, Role } from "./context.ts";
import type { Network } from "./network.ts";
import { PHP_FOLDER, phpSettings } from "./php.ts";
import type { Volumes } from "./volumes.ts";

/** What only Drydock sets in a Laravel container; not part of the user's environment. */
function ownVariables(context: Context): Record<string, string> {
  return { DRYDOCK_RELEASE: context.release };
}

/**
 * The one `.env` file: every variable, plain and secret, the same in each Laravel container. Once more under the name
 * of the stage:
 * where the image has a file of that name, Laravel would read it instead.
 */
export function envFiles(
  context: Context,
): readonly { readonly path: string; readonly content: pulumi.Output<string> }[] {
  const content = pulumi.secret(dotenv(context.environment, ownVariables(context)));
  return ["", `.${context.environment.plain.APP_ENV}`].map((ending) => ({
    path: `${context.settings.app.path}/.env${ending}`,
    content,
  }));
}

/** The certificates that servers elsewhere are checked with, for all who reach these servers. */
export function authorities({ settings: { database, redis } }: Context): readonly ContainerFile[] {
  return (["database", "redis"] as const).flatMap((name) => {
    const ca = { database, redis }[name].external?.ca;
    return ca === undefined ? [] : [{ path: caFile(name, ca), content: ca, mode: "0444", owner: "root" as const }];
  });
}

/**
 * What app, scheduler and horizon have in common: image, user, environment, files, networks, volumes. They differ in
 * what they run.
 */
export function laravelSpec(
  context: Context,
  role: Role,
  args: { network: Network; volumes: Volumes },
): Omit<ContainerSpec, "limits" | "command" | "health" | "stopSignal" | "stopTimeout"> {
  const { app } = context.settings;
  return {
    role,
    release: context.release,
    image: context.image,
    user: app,
    networks: [{ network: args.network.app }, { network: args.network.data }],
    env: {
      ...context.environment.plain,
      ...ownVariables(context),
      DRYDOCK_PATH: app.path,
      DRYDOCK_CACHE: app.cache ? "1" : "0",
      // The same in all roles, for their configuration is one.
      ...(app.server === "http" ? { DRYDOCK_BEHIND_PROXY: "1" } : {}),
    },
    files: [
      ...envFiles(context),
      ...authorities(context),
      { path: `${PHP_FOLDER}/drydock.ini`, content: phpSettings(context), mode: "0444", owner: "root" },
    ],
    mounts: [
      { type: "volume", source: args.volumes.storage.name, target: `${app.path}/storage/app` },
      { type: "volume", source: args.volumes.logs.name, target: `${app.path}/storage/logs` },
      ...args.volumes.persistent.map(({ path, volume }) => ({
        type: "volume",
        source: volume.name,
        target: `${app.path}/${path}`,
      })),
      { type: "volume", source: args.volumes.runtime.name, target: "/drydock", readOnly: true },
    ],
    tmpfs: {
      [`${app.path}/bootstrap/cache`]: 16,
      [`${app.path}/storage/framework`]: 128,
      "/tmp": 128,
    },
    entrypoint: ["/bin/sh", "/drydock/start.sh"],
    startTimeout: app.startTimeout,
  };
}
