import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { configurationOf } from "../config/fromProgram.ts";
import type { StackSettings } from "../config/given.ts";
import { isMonitored } from "../config/monitoring.ts";
import type { Configuration, Settings } from "../config/settings.ts";
import { stageOf } from "../config/stage.ts";
import { defined } from "../lib/defined.ts";
import { behindEdge, findEdge } from "./edge/found.ts";
import { engineOf, hostOf } from "./engine.ts";
import { guardOf } from "./guard.ts";
import { namedImage } from "./image.ts";
import { Infrastructure } from "./infrastructure.ts";
import { knownValues } from "./known.ts";
import { servicesOutput } from "./outputs.ts";
import { settingsHash } from "./record.ts";
import { Release } from "./release.ts";
import { releaseOf, type StackIdentity } from "./stack.ts";
import type { Recorded, RecordsPlace, Service } from "./stackOutputs.ts";

/** What a LaravelStack is made of: the settings, and what tells it from others. */
export interface LaravelStackArgs extends StackSettings {
  /**
   * What tells it from others on the same Docker host: the value of the label `drydock.stack` on all that is made.
   * @default the component's name and the Pulumi stack's, such as shop-prod
   */
  readonly label?: string;
  /**
   * What the names of its resources begin with.
   * @default the component's name and a hyphen
   */
  readonly prefix?: string;
  /**
   * A stack's file that is read and judged already, in place of settings.
   * @internal
   */
  readonly configuration?: Configuration;
}

/** What is known when all of it is registered. */
interface Registered {
  readonly url: string | undefined;
  readonly release: string;
  readonly envHash: string;
  readonly services: pulumi.Output<Service[]>;
  readonly record: pulumi.Output<Recorded | null>;
  readonly records: pulumi.Output<RecordsPlace>;
  readonly backupBucket: pulumi.Output<string> | null;
}

/** Laravel in production on Docker: what lasts, and one release after the other. */
export class LaravelStack extends pulumi.ComponentResource<Registered> {
  /** APP_URL. */
  readonly url: pulumi.Output<string | undefined>;
  /** Which release it is: 12 hex digits. */
  readonly release: pulumi.Output<string>;
  /** Tells two blocks of variables apart without telling what is in them: 64 hex digits. */
  readonly envHash: pulumi.Output<string>;
  /** The containers that run. */
  readonly services: pulumi.Output<Service[]>;
  /** The release that serves; null before the first one. */
  readonly record: pulumi.Output<Recorded | null>;
  /** Where the records are: a volume, and who reads it. */
  readonly records: pulumi.Output<RecordsPlace>;
  /** The bucket for backups; null where there is none. */
  readonly backupBucket: pulumi.Output<string | null>;

