import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Project, ROOT } from "../../support/policies/project.ts";

const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("hex");
const image = (name: string) => `registry.example.com/${name}:1@sha256:${"1".repeat(64)}`;

/** A production stack's settings. */
const configuration = () => ({
  app: { image: image("shop"), replicas: 2 },
  database: { image: image("mariadb"), rootPassword: random() },
  redis: { image: image("redis"), cache: { enabled: false } },
  proxy: { image: image("nginx") },
  backup: { image: image("backup"), key: random(), databasePassword: random(), token: random() },
  env: {
    APP_ENV: "production",
    APP_URL: "https://shop.example.com",
    APP_KEY: `base64:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`,
    DB_CONNECTION: "mariadb",
    DB_DATABASE: "shop",
    DB_USERNAME: "shop",
    DB_PASSWORD: random(),
    REDIS_PASSWORD: random(),
    REDIS_CACHE_HOST: "redis",
  },
});

/** Replicas and schedulers as Drydock's components make them, with its guard and without any policy pack. */
const program = (
  configuration: unknown,
  { schedulers, finish, unsafe }: { readonly schedulers: number; readonly finish: boolean; readonly unsafe?: boolean },
) => `
  module.exports = (async () => {
    const from = (file) => import(${JSON.stringify(`${ROOT}/`)} + file);
    const [{ guardOf }, { parseConfiguration }, { container }, { laravelSpec }] = await Promise.all(
      ["components/guard.ts", "config/settings.ts", "components/container.ts", "components/laravel.ts"].map(from));
    const text = Object.fromEntries(Object.entries(${JSON.stringify(configuration)}).map(([key, value]) => [key,
      JSON.stringify(value)]));
    const { settings, environment } = parseConfiguration(text, "prod");
    const guard = await guardOf("prod", settings, environment);
    const stack = { stack: "prod", stage: "production", logs: settings.logs, prefix: "" };
    const on = { transformations: guard.transformations };
    const net = (name) => new docker.Network(name, { internal: name === "data" }, on);
    const network = { app: net("app"), data: net("data") };
    const volume = (name) => new docker.Volume(name, {}, { ...on, protect: true });
    const volumes = { storage: volume("storage"), logs: volume("logs"), runtime: volume("runtime"), persistent: [] };
    const laravel = { stack, network, volumes, environment, app: settings.app, uploadLimit: 32, external: {},
      image: settings.app.image, release: "0123456789ab" };
    const make = (role, name, more) => container(stack, name, { ...laravelSpec(laravel, role), limits: { memory: 256,
      cpus: 1 }, command: ["php", "artisan", "x"],
      stopSignal: "SIGTERM", stopTimeout: 10, health: { test: ["CMD", "php", "-n", "/drydock/ready.php",
        "127.0.0.1:9000", "/up", "x"] }, ...more }, "new-before-old", on);
    for (const name of ["database", "redis"]) make("service", name, { networks: [{ network: network.data,
      aliases: [name] }], env: {}, files: [], mounts: [] });
    make("app", "app-1");
    for (let i = 1; i <= ${schedulers}; i++) make("scheduler", "scheduler-" + i);
    ${unsafe === true ? 'make("horizon", "horizon", { command: ["php", "artisan", "migrate:fresh"] });' : ""}
    ${finish ? "guard.finish();" : ""}
  })();`;

describe("the guard of a production stack under the real engine, without a policy pack", function () {
  this.timeout(300_000);
  let project: Project;
  before(async () => {
    process.env["NODE_OPTIONS"] = `--import ${join(ROOT, "node_modules", "tsx", "dist", "esm", "index.mjs")}`;
    project = await Project.ofProgram(program(configuration(), { schedulers: 2, finish: true }), "prod");
  });
  after(() => {
    delete process.env["NODE_OPTIONS"];
    project.remove();
  });
  const stateOf = () => {
    const file = readdirSync(join(project.folder, "state"), { recursive: true }).find((name) =>
      String(name).endsWith("stacks/shop/prod.json"),
    );
    return file === undefined ? "" : readFileSync(join(project.folder, "state", String(file)), "utf8");
  };

  it("refuses what only the whole stack shows, such as two schedulers, in the preview", async () => {
    const { code, output } = await project.check({ pack: false });
    assert.notEqual(code, 0, output);
    assert.match(output, /stack prod would be unsafe in production, so it was not created:/);
    assert.match(output, /\[single-scheduler\]/);
  });

  it("lets no update make any of it", async () => {
    const { code, output } = await project.check({ pack: false, operation: ["up", "--yes", "--skip-preview"] });
    assert.notEqual(code, 0, output);
    assert.match(output, /\[single-scheduler\]/);
    assert.doesNotMatch(stateOf(), /docker:index\/(container|volume|network)/, "something was made");
  });

  it("lets no update make what comes before a resource that is refused", async () => {
    project.program(program(configuration(), { schedulers: 1, finish: true, unsafe: true }));
    const { code, output } = await project.check({ pack: false, operation: ["up", "--yes", "--skip-preview"] });
    assert.notEqual(code, 0, output);
    assert.match(output, /horizon would be unsafe in production[^]*\[no-destructive-artisan\]/);
    assert.doesNotMatch(stateOf(), /docker:index\/(container|volume|network)/, "something was made");
  });

  it("lets one pass that has one scheduler; it is finish() that saw the two", async () => {
    project.program(program(configuration(), { schedulers: 1, finish: true }));
    const good = await project.check({ pack: false });
    assert.equal(good.code, 0, good.output);
    project.program(program(configuration(), { schedulers: 2, finish: false }));
    const unfinished = await project.check({ pack: false });
    assert.doesNotMatch(unfinished.output, /\[single-scheduler\]/);
  });
});
