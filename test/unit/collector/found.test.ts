import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import type { Docker } from "../../../cli/shared/docker.ts";
import { tellFound } from "../../../cli/shared/found.ts";
import { Found } from "../../../collector/found.ts";
import { Gauges } from "../../../collector/gauges.ts";
import { FOUND } from "../../../contracts/monitoring.ts";

describe("what drift and doctor have found", () => {
  let folder: string;
  let registry: Registry;
  let found: Found;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-found-"));
    registry = new Registry();
    found = new Found(new Gauges(registry), folder);
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const numbers = async () => {
    found.round();
    const lines = (await registry.metrics()).split("\n").filter((line) => /^drydock_.* \d/.test(line));
    return lines.sort();
  };
  const told = (by: string, text: string) => writeFileSync(join(folder, `${by}.json`), text);

  it("is not known before somebody has looked, and then 0 of what was not found", async () => {
    assert.deepEqual(await numbers(), []);
    told("drift", '{"at": 1000, "findings": {"changed": 2, "foreign": 1}}');
    assert.deepEqual(await numbers(), [
      'drydock_checked_timestamp_seconds{by="drift"} 1000',
      'drydock_drift_findings{kind="changed"} 2',
      'drydock_drift_findings{kind="foreign"} 1',
      'drydock_drift_findings{kind="missing"} 0',
      'drydock_drift_findings{kind="stopped"} 0',
    ]);
    told("drift", '{"at": 2000, "findings": {}}');
    told("doctor", '{"at": 3000, "findings": {"broken": 4}}');
    assert.deepEqual(await numbers(), [
      'drydock_checked_timestamp_seconds{by="doctor"} 3000',
      'drydock_checked_timestamp_seconds{by="drift"} 2000',
      'drydock_doctor_findings{severity="broken"} 4',
      'drydock_doctor_findings{severity="unknown"} 0',
      ...["changed", "foreign", "missing", "stopped"].map((kind) => `drydock_drift_findings{kind="${kind}"} 0`),
    ]);
  });

  it("is not known where what was told can't be read, and has no other label", async () => {
    told("drift", '{"at": 1000, "findings": {"changed": 2}}');
    await numbers();
    for (const text of ["", "{", "null", '{"at": "x", "findings": {}}', '{"at": 1, "findings": {"changed": -1}}']) {
      told("drift", text);
      assert.deepEqual(await numbers(), [], text);
    }
    told("drift", '{"at": 1, "findings": {"x\\"} 1": 5}}');
    assert.deepEqual((await numbers()).length, 5);
  });

  /** Runs what would run in the container here, in a folder of the test's own. */
  const here = (): { readonly docker: Docker; readonly ran: string[][] } => {
    const ran: string[][] = [];
    const run: Docker["run"] = (args, { input = "" } = {}) => {
      ran.push([...args]);
      const [, , , , , script = "", ...rest] = args;
      const { status, stderr } = spawnSync("sh", ["-c", script.replaceAll(FOUND.folder, folder), ...rest], {
        encoding: "utf8",
        input: input as string,
      });
      return Promise.resolve({ code: status ?? 1, stdout: "", stderr });
    };
    return { docker: { env: {}, run }, ran };
  };
  const services = [{ name: "monitoring-collector", role: "collector", container: "collector-0a1b2c3", image: "m:1" }];

  it("is told by the verbs, a count of each kind", async () => {
    const { docker, ran } = here();
    await tellFound({ outputs: { services }, docker }, "drift", ["missing", "changed", "missing"]);
    await tellFound({ outputs: { services }, docker }, "doctor", []);
    assert.deepEqual(ran[0]!.slice(0, 3), ["exec", "--interactive", "collector-0a1b2c3"]);
    assert.deepEqual(readdirSync(folder).sort(), ["doctor.json", "drift.json"]);
    const lines = await numbers();
    assert.ok(lines.includes('drydock_drift_findings{kind="missing"} 2'), lines.join("\n"));
    assert.ok(lines.includes('drydock_doctor_findings{severity="broken"} 0'), lines.join("\n"));
  });

  it("is told to nobody where nobody measures, and fails nothing where he does not answer", async () => {
    const { docker, ran } = here();
    await tellFound({ outputs: { services: [] }, docker }, "drift", ["missing"]);
    assert.deepEqual(ran, []);
    const broken = { ...docker, run: () => Promise.reject(new Error("gone")) };
    await tellFound({ outputs: { services }, docker: broken }, "drift", ["missing"]);
  });
});
