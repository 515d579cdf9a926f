import type { Rule } from "./rule.ts";
import { noPasswordArgv } from "./rules/argv.ts";
import * as commands from "./rules/commands.ts";
import * as containers from "./rules/containers.ts";
import { noDestructiveDocker } from "./rules/destructive.ts";
import * as exposed from "./rules/exposed-secrets.ts";
import { healthcheckEndpoint, healthcheckIpv4 } from "./rules/health.ts";
import * as host from "./rules/host.ts";
import * as images from "./rules/images.ts";
import * as env from "./rules/laravel-env.ts";
import * as hosts from "./rules/laravel-hosts.ts";
import * as release from "./rules/laravel-release.ts";
import * as runtime from "./rules/laravel-runtime.ts";
import * as secrets from "./rules/laravel-secrets.ts";
import * as paths from "./rules/paths.ts";
import * as persistence from "./rules/persistence.ts";
import * as privileges from "./rules/privileges.ts";
import * as published from "./rules/published.ts";
import * as s3 from "./rules/s3.ts";
import * as safety from "./rules/safety.ts";

/** Refuses a name that is there already: the policy SDK would take both, and one configuration would rule the two. */
export function ordered(rules: readonly Rule[]): readonly Rule[] {
  const seen = new Set<string>();
  for (const { name } of rules) {
    if (seen.has(name))
      throw new Error(`policies/catalogue.ts: two rules are called ${name}. Give one of them another name`);
    seen.add(name);
  }
  return rules;
}

/** All rules, in the order in which documents show them. */
export const catalogue: readonly Rule[] = ordered([
  release.noComposeNoRecreate,
  env.envBlockIdentical,
  env.dbConnectionExplicit,
  secrets.redisPasswordEveryRole,
  secrets.redisPasswordMatchesServer,
  secrets.appKeyEveryRole,
  secrets.appKeyIdentical,
  env.coreEnvComplete,
  env.phpredisClient,
  runtime.codeFromImageOnly,
  release.artisanCommandTriggers,
  healthcheckIpv4,
  healthcheckEndpoint,
  runtime.nonRootUid,
  runtime.storageWritable,
  release.configCacheAfterStart,
  hosts.serviceHostNotLoopback,
  hosts.serviceHostResolves,
  release.noArtisanDown,
  release.webNoDeleteBeforeReplace,
  persistence.redisPersistent,
  release.singleScheduler,
  release.noDestructiveArtisan,
  release.backupBeforeMigrate,
  secrets.strongSecrets,
  noPasswordArgv,
  env.productionMode,
  exposed.secretFilesTight,
  noDestructiveDocker,
  images.imagePinned,
  safety.statefulProtected,
  safety.uniquePortsAndNames,
  safety.previewIsolated,
  hosts.engineMatchesEnv,
  paths.buildContextRoot,
  paths.absoluteHostPath,
  paths.noSingleFileDbBind,
  env.envNoConflict,
  exposed.noCredentialsInUrl,
  published.datastoreNotPublished,
  safety.waitForHealthy,
  containers.healthcheckRequired,
  containers.memoryLimit,
  containers.cpuLimit,
  privileges.noPrivileged,
  privileges.dropCapabilities,
  privileges.noNewPrivileges,
  privileges.noUnconfinedProfile,
  paths.noDockerSocket,
  paths.noSensitiveMount,
  privileges.noHostNamespaces,
  containers.boundInterface,
  containers.userDefinedNetwork,
  containers.restartPolicy,
  containers.readonlyRootfs,
  containers.noDevices,
  containers.noCgroupParent,
  containers.noLowHostPort,
  images.noSecretBuildArg,
  s3.s3PublicBlocked,
  s3.s3TlsOnly,
  s3.s3NoAcl,
  s3.s3LifecycleCoversRetention,
  s3.s3Recoverable,
  runtime.laravelUidIdentical,
  host.hostPathAllowed,
  host.volumeDriver,
  host.noExtraGroups,
  host.runtimeAllowed,
  host.noCoreDumps,
  published.publishedPorts,
  exposed.noSecretInEnv,
  runtime.knownRole,
  commands.dockerRunFlags,
  commands.noPipedShell,
  commands.knownCommands,
  persistence.databasePersistent,
  s3.s3NoPublicPolicy,
]);

export function ruleNamed(name: string): Rule | undefined {
  return catalogue.find((rule) => rule.name === name);
}
