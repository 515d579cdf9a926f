import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { factsIn } from "../../../config/facts.ts";
import { type GuardedStack, StackGuard } from "../../../policies/guard.ts";
import { app, CONTAINER, PLAIN, SECRET, SERVICE, service } from "../../support/policies/stack.ts";

const env = { ...PLAIN, ...SECRET } as Record<string, string>;
const facts = factsIn({ app: {}, database: {}, redis: {}, proxy: {} }, "staging")!;

interface Case extends Partial<GuardedStack> {
  readonly name?: string;
  readonly type?: string;
  readonly deleteBeforeReplace?: boolean | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A replica's arguments as components give them: names of networks, images and secrets are outputs. */
function args(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    ...app().props,
    image: pulumi.output(app().props["image"]),
    networksAdvanced: [{ name: pulumi.output("data"), aliases: [] }],
    uploads: [{ file: "/var/www/html/.env", content: pulumi.secret("DB_PASSWORD=x"), permissions: "0400" }],
    healthcheck: { tests: ["CMD", "php", "ready.php", "127.0.0.1:9000", "/up"] },
    ...change,
  };
}

function message(
  change: Readonly<Record<string, unknown>>,
  { name = "app", type = CONTAINER, stack = "staging", stage = "staging", ...rest }: Case = {},
): string {
  const guard = new StackGuard({ stack, stage, facts, ...rest });
  const known = "env" in rest ? rest.env : env;
  const before = "deleteBeforeReplace" in rest ? rest.deleteBeforeReplace : false;
  try {
    guard.check({
      type,
      name,
      props: type === CONTAINER ? args(change) : change,
      ...(known === undefined ? {} : { knownEnv: known }),
      ...(before === undefined ? {} : { deleteBeforeReplace: before }),
    });
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const PRODUCTION = {
  stage: "production",
  stack: "prod",
  env: { ...env, APP_ENV: "production", APP_URL: "https://x.example.com" },
} as const;
const envs = ["APP_ENV=production", "APP_URL=https://x.example.com", ...(app().props["envs"] as string[]).slice(3)];

describe("policies: guard of what the program registers", () => {
  it("lets a safe container of staging and production pass, outputs included", () => {
    assert.equal(message({}), "");
    assert.equal(message({ envs }, PRODUCTION), "");
  });

  it("refuses an unsafe one with every mandatory violation, why and remedy", () => {
    const text = message({ privileged: true, memory: undefined, cpus: undefined });
    assert.match(
      text,
      new RegExp(
        String.raw`^app would be unsafe in staging, so it was not created:\n\n\[memory-limit\] container ` +
          String.raw`"app", memory: there is no memory limit\nWhy: .*\nRemedy: memory: 256`,
      ),
    );
    assert.match(text, /\[no-privileged\] container "app", privileged: the container is privileged/);
    assert.doesNotMatch(text, /cpu-limit/, "advisory rules don't refuse");
    assert.match(text, /explain memory-limit$/);
  });

  it("refuses what nobody would repair without the pack", () => {
    assert.match(message({ securityOpts: [] }), /\[no-new-privileges\]/);
    assert.match(message({ healthcheck: { tests: ["CMD", "curl", "http://localhost/up"] } }), /\[healthcheck-ipv4\]/);
  });

  it("refuses a replica that would be deleted before its successor is there", () => {
    assert.match(message({}, { deleteBeforeReplace: true }), /\[web-no-delete-before-replace\]/);
    assert.match(
      message({}, { deleteBeforeReplace: undefined }),
      /\[web-no-delete-before-replace\].*is not written out/,
    );
  });

  it("reads the plain variables that it is given, and prints no value of them", () => {
    const text = message({}, { env: { ...env, REVERB_APP_SECRET: "hunter2hunter2", APP_KEY: "" } });
    assert.match(
      text,
      /\[strong-secrets\] container "app", env.REVERB_APP_SECRET: REVERB_APP_SECRET has fewer than 32 characters/,
    );
    assert.match(text, /\[app-key-every-role\]/);
    assert.doesNotMatch(text, /hunter2|9f4c1e7a/);
  });

  it("leaves undecided what is in outputs only, but what production must know", () => {
    assert.equal(message({}, { env: undefined }), "");
    assert.equal(message({ user: pulumi.output("root") }), "");
    assert.match(
      message({ envs, user: pulumi.output("1000") }, PRODUCTION),
      /\[non-root-uid\].*is not known in the preview/,
    );
    assert.match(
      message({ envs, mounts: [{ type: "bind", source: pulumi.output("/srv"), target: "/x" }] }, PRODUCTION),
      /\[host-path-allowed\].*is not known/,
    );
  });

  it("refuses in production what the pack would only advise against elsewhere", () => {
    const groups = { groupAdds: ["998"], capabilities: undefined };
    assert.equal(message(groups), "");
    assert.match(message({ ...groups, envs }, PRODUCTION), /\[drop-capabilities\][\s\S]*\[no-extra-groups\]/);
  });

  it("takes uid, port and path from the settings", () => {
    assert.match(message({ user: "33" }), /\[non-root-uid\].*is not the uid of role app, 1000/);
    const other = factsIn(
      { app: { uid: 33, server: "http", port: 8000, healthPath: "/status" }, database: {}, redis: {}, proxy: {} },
      "staging",
    )!;
    assert.equal(
      message(
        { user: "33", healthcheck: { tests: ["CMD", "php", "http.php", "127.0.0.1:8000", "/status"] } },
        { facts: other },
      ),
      "",
    );
  });

  it("leaves to the settings which password of database and Redis an application may bring along", () => {
    assert.doesNotMatch(
      message({}, { env: { ...env, DB_PASSWORD: "hunter2hunter2", REDIS_PASSWORD: "short-but-in-use" } }),
      /strong-secrets/,
    );
  });

  it("has no say outside of production and staging", () =>
    assert.equal(message({ privileged: true }, { stage: "local", stack: "local" }), ""));

  it("guards services, volumes, images and commands, too", () => {
    assert.match(
      message(service("web", "app", { user: "root" }).props, { name: "web", type: SERVICE }),
      /service "web", taskSpec.containerSpec.user: runs as root/,
    );
    assert.match(
      message({ driverOpts: { o: "bind", device: "/" } }, { name: "data", type: "docker:index/volume:Volume" }),
      /\[stateful-protected\][\s\S]*\[volume-driver\]/,
    );
    assert.match(
      message(
        { imageName: "shop", build: { args: { API_KEY: "x" } } },
        { name: "shop", type: "docker:index/image:Image" },
      ),
      /\[image-pinned\][\s\S]*\[no-secret-build-arg\]/,
    );
    const run = { name: "clean", type: "command:local:Command" };
    assert.match(message({ create: "docker compose down" }, run), /\[no-destructive-docker\]/);
    assert.match(message({ create: "make clean" }, { ...run, ...PRODUCTION }), /\[known-commands\]/);
    assert.equal(message({ create: "sh commands/switch.sh" }, { ...run, ...PRODUCTION }), "");
  });

  it("judges the whole stack at the end", () => {
    const guard = new StackGuard({ stack: "staging", stage: "staging", facts });
    guard.check({ type: CONTAINER, name: "app", props: args(), knownEnv: env, deleteBeforeReplace: false });
    assert.throws(
      () => guard.finish(),
      new RegExp(
        String.raw`^Error: stack staging would be unsafe in staging[\s\S]*\[single-scheduler\] container ` +
          '"app", role: the stack has the application, but no scheduler',
      ),
    );
  });

  it("follows the stack's own configuration: levels, parameters, exclusions", () => {
    const folder = mkdtempSync(join(tmpdir(), "guard-"));
    try {
      writeFileSync(
        join(folder, "staging.json"),
        JSON.stringify({
          "memory-limit": "disabled",
          "cpu-limit": "mandatory",
          "non-root-uid": { uids: { app: 1002 } },
          "no-privileged": { exclude: [{ resource: "ap*", reason: "a test of exclusions" }] },
        }),
      );
      const text = message(
        { memory: undefined, cpus: undefined, user: "1000", privileged: true },
        { configFolder: folder },
      );
      assert.deepEqual(
        [...text.matchAll(/^\[([\w-]+)\]/gm)].map(([, rule]) => rule),
        ["non-root-uid", "cpu-limit"],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is cheap: under 5 ms of processor time a container", () => {
    const guard = new StackGuard({ stack: "staging", stage: "staging", facts });
    const one = () =>
      guard.check({ type: CONTAINER, name: "app", props: args(), knownEnv: env, deleteBeforeReplace: false });
    for (let i = 0; i < 5; i++) one();
    const before = process.cpuUsage();
    for (let i = 0; i < 50; i++) one();
    const each = process.cpuUsage(before).user / 1000 / 50;
    assert.ok(each < 5, `${each.toFixed(2)} ms`);
  });
});
