import assert from "node:assert/strict";
import { checkMonitoring, isMonitored } from "../../../config/monitoring.ts";
import { parseConfiguration } from "../../../config/settings.ts";
import { asJson, having, problemsOf, production, valid } from "../../support/config/fixtures.ts";

describe("whether a stack is measured", () => {
  it("follows from the stage where nothing is said, and needs an image", () => {
    const image = "registry.example.com/monitoring:1";
    assert.deepEqual(
      (["local", "staging", "production"] as const).map((stage) => [
        isMonitored({}, stage),
        isMonitored({ image }, stage),
        isMonitored({ enabled: false, image }, stage),
        isMonitored({ enabled: true, image }, stage),
      ]),
      [
        [false, false, false, true],
        [false, true, false, true],
        [false, true, false, true],
      ],
    );
  });

  it("is said where nobody would hear that a site is down", () => {
    const raw = having(production(), "monitoring", {});
    const { warnings } = parseConfiguration(asJson(raw), "prod");
    assert.deepEqual(
      warnings.map(({ path, remedy }) => [path, remedy]),
      [
        [
          "drydock:monitoring.image",
          "pulumi config set --path drydock:monitoring.image registry.example.com/shop/monitoring:1.0 -s prod\n" +
            "or, where something else watches: pulumi config set --path drydock:monitoring.enabled false -s prod",
        ],
      ],
    );
    assert.deepEqual(parseConfiguration(asJson(valid()), "local").warnings, []);
  });

  it("needs an image where it is wanted, by digest in production", () => {
    assert.deepEqual(
      problemsOf(having(valid(), "monitoring.enabled", true), "local").map(({ path }) => path),
      ["drydock:monitoring.image"],
    );
    const tag = "registry.example.com/monitoring:1";
    assert.deepEqual(
      problemsOf(having(production(), "monitoring", { image: tag }), "prod").map(({ path, message }) => [
        path,
        message,
      ]),
      [["drydock:monitoring.image", `is "${tag}", a tag can be moved: expected a digest (@sha256:…) in production`]],
    );
  });

  it("warns where nobody is told of its alerts; a heartbeat tells nobody what is wrong", () => {
    const settings = (alarms: object) => ({
      monitoring: { enabled: true, image: "monitoring:1" },
      backup: { alarms: {} },
      alarms,
    });
    const said = (alarms: object) =>
      checkMonitoring(settings(alarms) as never, "local", "local").warnings.map(({ path }) => path);
    assert.deepEqual(said({}), ["drydock:alarms"]);
    assert.deepEqual(said({ heartbeat: "https://alive.example.com" }), ["drydock:alarms"]);
    assert.deepEqual(said({ slack: "https://hooks.example.com" }), []);
  });

  it("takes the names of alerts that are not wanted, and no others", () => {
    const off = (names: unknown) =>
      problemsOf(having(valid(), "monitoring.off", names), "local").map(({ path }) => path);
    assert.deepEqual(off(["Slow", "HostPressure"]), []);
    assert.deepEqual(off(["Slwo"]), ["drydock:monitoring.off[0]"]);
    assert.deepEqual(off(["Watchdog"]), ["drydock:monitoring.off[0]"]);
  });

  it("says which name is none, where the list is the text that the documents set", () => {
    assert.deepEqual(problemsOf(having(valid(), "monitoring.off", '["Slow","HostPresure"]'), "local"), [
      {
        path: "drydock:monitoring.off[1]",
        message: 'is "HostPresure", expected the name of an alert, such as Slow',
        // Pulumi refuses a path into a text.
        remedy: `pulumi config set --path drydock:monitoring.off '["Slow"]' -s local`,
      },
    ]);
  });
});