  constructor(name: string, args: LaravelStackArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:LaravelStack", name, unseen({ args }), {
      ...options,
      transformations: [...(options?.transformations ?? []), formerName],
    });
    const registered = pulumi.output(this.getData());
    this.url = registered.url;
    this.release = registered.release;
    this.envHash = registered.envHash;
    this.services = registered.services;
    this.record = registered.record;
    this.records = registered.records;
    this.backupBucket = registered.apply(({ backupBucket }) => backupBucket);
    const { url, release, services, record } = this;
    // Where the settings are wrong, that alone is said, and not that there are no outputs.
    void this.getData().then(() => this.registerOutputs({ url, release, services, record }));
  }

  /** Resolves when the engine has been told of all of it. @throws what is wrong with it, before anything is made */
  async registered(): Promise<void> {
    await this.getData();
  }

  protected override async initialize(
    { args }: { readonly args: LaravelStackArgs },
    _options?: pulumi.ComponentResourceOptions,
    name = "",
  ): Promise<Registered> {
    const { label = `${name}-${pulumi.getStack()}`, prefix = `${name}-`, configuration, ...values } = args;
    const judged = configuration ?? (await judge(name, values));
    if (judged === undefined) return UNKNOWN;
    const { settings: given, environment } = judged;
    const host = hostOf(given.docker.host);
    // Where visitors come through the machine's edge, it has to be there.
    const edge = given.domains.length === 0 ? undefined : await findEdge(host, label);
    const settings = edge === undefined ? given : behindEdge(given, edge);
    const { app, logs } = settings;
    const engine = await engineOf(host, app.build !== undefined);
    const { reference, id } = await namedImage(app, host);
    const identity = releaseOf(reference, id, environment, app);
    const guard = await guardOf(pulumi.getStack(), settings, environment);
    // Loaded only where it is wanted: AWS's SDK would slow down every preview of a stack without a bucket, and so would
    // what measures one that is not measured.
    const stage = stageOf(pulumi.getStack(), environment.plain.APP_ENV);
    const monitored = isMonitored(settings.monitoring, stage);
    const makeMonitoring = monitored ? (await import("./monitoring/monitoring.ts")).Monitoring : undefined;
    // Nothing waits after this line, so the guard has seen everything before the engine hears of anything.
    const makeBucket =
      settings.bucket.name === undefined ? undefined : (await import("./backupBucket.ts")).BackupBucket;

    const stack: StackIdentity = {
      stack: label,
      stage,
      dockerHost: settings.docker.host,
      logs,
      prefix,
    };
    const named = (part: string) => `${stack.prefix}${part}`;
    // The guard sees each resource before it is registered.
    const on = { parent: this, providers: this.#providers(stack, settings), transformations: guard.transformations };
    const common = { stack, settings, environment };
    const infrastructure = new Infrastructure(named("infrastructure"), { ...common, monitored, makeBucket }, on);
    const released = new Release(
      named("release"),
      {
        ...common,
        ...identity,
        infrastructure,
        settingsHash: settingsHash(settings),
        platform: engine?.platform,
        edge,
        monitored,
      },
      on,
    );
    const after = [released.record.command];
    const monitoring =
      makeMonitoring && new makeMonitoring(named("monitoring"), { ...common, infrastructure, after }, on);
    guard.finish();

    const [proxy, ...others] = infrastructure.containers;
    return {
      url: environment.plain.APP_URL,
      release: identity.release,
      envHash: environment.hash,
      services: servicesOutput(
        [...[proxy!, ...released.replicas, ...released.background, ...others], ...(monitoring?.containers ?? [])],
        stack.prefix,
      ),
      record: released.record.recorded,
      records: released.record.records,
      backupBucket: infrastructure.bucket?.bucket ?? null,
    };
  }

  /**
   * Those that the program has given, else the stack's own. Written out, so that both plugins start at once: a default
   * one starts when the first resource of its kind has all that it waits for.
   */
  #providers({ prefix }: StackIdentity, { docker: { host, registry } }: Settings) {
    const on = { parent: this };
    const registryAuth = registry && [{ ...registry, password: pulumi.secret(registry.password) }];
    return {
      docker:
        this.getProvider("docker:index:Provider") ??
        new docker.Provider(`${prefix}docker`, defined({ host, registryAuth }), on),
      command: this.getProvider("command:index:Provider") ?? new command.Provider(`${prefix}command`, {}, on),
    };
  }
}

/** What is known of a stack in a preview that does not know its settings yet. */
const UNKNOWN = Object.fromEntries(
  ["url", "release", "envHash", "services", "record", "records", "backupBucket"].map((name) => [name, pulumi.unknown]),
) as unknown as Registered;

/** Judges the settings; undefined where a preview can't know one of them yet. */
async function judge(name: string, given: object): Promise<Configuration | undefined> {
  const known = await knownValues(given);
  if (known !== undefined) return configurationOf(name, known.values, pulumi.getStack(), known.isSecret);
  void pulumi.log.warn(
    `LaravelStack "${name}": a setting is only known when another resource is there, ` +
      "so this preview shows nothing of it",
  );
  return undefined;
}

/** The parents that earlier versions did not have. */
const PARENTS: readonly string[] = ["LaravelStack", "Infrastructure", "Release"].map((name) => `drydock:index:${name}`);

/**
 * Tells the engine what an earlier version called a resource, so that it is not made anew. Each of them is told by
 * itself: what it could conclude from a parent's alias is lost when an update ends between the two.
 */
const formerName: pulumi.ResourceTransformation = ({ type, name, props, opts }) => {
  const former = opts.parent?.urn.apply((urn) => {
    const [stack, project, parents = ""] = urn.split("::");
    const types = [...parents.split("$").filter((one) => !PARENTS.includes(one)), type];
    return [stack, project, types.join("$"), name].join("::");
  });
  return former === undefined ? undefined : { props, opts: { ...opts, aliases: [...(opts.aliases ?? []), former] } };
};

/** Values for `initialize` that are no inputs of the resource: the engine would keep them, secrets in plain text. */
function unseen<T extends object>(values: T): T {
  const entries = Object.entries(values).map(([key, value]) => [key, { value, enumerable: false }]);
  return Object.create({}, Object.fromEntries(entries));
}
