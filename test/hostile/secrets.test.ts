import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";
import { FOLDERS } from "../../contracts/agent.ts";
import { Clone, docker, type Result, type Status } from "../support/clone.ts";
import { containersOf } from "../support/containers.ts";

const MIGRATIONS = "examples/laravel/database/migrations";
const migration = (up: string) => `<?php
use Illuminate\\Database\\Migrations\\Migration;
use Illuminate\\Support\\Facades\\DB;
return new class extends Migration {
    public function up(): void { ${up} }
};
`;

/** Every secret of a stack, looked for in every place that somebody other than its owner reads. */
describe("the secrets of a stack", function () {
  this.timeout(900_000);
  const clone = new Clone();
  /** What the commands said, by what they were. */
  const outputs = new Map<string, string>();
  const commandLines = new Set<string>();
  const inspected = new Map<string, string>();
  const planted = (name: string) => `${name}-${randomBytes(12).toString("hex")}`;
  const [own, webhook, inserted, updated, duplicate] = [
    planted("own"),
    planted("hook"),
    planted("insert"),
    planted("update"),
    planted("twice"),
  ];
  let watching: NodeJS.Timeout;
  let status: Status;

  /** A command, with all that the machine shows while it runs. */
  const run = async (...args: string[]): Promise<Result> => {
    const result = await clone.drydock(args);
    outputs.set(`./drydock ${args.join(" ")} (${outputs.size})`, `${result.stdout}\n${result.stderr}`);
    await look();
    return result;
  };
  const look = async () => {
    for (const { id } of await containersOf(clone)) {
      if (!inspected.has(id))
        inspected.set(id, await clone.run("docker", ["inspect", id]).then(({ stdout }) => stdout));
    }
  };
  const seeCommandLines = () => {
    for (const name of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
      try {
        commandLines.add(readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It is gone.
      }
    }
  };
  const set = async (path: string, value: string) => {
    const line =
      'eval "$(./drydock env 2>/dev/null)" && exec pulumi config set --secret --non-interactive --path "$1" < "$2"';
    clone.write("value", value);
    const { code, stderr } = await clone.run("bash", ["-c", line, "set", `drydock:${path}`, "value"]);
    rmSync(join(clone.dir, "value"));
    assert.equal(code, 0, stderr);
  };

  before(async () => {
    watching = setInterval(seeCommandLines, 40);
    const up = await run("up");
    assert.equal(up.code, 0, up.stdout + up.stderr);
    await set("env.OWN_TOKEN", own);
    await set("backup.alarms.webhook", `https://127.0.0.1:9/${webhook}`);
    clone.write(
      `${MIGRATIONS}/2030_01_01_000001_keep.php`,
      migration(
        `DB::statement("create table kept (word varchar(190) unique comment '${inserted}')"); ` +
          `DB::table('kept')->insert(['word' => '${inserted}']);` +
          ` DB::statement("update kept set word = '${updated}' where word = \\"${inserted}\\"");`,
      ),
    );
    const containers = setInterval(() => {
      void look();
    }, 700);
    await run("preview");
    const second = await run("up");
    assert.equal(second.code, 0, second.stdout + second.stderr);
    clone.write(
      `${MIGRATIONS}/2030_01_01_000002_twice.php`,
      migration(
        `DB::table('kept')->insert(['word' => '${duplicate}']); DB::table('kept')->insert(['word' => '${duplicate}']);`,
      ),
    );
    const third = await run("up");
    assert.notEqual(third.code, 0, "a migration that fails");
    clearInterval(containers);
    for (const args of [
      ["status"],
      ["status", "--json"],
      ["doctor"],
      ["drift"],
      ["releases"],
      ["check"],
      ["logs"],
      ["backup", "list"],
    ])
      await run(...args);
    clearInterval(watching);
    status = await clone.status();
    // The proxy says what visitors ask for, a second later.
    await fetch(status.url);
    await sleep(2_000);
  });
  after(async () => {
    clearInterval(watching);
    await clone.remove();
  });

  /** Every value that the stack's file keeps encrypted, and what migrations wrote; by what it is. */
  const secrets = async (): Promise<Map<string, string>> => {
    const { stdout } = await clone.pulumi(["config", "--json", "--show-secrets"]);
    const shown = JSON.parse(stdout) as Record<string, { value?: string; objectValue?: unknown }>;
    const found = new Map<string, string>();
    const walk = (file: unknown, value: unknown, path: string) => {
      if (typeof file !== "object" || file === null) return;
      if ("secure" in file) found.set(path, String(value));
      else
        for (const [key, inner] of Object.entries(file))
          walk(inner, (value as Record<string, unknown>)[key], `${path}.${key}`);
    };
    const { config } = parse(clone.read("Pulumi.local.yaml")) as { config: Record<string, unknown> };
    for (const [key, file] of Object.entries(config)) walk(file, shown[key]?.objectValue ?? shown[key]?.value, key);
    return new Map([
      ...found,
      ["what a migration inserts", inserted],
      ["what it updates", updated],
      ["what it inserts twice", duplicate],
    ]);
  };
  /** A text as it is, and as base64 has it in the midst of something else. */
  const forms = (value: string): string[] => [
    value,
    ...[0, 1, 2].map((shift) =>
      Buffer.from(`${" ".repeat(shift)}${value}`)
        .toString("base64")
        .slice(shift === 0 ? 0 : 4, -4),
    ),
  ];

  it("are all known to this test, and found where they belong", async () => {
    const known = await secrets();
    for (const path of [
      "drydock:env.APP_KEY",
      "drydock:env.DB_PASSWORD",
      "drydock:env.REDIS_PASSWORD",
      "drydock:env.OWN_TOKEN",
      "drydock:database.rootPassword",
      "drydock:backup.key",
      "drydock:backup.databasePassword",
      "drydock:backup.token",
      "drydock:backup.alarms.webhook",
    ])
      assert.ok((known.get(path)?.length ?? 0) >= 20, path);
    const { services } = status;
    const env = docker("exec", services.find(({ role }) => role === "app")!.container, "cat", "/var/www/html/.env");
    for (const path of ["APP_KEY", "DB_PASSWORD", "REDIS_PASSWORD", "OWN_TOKEN"])
      assert.ok(env.includes(known.get(`drydock:env.${path}`)!), path);
    assert.ok(
      [...commandLines].some((line) => line.includes("sh commands/verify.sh")) &&
        [...commandLines].some((line) => line.includes("docker exec")),
      "command lines were seen",
    );
    assert.ok(inspected.size > services.length, "one-off containers were seen, too");
    const failed = [...outputs].findLast(([name]) => name.startsWith("./drydock up"))![1];
    assert.match(failed, /Duplicate entry '…' for key '(kept\.)?word'/);
    assert.match([...outputs.values()].join("\n"), /update kept set word = '…' where word = '…'/);
  });

  const places: Record<string, () => Iterable<readonly [name: string, text: string]>> = {
    "what the commands print": () => outputs,
    "a command line of this machine": () => [["ps", [...commandLines].join("\n")]],
    "what Docker says of a container": () => inspected,
    "the log of a container": () =>
      status.services.map(({ name, container }) => {
        // Standard error is what most write to.
        const { stdout, stderr } = spawnSync("docker", ["logs", container], { encoding: "utf8", maxBuffer: 64 << 20 });
        assert.ok(name.startsWith("backup-restore") || `${stdout}${stderr}` !== "", name);
        return [name, `${stdout}${stderr}`] as const;
      }),
    "the state, and what else lies in the clone": () => {
      const files = readdirSync(join(clone.dir, ".drydock"), { recursive: true, withFileTypes: true });
      // The passphrase is what opens them; the bundles in the cache are the program.
      const read = files
        .filter((one) => one.isFile() && !/\.drydock\/cache/.test(one.parentPath))
        .map((one) => join(one.parentPath, one.name));
      assert.ok(
        read.some((file) => file.endsWith("local.json")),
        "no state",
      );
      return [
        ["Pulumi.local.yaml", clone.read("Pulumi.local.yaml")],
        ...read.map((file) => [file, readFileSync(file, "utf8")] as const),
      ];
    },
    "the records of the releases": () => {
      const agent = status.services.find(({ role }) => role === "backup")!.container;
      const records = docker("exec", agent, "sh", "-c", `cat ${FOLDERS.records}/*.jsonl`);
      assert.match(records, /2030_01_01_000001_keep/);
      // The agent keeps the last ones with each backup.
      const kept = docker("exec", agent, "agent", "state", "latest");
      assert.match(kept, /"releases": ".*sequence/);
      return [
        ["records", records],
        ["what was kept with a backup", kept],
      ];
    },
    "an image": () => [
      ["history", docker("history", "--no-trunc", docker("images", "--quiet", "drydock/app").split("\n")[0]!)],
    ],
  };
  for (const [place, texts] of Object.entries(places)) {
    it(`are not in ${place}`, async () => {
      const known = await secrets();
      for (const [name, text] of texts()) {
        for (const [path, value] of known) {
          assert.ok(!forms(value).some((form) => text.includes(form)), `${name} holds ${path}`);
        }
      }
    });
  }
});
