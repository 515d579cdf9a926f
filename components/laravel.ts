import * as pulumi from "@pulumi/pulumi";
import { dotenv } from "../config/dotenv.ts";
import type { Role } from "../config/roles.ts";
import { caFile } from "../config/schema/external.ts";
import type { Environment, Settings } from "../config/settings.ts";
import type { EnvironmentOf } from "../contracts/containers.ts";
import type { DatabaseAccount } from "../servers/database.ts";
import { PHP_FOLDER, phpSettings } from "../servers/php/settings.ts";
import type { ContainerFile, ContainerSpec } from "./container.ts";
import type { Network } from "./network.ts";
import type { ReleaseIdentity, StackIdentity } from "./stack.ts";
import type { Volumes } from "./volumes.ts";

/** The servers that are elsewhere: where, and how they are checked. */
export interface ExternalServers {
  readonly database?: Settings["database"]["external"];
  readonly redis?: Settings["redis"]["external"];
}

/** What the settings say of servers elsewhere. */
export function externalOf(settings: {
  readonly database: Pick<Settings["database"], "external">;
  readonly redis: Pick<Settings["redis"], "external">;
}): ExternalServers {
  return { database: settings.database.external, redis: settings.redis.external };
}

/** The application's account in its database. */
export function accountOf({ plain, secret }: Environment): DatabaseAccount {
  return { user: plain.DB_USERNAME ?? "", schema: plain.DB_DATABASE ?? "", password: secret.DB_PASSWORD ?? "" };
}

/** What all containers of the application have in common; they differ in what they run. */
export interface Laravel extends ReleaseIdentity {
  readonly stack: StackIdentity;
  readonly network: Network;
  readonly volumes: Volumes;
  /** The one block of variables, plain and secret. */
  readonly environment: Environment;
  /** `drydock:app`: the image's folder and user, PHP's settings, limits in MiB and processors, times in seconds. */
  readonly app: Settings["app"];
  /** The largest request body, in MiB. */
  readonly uploadLimit: number;
  readonly external: ExternalServers;
}

/** What only Drydock sets, for the application to read; not part of the user's environment. */
function ownVariables({ release }: ReleaseIdentity): Pick<EnvironmentOf<"laravel">, "DRYDOCK_RELEASE"> {
  return { DRYDOCK_RELEASE: release };
}

/** The same, and what runtime/ reads of a container's environment. */
function containerVariables(laravel: Laravel): EnvironmentOf<"laravel"> {
  const { path, cache, server } = laravel.app;
  return {
    ...ownVariables(laravel),
    DRYDOCK_PATH: path,
    DRYDOCK_CACHE: cache ? "1" : "0",
    // The same in all roles, for their configuration is one.
    ...(server === "http" ? { DRYDOCK_BEHIND_PROXY: "1" } : {}),
  };
}

/**
 * The one `.env` file: every variable, plain and secret, the same in each Laravel container. Once more under the name
 * of the stage: where the image has a file of that name, Laravel would read it instead.
 */
export function envFiles(
  laravel: Laravel,
): readonly { readonly path: string; readonly content: pulumi.Output<string> }[] {
  const { environment, app } = laravel;
  const content = pulumi.secret(dotenv(environment, ownVariables(laravel)));
  return ["", `.${environment.plain.APP_ENV}`].map((ending) => ({ path: `${app.path}/.env${ending}`, content }));
}

/** The certificates that servers elsewhere are checked with, for all who reach these servers. */
export function authorities(external: ExternalServers): readonly ContainerFile[] {
  return (["database", "redis"] as const).flatMap((name) => {
    const ca = external[name]?.ca;
    return ca === undefined ? [] : [{ path: caFile(name, ca), content: ca, mode: "0444", owner: "root" as const }];
  });
}

/** PHP's settings, as a file of PHP's own. */
export function phpFile({ app, uploadLimit }: Laravel) {
  return { path: `${PHP_FOLDER}/drydock.ini`, content: phpSettings(app, uploadLimit) };
}

/** The container of a role: image, user, environment, files, networks, volumes. */
export function laravelSpec(
  laravel: Laravel,
  role: Role,
): Omit<ContainerSpec, "limits" | "command" | "health" | "stopSignal" | "stopTimeout"> {
  const { app, network, volumes, environment, external, release, image } = laravel;
  return {
    role,
    release,
    image,
    user: app,
    networks: [{ network: network.app }, { network: network.data }],
    env: { ...environment.plain, ...containerVariables(laravel) },
    files: [...envFiles(laravel), ...authorities(external), { ...phpFile(laravel), mode: "0444", owner: "root" }],
    mounts: [
      { type: "volume", source: volumes.storage.name, target: `${app.path}/storage/app` },
      { type: "volume", source: volumes.logs.name, target: `${app.path}/storage/logs` },
      ...volumes.persistent.map(({ path, volume }) => ({
        type: "volume",
        source: volume.name,
        target: `${app.path}/${path}`,
      })),
      { type: "volume", source: volumes.runtime.name, target: "/drydock", readOnly: true },
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
