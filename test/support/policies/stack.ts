import { gateCommand } from "../../../lib/socketGate.ts";
import { type Res, unknown } from "./engine.ts";

/** A stack that no rule has anything to say about. Every other fixture breaks it in one place. */

const APP_KEY = `base64:${Buffer.alloc(32, 7).toString("base64")}`;
export const PASSWORDS = {
  DB: "9f4c1e7a2b8d6035c7e1f09a3d5b8264ae71",
  REDIS: "27d0b5e8f1a94c63d2b70e9f58a16c3470bd",
  ROOT: "c3a8e61f7b2d9054e0f6a1c8d7b35e29461f",
} as const;
const DIGEST = "a".repeat(64);

type Env = Readonly<Record<string, string | undefined>>;

export const PLAIN: Env = {
  APP_ENV: "staging",
  APP_DEBUG: "false",
  APP_URL: "https://shop.example.com",
  DB_CONNECTION: "mariadb",
  DB_HOST: "database",
  DB_PORT: "3306",
  DB_DATABASE: "shop",
  DB_USERNAME: "shop",
  REDIS_CLIENT: "phpredis",
  REDIS_HOST: "redis",
  QUEUE_CONNECTION: "redis",
  CACHE_STORE: "redis",
  SESSION_DRIVER: "redis",
};
export const SECRET: Env = { APP_KEY, DB_PASSWORD: PASSWORDS.DB, REDIS_PASSWORD: PASSWORDS.REDIS };

export interface Change {
  /** Plain variables; undefined takes one away. */
  readonly env?: Env;
  /** Variables of the `.env` file. */
  readonly file?: Env;
  /** Properties; undefined takes one away. */
  readonly props?: Readonly<Record<string, unknown>>;
  readonly deleteBeforeReplace?: boolean | undefined;
  readonly dependsOn?: readonly string[];
  readonly from?: Readonly<Record<string, readonly string[]>>;
  readonly provider?: string;
  readonly stack?: string;
  readonly protect?: boolean;
}

export const CONTAINER = "docker:index/container:Container";
export const SERVICE = "docker:index/service:Service";

