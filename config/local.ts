import { randomBytes } from "node:crypto";

/** One value of a stack's file, for `pulumi config set --path`. */
export interface ConfigValue {
  /** The full path, such as `drydock:env.APP_KEY`. */
  readonly path: string;
  readonly value: string | number;
  readonly secret: boolean;
}

export interface LocalOptions {
  /** A free port of this machine, for the proxy. */
  readonly port: number;
  /** References of images that this machine has; `php` is the base that the example is built on. */
  readonly images: {
    readonly php: string;
    readonly proxy: string;
    readonly database: string;
    readonly redis: string;
    readonly backup: string;
    /** @default it is not measured */
    readonly monitoring?: string;
  };
  /** Paths that have a value already, and keep it. @default none */
  readonly existing?: readonly string[];
  /** @default random bytes of the operating system */
  readonly random?: (bytes: number) => Buffer;
}

/**
 * The values that the local stack's file needs and doesn't have: images, the example application, a free port, and new
 * secrets.
 */
export function generateLocal({ port, images, existing = [], random = randomBytes }: LocalOptions): ConfigValue[] {
  const password = () => random(24).toString("hex");
  const values: ConfigValue[] = [
    // The context last: what has it is taken for complete.
    plain("app.build.args.BASE", images.php),
    plain("app.build.context", "examples/laravel"),
    plain("database.image", images.database),
    secret("database.rootPassword", password()),
    plain("redis.image", images.redis),
    plain("proxy.image", images.proxy),
    plain("proxy.port", port),
    plain("backup.image", images.backup),
    secret("backup.key", password()),
    secret("backup.databasePassword", password()),
    secret("backup.token", password()),
    ...(images.monitoring === undefined ? [] : [plain("monitoring.image", images.monitoring)]),
    plain("env.APP_ENV", "local"),
    secret("env.APP_KEY", `base64:${random(32).toString("base64")}`),
    plain("env.DB_CONNECTION", "mariadb"),
    plain("env.DB_DATABASE", "laravel"),
    plain("env.DB_USERNAME", "laravel"),
    secret("env.DB_PASSWORD", password()),
    secret("env.REDIS_PASSWORD", password()),
  ];
  // Who names an image or a folder of his own has nothing to do with the example.
  const own = existing.includes("drydock:app.image") || existing.includes("drydock:app.build.context");
  return values.filter(({ path }) => !existing.includes(path) && !(own && path.startsWith("drydock:app.build")));
}

const plain = (path: string, value: string | number): ConfigValue => ({
  path: `drydock:${path}`,
  value,
  secret: false,
});
const secret = (path: string, value: string): ConfigValue => ({ path: `drydock:${path}`, value, secret: true });
