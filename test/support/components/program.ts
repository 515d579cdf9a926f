import * as pulumi from "@pulumi/pulumi";

/** One resource as the program registered it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, any>;
  /** Names of the resources that it waits for or whose outputs it uses, itself not included. */
  readonly after: string[];
  readonly deleteBeforeReplace: boolean | undefined;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly ignoreChanges: readonly string[];
  /** What earlier versions called it: the types of its parents and its own, and its name. */
  readonly aliases: readonly string[];
}

/** Configuration of a whole small stack; secrets are made for each run. */
export function configuration(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const random = () =>
    [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const base: Record<string, any> = {
    app: { image: "registry.test/shop:1", replicas: 3 },
    database: { image: "mariadb:11.8", rootPassword: random() },
    redis: { image: "redis:8.0" },
    proxy: { image: "nginx:1.30" },
    backup: { image: "backup:1.0", key: random(), databasePassword: random(), token: random() },
    env: {
      APP_ENV: "local",
      APP_URL: "http://127.0.0.1:8080",
      APP_KEY: `base64:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`,
      DB_CONNECTION: "mariadb",
      DB_DATABASE: "shop",
      DB_USERNAME: "shop",
      DB_PASSWORD: random(),
      REDIS_PASSWORD: random(),
    },
  };
  for (const [key, value] of Object.entries(overrides)) {
    base[key] =
      typeof value === "object" && value !== null && !Array.isArray(value) ? { ...base[key], ...value } : value;
  }
  return base;
}

let run = 0;

interface Ran {
  readonly resources: Registered[];
  readonly outputs: Record<string, unknown>;
}

/** Runs index.ts against mocks and answers what it registered, and its outputs. */
export function runProgram(config: Record<string, unknown>): Promise<Ran> {
  return runWith(config, () => import(`../../../index.ts?run=${run++}`) as Promise<Record<string, unknown>>);
}

/**
 * The same for any program.
 *
 * @param program answers the outputs
 * @param preview whether an Output may not be known
 */
export async function runWith(
  config: Record<string, unknown>,
  program: () => Promise<Record<string, unknown>>,
  preview = false,
): Promise<Ran> {
  const resources: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      call: () => ({}),
      newResource: ({ name, inputs }) => ({
        id: `${name}-id`,
        state: {
          stdout: "",
          arn: `arn:aws:s3:::${inputs.bucket ?? name}`,
          ...inputs,
          name: inputs.name ?? `${name}-abcdef0`,
        },
      }),
    },
    "drydock",
    "unit",
    preview,
  );
  // The mocks see inputs only; what the engine is told of dependencies and options is in the request itself.
  const monitor = pulumi.runtime.getMonitor() as any;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request: any, done: unknown) => {
    const uses = [...request.getPropertydependenciesMap().entries()].flatMap(([, value]: any) => value.getUrnsList());
    const names = [...request.getDependenciesList(), ...uses].map((urn: string) => urn.split("::").at(-1)!);
    resources.push({
      type: request.getType(),
      name: request.getName(),
      inputs: request.getObject().toJavaScript(),
      after: [...new Set(names)].sort(),
      deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
      protect: request.getProtect(),
      ignoreChanges: request.getIgnorechangesList(),
      retainOnDelete: request.getRetainondelete(),
      aliases: request
        .getAliasesList()
        .map((alias: { getUrn(): string }) => alias.getUrn().split("::").slice(2).join("::"))
        // AWS's SDK says by itself which types had another name.
        .filter((alias: string) => alias !== ""),
    });
    return register(request, done);
  };
  const text = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [`drydock:${key}`, JSON.stringify(value)]),
  );
  pulumi.runtime.setAllConfig(text);
  const outputs: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(await program()))
    outputs[key] = await new Promise((resolve) => (pulumi.output(value) as pulumi.Output<unknown>).apply(resolve));
  // Not in the SDK's types: waits until every registration has been answered.
  await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  return { resources, outputs };
}
