import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "mocha";
import { audited } from "../../../../cli/shared/audit.ts";
import { CliError, Exit } from "../../../../cli/shared/errors.ts";
import type { EngineEvent } from "../../../../cli/shared/events.ts";
import { migrationFiles, plannedMigrations } from "../../../../cli/shared/migrations.ts";
import { pathsOf } from "../../../../cli/shared/project.ts";
import { forgetRecords, recordsOf, rememberedRecords, rememberRecords } from "../../../../cli/shared/records.ts";
import { ONE_OFF_FILES } from "../../../../contracts/steps.ts";

const step = (name: string, type: string, op: string, parts: object): EngineEvent => ({
  resourcePreEvent: { metadata: { op, type, urn: `urn:pulumi:local::drydock::${type}::${name}`, ...parts } },
});
const COMMAND = "command:local:Command";

describe("what a preview says of migrations", () => {
  const environment = {
    IMAGE: "drydock/app:2",
    NETWORK: "network-data-1",
    STACK: "local",
    SECRET: { "4dabf18193072939515e22adb298388d": "x" },
  };
  const backup = (op: string) => step("backup", COMMAND, op, { new: { inputs: { environment } } });

  it("is nothing where the step stays as it is, or there is none", () => {
    assert.equal(plannedMigrations([backup("same")]), undefined);
    assert.equal(
      plannedMigrations([step("verify", COMMAND, "replace", { new: { inputs: { environment } } })]),
      undefined,
    );
  });

  it("is the step's plain input, a replica that runs, and how the image is built", () => {
    const build = {
      image: "drydock/app:2",
      context: "examples/laravel",
      dockerfile: "Dockerfile",
      args: { BASE: "b" },
      cacheFrom: [],
      secrets: {},
      ssh: false,
    };
    const events = [
      backup("replace"),
      step("app-1", "docker:index/container:Container", "replace", {
        old: { outputs: { name: "app-1-abcdef0" } },
        new: {},
      }),
      step("app-image", COMMAND, "update", { new: { inputs: { environment: { BUILD: JSON.stringify(build) } } } }),
    ];
    assert.deepEqual(plannedMigrations(events), {
      environment: { IMAGE: "drydock/app:2", NETWORK: "network-data-1", STACK: "local" },
      replica: "app-1-abcdef0",
      build,
    });
  });

  it("has no replica before the first release", () => {
    assert.equal(
      plannedMigrations([backup("create"), step("app-1", "docker:index/container:Container", "create", { new: {} })])
        ?.replica,
      undefined,
    );
  });

  it("delivers what a one-off container of a release has, and nothing else", () => {
    const tar = Buffer.from(migrationFiles(), "base64").toString();
    const names = [...tar.matchAll(/drydock\/[\w.]+(?=\0)/g)].map(([name]) => name);
    assert.deepEqual(
      names,
      ONE_OFF_FILES.map((name) => `drydock/${name}`),
    );
  });
});

describe("the records", () => {
  const root = mkdtempSync(join(tmpdir(), "drydock-records-"));
  const paths = { ...pathsOf(root), folder: root };
  after(() => rmSync(root, { recursive: true, force: true }));
  const outputs = {
    stack: "local",
    url: "",
    release: "r",
    services: [],
    records: { volume: "volumes-records-1", image: "nginx:1", user: "101:101" },
  };

  it("are remembered from the stack's outputs, and forgotten", () => {
    assert.equal(recordsOf({ ...outputs, records: undefined } as never, undefined), undefined);
    const records = recordsOf(outputs, "ssh://a@b");
    rememberRecords(paths, records);
    assert.deepEqual(rememberedRecords({ paths, stack: "local" }), {
      stack: "local",
      volume: "volumes-records-1",
      image: "nginx:1",
      user: "101:101",
      host: "ssh://a@b",
    });
    forgetRecords(paths, "local");
    assert.equal(rememberedRecords({ paths, stack: "local" }), undefined);
  });

  // A docker of the test's own that takes what is written to the records, slowly if it is told to.
  const bin = join(root, "bin");
  const session = (delay: number) => {
    rmSync(bin, { recursive: true, force: true });
    rmSync(join(root, "lines"), { force: true });
    rememberRecords(paths, recordsOf(outputs, undefined));
    writeFileSync(
      join(root, "docker"),
      `#!/bin/sh\n[ "$1" = volume ] && exit 0\nsleep ${delay}\ncat >> ${join(root, "lines")}\n`,
      { mode: 0o755 },
    );
    return { paths, stack: "local", env: { ...process.env, PATH: `${root}:${process.env.PATH}` } };
  };
  const lines = () =>
    readFileSync(join(root, "lines"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { verb: string; result: string; args: string[] });

  it("get a verb's beginning and end, and its exit code is handed on", async () => {
    assert.equal(
      await audited(session(0), "up", ["--token=abc"], async () => {
        await new Promise((done) => setTimeout(done, 300));
        return 4;
      }),
      4,
    );
    assert.deepEqual(
      lines()
        .map(({ verb, result, args }) => [verb, result, args])
        .sort(),
      [
        ["up", "failed (4)", ["--token=***"]],
        ["up", "started", ["--token=***"]],
      ],
    );
  });

  it("get the end of a verb that throws, and the error is handed on", async () => {
    const refused = new CliError({ what: "no", code: Exit.refused });
    await assert.rejects(
      audited(session(0), "destroy", [], () => Promise.reject(refused)),
      refused,
    );
    assert.ok(lines().some(({ result }) => result === "refused"));
  });

  it("hold a verb up for less than half a second, and never fail it", async () => {
    const began = Date.now();
    assert.equal(await audited(session(5), "up", [], () => Promise.resolve(0)), 0);
    assert.ok(Date.now() - began < 1000, `${Date.now() - began} ms`);
    forgetRecords(paths, "local");
    assert.equal(
      await audited({ paths, stack: "local", env: { PATH: "/nowhere" } }, "up", [], () => Promise.resolve(0)),
      0,
    );
    rememberRecords(paths, recordsOf(outputs, undefined));
    assert.equal(
      await audited({ paths, stack: "local", env: { PATH: "/nowhere" } }, "up", [], () => Promise.resolve(0)),
      0,
    );
  });
});
