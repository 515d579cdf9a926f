import assert from "node:assert/strict";
import { configurationSchema } from "../../../contracts/agent.ts";
import { type AgentSettings, agentConfiguration, type KeptVolumes } from "../../../servers/agent.ts";

describe("the backup agent's settings", () => {
  const settings = {
    alarms: {},
    bucket: {},
    database: { engine: "mariadb" },
    backup: {
      physical: true,
      keepRestored: true,
      type: "full",
      schedule: "0 2 * * *",
      healthSchedule: "",
      cleanupSchedule: "",
      include: ["."],
      exclude: [],
      localDays: 7,
      s3Days: 30,
      maxAge: 26,
      binlogInterval: 5,
      alarms: {},
    },
  };
  const of = (persistent: object, services: object) =>
    configurationSchema.parse(
      agentConfiguration(settings as unknown as AgentSettings, {
        stack: "shop",
        schema: "shop",
        kept: { app: { persistent }, services } as unknown as KeptVolumes,
      }),
    );

  it("name the volumes with data that are backed up, and those that are not to be", () => {
    const persistent = {
      "public/uploads": { visibility: "public", backup: true },
      "storage/uploads": { visibility: "private", backup: false },
    };
    const services = {
      search: { volume: "/meili_data", backup: true },
      cache: { volume: "/data", backup: false },
      mail: { backup: true },
    };
    const { left, volumes } = of(persistent, services);
    assert.deepEqual(volumes, [
      { kind: "folder", name: "public/uploads" },
      { kind: "service", name: "search" },
    ]);
    assert.deepEqual(left, [
      "folder storage/uploads (app.persistent: backup is false)",
      "/data of service cache (backup is false)",
    ]);
  });

  it("are without that where there are none, as an image of an earlier agent expects them", () =>
    assert.deepEqual(
      ["left", "volumes"].filter((key) => key in of({}, { mail: { backup: true } })),
      [],
    ));
});
