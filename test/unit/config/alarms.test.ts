import assert from "node:assert/strict";
import { alarmsOf, checkAlarms } from "../../../config/alarms.ts";
import * as fields from "../../../config/fields.ts";
import type { LenientSettings } from "../../../config/found.ts";
import { alarms, earlierAlarms } from "../../../config/schema/alarms.ts";
import type { Settings } from "../../../config/settings.ts";
import * as type from "../../../config/variableTypes.ts";

const found = (settings: object, stage: "local" | "production" = "production") =>
  checkAlarms(settings as LenientSettings, stage, "prod");
const email = { to: "a@example.com", from: "b@example.com", host: "mail.example.com", port: 25, security: "none" };

describe("who is told of alarms", () => {
  it("is what drydock:alarms says, and for what it doesn't say its earlier place", () => {
    const settings = {
      alarms: { webhook: "https://new.example.com", slack: undefined },
      backup: { alarms: { webhook: "https://old.example.com", heartbeat: "https://alive.example.com" } },
    };
    assert.deepEqual(alarmsOf(settings as unknown as Settings), {
      webhook: "https://new.example.com",
      heartbeat: "https://alive.example.com",
    });
  });

  it("may be in the earlier place, which is said", () => {
    const { problems, warnings } = found({
      alarms: { webhook: "https://new.example.com" },
      backup: { alarms: { webhook: "https://old.example.com", heartbeat: "https://alive.example.com" } },
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(warnings, [
      {
        path: "drydock:backup.alarms.webhook",
        message: "is not looked at, for drydock:alarms.webhook is set",
        remedy: "pulumi config rm --path drydock:backup.alarms.webhook -s prod",
      },
      {
        path: "drydock:backup.alarms.heartbeat",
        message: "is drydock:alarms.heartbeat now, which is for all alarms; here it goes on working",
        remedy: "in Pulumi.prod.yaml, put heartbeat as it is into a group drydock:alarms",
      },
    ]);
  });

  it("takes for an address what a variable takes for one, in each place that has one", () => {
    const variable = type.url();
    const places = [alarms.shape.webhook, alarms.shape.slack, earlierAlarms.shape.heartbeat, fields.url()];
    for (const [value, good] of [
      ["https://hooks.example.com/T0/B0?x=%20#y", true],
      ["http://127.0.0.1:9000", true],
      ["https:hooks.example.com", false],
      ["https://hooks.example.com/ x", false],
      ['https://hooks.example.com/"x', false],
      ["https://hooks.example.com/<x>", false],
      ["https://hooks.example.com:99999", false],
      ["ftp://hooks.example.com", false],
      ["hooks.example.com", false],
    ] as const)
      for (const place of [variable, ...places]) assert.equal(place.safeParse(value).success, good, value);
  });

  it("needs the password and the token that belong to it", () => {
    const { problems } = found({ alarms: { email: { ...email, username: "u" }, telegram: { chat: "-100" } } });
    assert.deepEqual(
      problems.map(({ path, remedy }) => [path, remedy]),
      [
        ["drydock:alarms.email.password", "pulumi config set --secret --path drydock:alarms.email.password -s prod"],
        ["drydock:alarms.telegram.token", "pulumi config set --secret --path drydock:alarms.telegram.token -s prod"],
      ],
    );
  });

  it("is told in plain text on a local stack alone, with a warning", () => {
    const alarms = {
      slack: "http://chat.example.com/a",
      discord: "http://chat.example.com/b",
      email: { ...email, username: "u", password: "p" },
    };
    const paths = ["drydock:alarms.slack", "drydock:alarms.discord", "drydock:alarms.email.security"];
    const [production, local] = [found({ alarms }), found({ alarms }, "local")];
    assert.deepEqual(
      [production.problems, local.warnings].map((list) => list.map(({ path }) => path)),
      [paths, paths],
    );
    assert.deepEqual([production.warnings, local.problems], [[], []]);
  });
});
