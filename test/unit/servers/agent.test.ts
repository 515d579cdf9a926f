import assert from "node:assert/strict";
import { configurationSchema } from "../../../contracts/agent.ts";
import { type AgentSettings, agentConfiguration, leftOut } from "../../../servers/agent.ts";

describe("the backup agent's settings", () => {
  const settings = {
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
        left: leftOut({ app: { persistent }, services } as unknown as Parameters<typeof leftOut>[0]),
      }),
    );

  it("name the volumes with data that no backup has", () => {
    const persistent = { "public/uploads": { visibility: "public" }, "storage/uploads": { visibility: "private" } };
    const services = { search: { volume: "/meili_data" }, mail: {} };
    assert.deepEqual(of(persistent, services).left, [
      "public/uploads (app.persistent)",
      "storage/uploads (app.persistent)",
      "/meili_data of search (services)",
    ]);
  });

  it("are without that where there are none, as an image of an earlier agent expects them", () =>
    assert.ok(!("left" in of({}, { mail: {} }))));
});
