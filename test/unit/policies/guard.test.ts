import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { guardContainer, type GuardContext } from "../../../policies/guard.ts";
import { app, PASSWORDS, PLAIN, SECRET, service } from "../../policies/stack.ts";

const env = { ...PLAIN, ...SECRET } as Record<string, string>;
const good: GuardContext = { name: "app", stack: "staging", environment: "staging", role: "app", deleteBeforeReplace: false, env };

/** A replica's arguments as components give them: names of networks, images and secrets are outputs. */
function args(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    ...app().props,
    image: pulumi.output(app().props["image"]),
    networksAdvanced: [{ name: pulumi.output("data"), aliases: [] }],
    uploads: [{ file: "/var/www/html/.env", content: pulumi.secret("DB_PASSWORD=x"), permissions: "0400" }],
    ...change,
  };
}

function message(change: Readonly<Record<string, unknown>>, context: Partial<GuardContext> = {}): string {
  try {
    guardContainer(args(change), { ...good, ...context });
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

describe("policies: guard of containers", () => {
  it("lets a safe container of staging and production pass, outputs included", () => {
    assert.equal(message({}), "");
    assert.equal(message({ envs: ["APP_ENV=production", "APP_URL=https://x.example.com", ...(app().props["envs"] as string[]).slice(3)] }, { environment: "production", stack: "prod", env: { ...env, APP_ENV: "production", APP_URL: "https://x.example.com" } }), "");
  });

  it("refuses an unsafe one with every mandatory violation, why and remedy", () => {
    const text = message({ privileged: true, memory: undefined, cpus: undefined });
    assert.match(text, /^app would be unsafe in staging, so it was not created:\n\n\[memory-limit\] container "app", memory: there is no memory limit\nWhy: .*\nRemedy: memory: 256/);
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
    const { deleteBeforeReplace: _, ...rest } = good;
    assert.throws(() => guardContainer(args(), rest), /\[web-no-delete-before-replace\].*is not written out/);
  });

  it("reads the plain variables that it is given, and prints no value of them", () => {
    const text = message({}, { env: { ...env, DB_PASSWORD: "hunter2hunter2", REDIS_PASSWORD: PASSWORDS.DB, APP_KEY: "" } });
    assert.match(text, /\[strong-secrets\] container "app", env.DB_PASSWORD: DB_PASSWORD has fewer than 32 characters/);
    assert.match(text, /\[app-key-every-role\]/);
    assert.doesNotMatch(text, /hunter2|9f4c1e7a/);
  });

  it("leaves undecided what is in outputs only", () => {
    const { env: _, ...rest } = good;
    assert.doesNotThrow(() => guardContainer(args(), rest));
    assert.equal(message({ user: pulumi.output("root") }), "");
  });

  it("takes the role from the context, whatever the labels hold", () => {
    assert.match(message({ user: "1002", labels: pulumi.output([]) }), /\[non-root-uid\].*not the uid of role app, 1000/);
  });

  it("has no say outside of production and staging", () => {
    assert.equal(message({ privileged: true }, { environment: "local", stack: "local" }), "");
  });

  it("guards services, too", () => {
    assert.throws(() => guardContainer(service("web", "app", { user: "root" }).props, { ...good, name: "web", kind: "service" }), /service "web", taskSpec.containerSpec.user: runs as root/);
  });

  it("follows the stack's own configuration: levels, parameters, exclusions", () => {
    const folder = mkdtempSync(join(tmpdir(), "guard-"));
    try {
      writeFileSync(join(folder, "staging.json"), JSON.stringify({
        "memory-limit": "disabled",
        "cpu-limit": "mandatory",
        "non-root-uid": { uids: { app: 1002 } },
        "no-privileged": { exclude: [{ resource: "ap*", reason: "a test of exclusions" }] },
      }));
      const text = message({ memory: undefined, cpus: undefined, user: "1000", privileged: true }, { configFolder: folder });
      assert.deepEqual([...text.matchAll(/^\[([\w-]+)\]/gm)].map(([, rule]) => rule), ["non-root-uid", "cpu-limit"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is cheap: under 5 ms of processor time a container", () => {
    for (let i = 0; i < 5; i++) guardContainer(args(), good);
    const before = process.cpuUsage();
    for (let i = 0; i < 50; i++) guardContainer(args(), good);
    const each = process.cpuUsage(before).user / 1000 / 50;
    assert.ok(each < 5, `${each.toFixed(2)} ms`);
  });
});