function set(env: Env): [key: string, value: string][] {
  return Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

function without(props: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
}

/** Envs as a container takes them; an unknown value makes the whole entry unknown. */
export function envs(env: Env): string[] {
  return set(env).map(([key, value]) => (value === unknown ? unknown : `${key}=${value}`));
}

export function dotenv(env: Env): string {
  return set(env)
    .map(([key, value]) => `${key}="${value}"\n`)
    .join("");
}

function resource(type: string, name: string, props: Readonly<Record<string, unknown>>, change: Change): Res {
  const { dependsOn, from, provider, stack, protect } = change;
  return {
    type,
    name,
    props: without({ ...props, ...change.props }),
    ...without({ dependsOn, from, provider, stack, protect }),
    ...("deleteBeforeReplace" in change
      ? without({ deleteBeforeReplace: change.deleteBeforeReplace })
      : type === CONTAINER
        ? { deleteBeforeReplace: false }
        : {}),
  } as Res;
}

const hardened = (role: string, uid: number) => ({
  image: `registry.example.com/${role}:1.4.2@sha256:${DIGEST}`,
  labels: [{ label: "drydock.role", value: role }],
  user: `${uid}:${uid}`,
  readOnly: true,
  memory: 256,
  cpus: "1",
  restart: "unless-stopped",
  wait: true,
  capabilities: { drops: ["ALL"] },
  securityOpts: ["no-new-privileges:true"],
  ulimits: [{ name: "core", soft: 0, hard: 0 }],
  networksAdvanced: [{ name: "data", aliases: [role] }],
});

/** A container without any role: what concerns every container. */
export function plainContainer(name: string, change: Change = {}): Res {
  const { labels: _, ...props } = hardened("tool", 1000);
  return resource(
    CONTAINER,
    name,
    { ...props, networksAdvanced: [{ name: "data" }], healthcheck: { tests: ["CMD", "check"] } },
    change,
  );
}

/** Drydock's own gate before Docker's socket. */
export function gate(change: Change = {}): Res {
  const { entrypoint, command } = gateCommand(2375);
  return resource(
    CONTAINER,
    "gate",
    {
      ...hardened("gate", 65532),
      groupAdds: ["998"],
      mounts: [{ type: "bind", source: "/var/run/docker.sock", target: "/run/docker.sock", readOnly: true }],
      entrypoints: entrypoint,
      command,
      healthcheck: { tests: ["CMD", "check"] },
    },
    change,
  );
}

export function laravel(name: string, role: string, change: Change = {}): Res {
  const path = "/var/www/html";
  return resource(
    CONTAINER,
    name,
    {
      ...hardened(role, 1000),
      image: `registry.example.com/shop:1.4.2@sha256:${DIGEST}`,
      envs: envs({ ...PLAIN, ...change.env }),
      uploads: [
        { file: `${path}/.env`, content: dotenv({ ...SECRET, ...change.file }), owner: "1000", permissions: "0400" },
      ],
      tmpfs: Object.fromEntries(
        ["storage/framework", "storage/logs", "bootstrap/cache"].map((folder) => [`${path}/${folder}`, "uid=1000"]),
      ),
      mounts: [{ type: "volume", source: "storage", target: `${path}/storage/app` }],
      healthcheck: {
        tests: role === "app" ? ["CMD", "curl", "-fsS", "http://127.0.0.1/up"] : ["CMD", "php", "artisan", "about"],
      },
      ...(role === "scheduler" ? { command: ["php", "artisan", "schedule:work"] } : {}),
    },
    change,
  );
}

export const app = (change?: Change) => laravel("app", "app", change);
export const horizon = (change?: Change) => laravel("horizon", "horizon", change);
export const scheduler = (change?: Change) => laravel("scheduler", "scheduler", change);

export function database(change: Change = {}): Res {
  return resource(
    CONTAINER,
    "database",
    {
      ...hardened("database", 999),
      image: `registry.example.com/mariadb:11.8.2@sha256:${DIGEST}`,
      uploads: [{ file: "/run/drydock/root-password", content: PASSWORDS.ROOT, permissions: "0400" }],
      mounts: [{ type: "volume", source: "database", target: "/var/lib/mysql" }],
      healthcheck: { tests: ["CMD", "mariadb", "--defaults-file=/run/drydock/client.cnf", "-e", "SELECT 1"] },
    },
    change,
  );
}

export const redisConf = (password: string = PASSWORDS.REDIS, lines = "appendonly yes\nsave 3600 1\n") =>
  `requirepass "${password}"\ndir /data\n${lines}`;

export function redis(change: Change & { readonly conf?: string } = {}): Res {
  return resource(
    CONTAINER,
    "redis",
    {
      ...hardened("redis", 999),
      image: `registry.example.com/redis:8.0.1@sha256:${DIGEST}`,
      command: ["redis-server", "/run/drydock/redis.conf"],
      uploads: [{ file: "/run/drydock/redis.conf", content: change.conf ?? redisConf(), permissions: "0400" }],
      mounts: [{ type: "volume", source: "redis", target: "/data" }],
      healthcheck: { tests: ["CMD-SHELL", "redis-cli -h 127.0.0.1 ping"] },
    },
    change,
  );
}

export function proxy(change: Change = {}): Res {
  return resource(
    CONTAINER,
    "proxy",
    {
      ...hardened("proxy", 101),
      image: `registry.example.com/nginx:1.30.2@sha256:${DIGEST}`,
      ports: [{ internal: 8080, external: 8080, ip: "127.0.0.1" }],
      healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1:8080/up"] },
    },
    change,
  );
}

/** A service of swarm mode with the same content as `app`. */
export function service(
  name: string,
  role: string,
  spec: Readonly<Record<string, unknown>> = {},
  change: Change = {},
): Res {
  const { task, ...rest } = spec as { task?: Record<string, unknown> };
  const container = without({
    image: `registry.example.com/shop:1.4.2@sha256:${DIGEST}`,
    env: Object.fromEntries(set({ ...PLAIN, ...SECRET, ...change.env })),
    user: "1000:1000",
    readOnly: true,
    capDrops: ["ALL"],
    mounts: ["storage", "bootstrap/cache"].map((folder) => ({ type: "tmpfs", target: `/var/www/html/${folder}` })),
    healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1/up"] },
    ...rest,
  });
  return resource(
    SERVICE,
    name,
    {
      labels: [{ label: "drydock.role", value: role }],
      taskSpec: {
        containerSpec: container,
        resources: { limits: { memoryBytes: 268435456, nanoCpus: 1e9 } },
        restartPolicy: { condition: "any" },
        networksAdvanceds: [{ name: "data", aliases: [role] }],
        ...task,
      },
      updateConfig: { order: "start-first" },
      convergeConfig: { timeout: "3m" },
    },
    change,
  );
}

export function command(name: string, create: string, change: Change = {}): Res {
  return resource("command:local:Command", name, { create }, change);
}

export function volume(name: string, change: Change = {}): Res {
  return resource("docker:index/volume:Volume", name, {}, { protect: true, ...change });
}

export const network = (name: string, change?: Change) =>
  resource("docker:index/network:Network", name, {}, change ?? {});
export const image = (name: string, props: Readonly<Record<string, unknown>>) =>
  resource("docker:index/image:Image", name, { imageName: "registry.example.com/shop:1.4.2", ...props }, {});
export const remoteImage = (name: string, props: Readonly<Record<string, unknown>>, change: Change = {}) =>
  resource("docker:index/remoteImage:RemoteImage", name, props, change);

const aws =
  (type: string) =>
  (name: string, props: Readonly<Record<string, unknown>> = {}, change: Change = {}) =>
    resource(`aws:s3/${type}`, name, props, change);
export const bucket = (change: Change = {}) =>
  aws("bucket:Bucket")("backups", { bucket: "shop-backups" }, { protect: true, ...change });
const ofBucket =
  (type: string, name: string, props: Readonly<Record<string, unknown>>) =>
  (change: Change = {}) =>
    aws(type)(
      name,
      { bucket: "shop-backups", ...props },
      { dependsOn: ["backups"], from: { bucket: ["backups"] }, ...change },
    );
export const publicBlock = ofBucket("bucketPublicAccessBlock:BucketPublicAccessBlock", "block", {
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
});
export const denyHttp = {
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: "*",
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};
export const bucketPolicy = ofBucket("bucketPolicy:BucketPolicy", "policy", {
  policy: JSON.stringify({ Version: "2012-10-17", Statement: [denyHttp] }),
});
export const ownership = ofBucket("bucketOwnershipControls:BucketOwnershipControls", "ownership", {
  rule: { objectOwnership: "BucketOwnerEnforced" },
});
export const keepRule = {
  id: "keep",
  status: "Enabled",
  expiration: { days: 90 },
  abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
};
export const lifecycle = ofBucket("bucketLifecycleConfiguration:BucketLifecycleConfiguration", "lifecycle", {
  rules: [keepRule],
});
export const versioning = ofBucket("bucketVersioning:BucketVersioning", "versioning", {
  versioningConfiguration: { status: "Enabled" },
});
export const encryption = ofBucket(
  "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "encryption",
  { rules: [{}] },
);
export const acl = ofBucket("bucketAcl:BucketAcl", "acl", { acl: "public-read" });

export const backup = command("backup", "restic backup /dump");
export const migration = (change: Change = {}) =>
  command("migrate", "docker run --rm registry.example.com/shop@sha256:… php artisan migrate --force", {
    dependsOn: ["backup", "database"],
    ...change,
    props: { triggers: [`registry.example.com/shop:1.4.2@sha256:${DIGEST}`], ...change.props },
  });

/** The whole good stack; a change replaces a resource of the same name or adds one. */
export function stackOf(...changes: readonly Res[]): Res[] {
  const good = [
    volume("data-database"),
    volume("data-redis"),
    network("data"),
    image("shop", { build: { context: "." } }),
    database(),
    redis(),
    backup,
    migration(),
    app({ dependsOn: ["migrate"] }),
    horizon({ dependsOn: ["migrate"] }),
    scheduler({ dependsOn: ["migrate"] }),
    proxy(),
    bucket(),
    publicBlock(),
    bucketPolicy(),
    ownership(),
    lifecycle(),
    versioning(),
    encryption(),
  ];
  const kept = good.filter(({ name }) => !changes.some((change) => change.name === name));
  return [...kept, ...changes];
}
