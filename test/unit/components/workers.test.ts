import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { parseSettings } from "../../../config/settings.ts";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";
import { valid } from "../../support/config/fixtures.ts";

const workers = {
  reports: { command: ["php", "artisan", "queue:work", "--queue=reports"], replicas: 2, longestJob: 900, memory: 384 },
  reverb: { command: ["php", "artisan", "reverb:start"], http: { port: 8080, paths: ["/app", "/apps"] } },
  ssr: { command: ["node", "bootstrap/ssr/ssr.mjs"], http: { port: 13714, healthPath: "/health" } },
};

describe("the workers of a stack", () => {
  let resources: Registered[];
  const leaf = (name: string) => resources.find((one) => one.name === name && !one.type.startsWith("drydock:"))!;
  const question = (name: string) => leaf(name).inputs.healthcheck.tests.slice(5);
  before(async () => {
    ({ resources } = await runProgram(configuration({ workers })));
  });

  it("are containers like Horizon's: the new one first, SIGTERM, and the time of the longest job", () => {
    for (const name of ["worker-reports-1", "worker-reports-2"]) {
      const { inputs, deleteBeforeReplace, after } = leaf(name);
      assert.deepEqual(
        [
          inputs.command,
          inputs.memory,
          inputs.init,
          inputs.stopSignal,
          inputs.stopTimeout,
          inputs.destroyGraceSeconds,
          deleteBeforeReplace,
        ],
        [workers.reports.command, 384, true, "SIGTERM", 910, 910, false],
      );
      assert.ok(after.includes("switch"), "takes jobs once the release serves");
      assert.deepEqual(inputs.envs, leaf("app-1").inputs.envs);
      assert.equal(inputs.labels[0].value, "worker");
    }
    assert.deepEqual(question("worker-reports-1"), ["php", "/drydock/worker.php", "/var/www/html", "process"]);
  });

  it("that are servers are healthy before the switch, which waits for them and hands them their paths", () => {
    assert.ok(!leaf("worker-reverb-1").after.includes("switch"));
    assert.ok(leaf("switch").after.includes("worker-reverb-1") && leaf("switch").after.includes("worker-ssr-1"));
    assert.deepEqual(question("worker-reverb-1"), ["php", "/drydock/worker.php", "/var/www/html", "port", "8080"]);
    assert.deepEqual(question("worker-ssr-1"), ["php", "-n", "/drydock/http.php", "http://127.0.0.1:13714/health"]);
    const site: string = leaf("switch").inputs.stdin;
    assert.match(
      site,
      new RegExp(
        String.raw`upstream worker_reverb \{\n {2}zone worker_reverb 64k;\n {2}server ` +
          String.raw`worker-reverb-1-abcdef0:8080 max_fails=1 fail_timeout=2s;\n\}`,
      ),
    );
    for (const path of ["/app", "/apps"]) {
      const [, block = ""] = new RegExp(`location \\^~ ${path} \\{([^}]*)\\}`).exec(site) ?? [];
      for (const line of [
        "proxy_pass http://worker_reverb;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $drydock_connection;",
      ]) {
        assert.ok(block.includes(line), `${path}: ${line}`);
      }
    }
    assert.ok(!site.includes("worker_ssr"), "a server without paths is nobody's from outside");
  });

  it("that are servers are called by their name inside the stack", () => {
    assert.deepEqual(leaf("worker-reverb-1").inputs.networksAdvanced[0], {
      name: "network-app-abcdef0",
      aliases: ["reverb"],
    });
    assert.deepEqual(leaf("worker-reports-1").inputs.networksAdvanced[0], { name: "network-app-abcdef0", aliases: [] });
  });

  it("are asked for their environment when the release is proven", () => {
    assert.match(
      leaf("verify").inputs.environment.CONTAINERS,
      /worker-reverb-1-abcdef0 worker-ssr-1-abcdef0 worker-reports-1-abcdef0 worker-reports-2-abcdef0/,
    );
  });

  it("can take Horizon's place, which then has no master that it must be", async () => {
    const horizon = { command: ["php", "artisan", "queue:work", "--tries=3"] };
    ({ resources } = await runProgram(configuration({ horizon })));
    assert.deepEqual(question("horizon"), ["php", "/drydock/worker.php", "/var/www/html", "process"]);
  });
});

describe("the settings of workers", () => {
  const refused = (entry: object) => {
    try {
      parseSettings({ ...valid(), workers: entry }, "local");
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("have what a worker needs least: a command", () => {
    const { workers } = parseSettings(
      { ...valid(), workers: { mail: { command: '["php","artisan","queue:work"]' } } },
      "local",
    );
    assert.deepEqual(workers, {
      mail: { command: ["php", "artisan", "queue:work"], replicas: 1, memory: 256, cpus: 1, longestJob: 60 },
    });
  });

  for (const name of ["redis", "database", "proxy", "Mail", "9to5", "a_b", "-x", "x-", "a".repeat(31)]) {
    it(`refuse the name ${name}`, () => {
      assert.match(refused({ [name]: { command: ["true"] } }), /drydock:workers\.|drydock:workers\[/);
    });
  }

  it(
    "refuse a worker without a command, and one with a key that it does not know, " +
      "with the command that puts it right",
    () => {
      assert.match(refused({ mail: {} }), /drydock:workers\.mail\.command/);
      assert.match(
        refused({ mail: { command: ["true"], replica: 2 } }),
        /drydock:workers\.mail\.replica.*is drydock:workers\.mail\.replicas meant/s,
      );
    },
  );

  it("refuse to hand a worker the whole site", () => {
    assert.match(
      refused({ mail: { command: ["true"], http: { port: 80, paths: ["/"] } } }),
      /drydock:workers\.mail\.http\.paths/,
    );
  });
});
