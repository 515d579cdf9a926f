import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { ensureImages, type ImageReferences } from "../../cli/setup/images.ts";
import { DEFAULT_HOST } from "../../lib/dockerEngine.ts";
import { installOffline } from "../../offline/install.ts";
import { docker } from "../support/clone.ts";
import { Project, ROOT } from "./project.ts";

interface Result {
  readonly code: number;
  readonly output: string;
}

/** A free port of this machine. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const status = async (url: string): Promise<number> => (await fetch(url)).status;

describe("the component in a program of one's own, on a real stack", function () {
  this.timeout(1_800_000);
  const stackName = `c${randomBytes(4).toString("hex")}`;
  let project: Project;
  let images: ImageReferences;
  let env: NodeJS.ProcessEnv;
  const ports: Record<string, number> = {};

  before(async () => {
    [project, images] = [await Project.create(), await ensureImages({ log: console.error, host: DEFAULT_HOST })];
    const { home } = await installOffline({ log: console.error });
    mkdirSync(join(project.dir, "state"));
    env = {
      ...process.env,
      PATH: `${home}/bin:${process.env.PATH}`,
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: `file://${project.dir}/state`,
      PULUMI_CONFIG_PASSPHRASE: randomBytes(12).toString("hex"),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL: "true",
    };
    for (const site of ["shop", "blog", "far"]) ports[site] = await freePort();
    cpSync(join(ROOT, "examples/laravel"), join(project.dir, "app"), { recursive: true });
    const example = readFileSync(join(project.dir, "index.ts"), "utf8");
    assert.ok(example.includes('image: config.require("image")'));
    write("index.ts", example.replace('image: config.require("image")', `build: ${BUILD}`));
    write("Pulumi.yaml", pulumiYaml("two-sites"));
    await pulumi("stack", "init", stackName);
    await configure(["shop", "blog"]);
  });
  after(async () => {
    await pulumi("state", "unprotect", "--all", "--yes");
    await pulumi("destroy", "--yes", "--skip-preview");
    for (const site of ["shop", "blog", "far"]) {
      const label = `label=drydock.stack=${site}-${stackName}`;
      const volumes = docker("volume", "ls", "--quiet", "--filter", label).split("\n").filter(Boolean);
      if (volumes.length > 0) docker("volume", "rm", ...volumes);
    }
    project.remove();
  });

  /** The application of the local stack, built from a folder of this project. */
  const BUILD = '{ context: "app", args: { BASE: config.require("base") } }';
  const pulumiYaml = (name: string, more = "") =>
    `name: ${name}\nruntime:\n  name: nodejs\n  options: { typescript: false, nodeargs: --import tsx }\n${more}`;
  const write = (path: string, content: string) => writeFileSync(join(project.dir, path), content);

  function pulumi(...args: string[]): Promise<Result> {
    return new Promise((done) => {
      const options = { cwd: project.dir, env, maxBuffer: 1 << 26 };
      execFile("pulumi", [...args, "--non-interactive"], options, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
      );
    });
  }

  async function configure(sites: readonly string[]): Promise<void> {
    const secret = () => randomBytes(24).toString("hex");
    const all: [string, string, ...string[]][] = [
      ["base", images.php],
      ["databaseImage", images.database],
      ["redisImage", images.redis],
      ["proxyImage", images.proxy],
      ...sites.flatMap((site): [string, string, ...string[]][] => [
        [`${site}Port`, String(ports[site])],
        [`${site}-root-password`, secret(), "--secret"],
        [`${site}-database-password`, secret(), "--secret"],
        [`${site}-redis-password`, secret(), "--secret"],
        [`${site}-app-key`, `base64:${randomBytes(32).toString("base64")}`, "--secret"],
      ]),
    ];
    for (const [key, value, ...flags] of all) {
      const { code, output } = await pulumi("config", "set", key, value, ...flags);
      assert.equal(code, 0, output);
    }
  }

  it("deploys two sites with one program, each with its own database", async () => {
    const { code, output } = await pulumi("up", "--yes", "--skip-preview");
    assert.equal(code, 0, output);
    for (const site of ["shop", "blog"]) {
      assert.equal(await status(`http://127.0.0.1:${ports[site]}/up`), 200);
      const label = `label=drydock.stack=${site}-${stackName}`;
      const roles = docker("ps", "--filter", label, "--format", '{{.Label "drydock.role"}}').split("\n").sort();
      assert.deepEqual(roles, ["app", "database", "proxy", "redis", ...(site === "blog" ? ["scheduler"] : [])].sort());
    }
  });

  it("has nothing to do afterwards, and keeps no secret and no path of this machine in the state", async () => {
    const { code, output } = await pulumi("preview", "--diff", "--expect-no-changes");
    assert.equal(code, 0, output);
    const state = (await pulumi("stack", "export")).output;
    const { resources } = (JSON.parse(state) as Exported).deployment;
    // Beside them the engine keeps where the SDK's own files are.
    const kept = resources.map(({ inputs, outputs }) => JSON.stringify({ inputs, outputs }));
    assert.deepEqual(
      kept.filter((text) => text.includes(project.dir) || text.includes(ROOT)),
      [],
    );
    for (const { inputs, type } of resources)
      if (type === "command:local:Command") assert.equal(inputs?.["dir"], "node_modules/@drydock/laravel");
  });

  it("releases one of them, and nothing of the other changes", async () => {
    const before = docker("ps", "--quiet", "--filter", `label=drydock.stack=blog-${stackName}`);
    const program = readFileSync(join(project.dir, "index.ts"), "utf8");
    const more = 'DB_USERNAME: name, ...(name === "shop" ? { APP_NAME: "Shop" } : {}),';
    write("index.ts", program.replace("DB_USERNAME: name,", more));
    const { code, output } = await pulumi("up", "--yes", "--skip-preview");
    assert.equal(code, 0, output);
    assert.equal(docker("ps", "--quiet", "--filter", `label=drydock.stack=blog-${stackName}`), before);
    assert.equal(await status(`http://127.0.0.1:${ports["shop"]}/up`), 200);
  });

  it("is a plugin for programs in other languages: the engine has it make the same", async () => {
    await pulumi("state", "unprotect", "--all", "--yes");
    assert.equal((await pulumi("destroy", "--yes", "--skip-preview")).code, 0);
    cpSync(project.installed, join(project.dir, "plugin"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(project.dir, "plugin/node_modules"));
    write("Pulumi.yaml", pulumiYaml("two-sites", "plugins:\n  providers:\n    - { name: drydock, path: plugin }\n"));
    await configure(["far"]);
    // What an SDK of another language sends: the name of the component, and its inputs.
    write("index.ts", REMOTE.replace("BUILD", BUILD));
    const { code, output } = await pulumi("up", "--yes", "--skip-preview");
    assert.equal(code, 0, output);
    assert.equal(await status(`http://127.0.0.1:${ports["far"]}/up`), 200);
    const outputs = JSON.parse((await pulumi("stack", "output", "--json")).output);
    assert.equal(outputs.url, `http://127.0.0.1:${ports["far"]}`);
    assert.deepEqual(
      outputs.services.map(({ name }: { name: string }) => name),
      ["proxy", "app-1", "database", "redis"],
    );
    const again = await pulumi("preview", "--diff", "--expect-no-changes");
    assert.equal(again.code, 0, again.output);
  });
});

interface Exported {
  readonly deployment: {
    readonly resources: readonly {
      readonly type: string;
      readonly inputs?: Readonly<Record<string, unknown>>;
      readonly outputs?: Readonly<Record<string, unknown>>;
    }[];
  };
}

const REMOTE = `
import * as pulumi from "@pulumi/pulumi";

class LaravelStack extends pulumi.ComponentResource {
  declare readonly url: pulumi.Output<string>;
  declare readonly services: pulumi.Output<unknown>;
  constructor(name: string, args: Record<string, unknown>) {
    super("drydock:index:LaravelStack", name, { ...args, url: undefined, services: undefined }, {}, true);
  }
}
const config = new pulumi.Config();
const port = config.requireNumber("farPort");
export const { url, services } = new LaravelStack("far", {
  app: { build: BUILD, replicas: 1, memory: 256 },
  horizon: { enabled: false },
  scheduler: { enabled: false },
  database: { image: config.require("databaseImage"), rootPassword: config.requireSecret("far-root-password") },
  redis: { image: config.require("redisImage"), cache: { enabled: false } },
  proxy: { image: config.require("proxyImage"), port },
  backup: { enabled: false },
  env: {
    APP_ENV: "local",
    APP_URL: \`http://127.0.0.1:\${port}\`,
    APP_KEY: config.requireSecret("far-app-key"),
    DB_CONNECTION: "mariadb",
    DB_DATABASE: "far",
    DB_USERNAME: "far",
    DB_PASSWORD: config.requireSecret("far-database-password"),
    REDIS_PASSWORD: config.requireSecret("far-redis-password"),
  },
});
`;
