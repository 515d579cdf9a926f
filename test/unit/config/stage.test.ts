import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { refuseProduction } from "../../../cli/destroy/run.ts";
import { factsIn } from "../../../config/facts.ts";
import { type Stage, stageOf } from "../../../config/stage.ts";
import { StackGuard } from "../../../policies/guard.ts";
import { isProduction } from "../../../policies/helpers/own.ts";
import { CONTAINER, Resource, VOLUME } from "../../../policies/helpers/resources.ts";
import { parseSettings } from "../../../policies/settings.ts";
import { problemsOf, valid } from "../../support/config/fixtures.ts";

/** Stack, APP_ENV, and the stage that everybody sees in them. */
const TABLE: readonly (readonly [stack: string, appEnv: string | undefined, stage: Stage])[] = [
  ["local", "local", "local"],
  ["local", undefined, "local"],
  ["staging", "staging", "staging"],
  ["staging", undefined, "staging"],
  ["prod", "production", "production"],
  ["prod", undefined, "production"],
  ["organization/drydock/prod", undefined, "production"],
  ["Prod", "production", "production"],
  ["production", "production", "production"],
  ["live", undefined, "production"],
  ["prod-eu", "staging", "production"],
  ["shop-prod", undefined, "production"],
  ["shop.production.2", undefined, "production"],
  ["prod2", undefined, "production"],
  ["prod", "local", "production"],
  ["local", "production", "production"],
  ["staging", "Production", "production"],
  ["staging", "prod", "production"],
  ["shop", undefined, "production"],
  ["shop", "eu-1", "production"],
  ["shop", "staging", "staging"],
  ["shop", "local", "local"],
  ["local-news", undefined, "production"],
  ["product", undefined, "production"],
  ["pre-prod", undefined, "staging"],
  ["non-prod", undefined, "staging"],
  ["pr-28", undefined, "staging"],
  ["dev", undefined, "staging"],
  ["dev", "local", "local"],
  ["local", "testing", "local"],
];

describe("the stage of a stack", () => {
  for (const [stack, appEnv, stage] of TABLE) {
    it(`${stack} with APP_ENV ${appEnv ?? "left out"} is ${stage}, for settings, guard, policies and destroy`, () => {
      assert.equal(stageOf(stack, appEnv), stage);
      const production = stage === "production";

      // The pack, with Drydock's settings and without.
      const facts = factsIn(
        { app: {}, database: {}, redis: {}, proxy: {}, env: appEnv === undefined ? {} : { APP_ENV: appEnv } },
        stack,
      )!;
      const urn = (type: string) => `urn:pulumi:${stack}::drydock::${type}::x`;
      const container = new Resource({
        type: CONTAINER,
        name: "x",
        urn: urn(CONTAINER),
        props: { envs: appEnv === undefined ? [] : [`APP_ENV=${appEnv}`] },
      });
      assert.equal(isProduction(container, parseSettings()), production);
      for (const one of [container, new Resource({ type: VOLUME, name: "x", urn: urn(VOLUME), props: {} })])
        assert.equal(isProduction(one, parseSettings({}, facts)), production);

      // The guard: a driver is refused in production alone.
      const guard = new StackGuard({ stack, stage: stageOf(stack, appEnv), facts });
      const plugin = () => guard.check({ type: VOLUME, name: "cache", props: { driver: "rclone" } });
      if (production) assert.throws(plugin, /\[volume-driver\]/);
      else assert.doesNotThrow(plugin);

      // `destroy`.
      if (production) assert.throws(() => refuseProduction(stack, appEnv), /is in production/);
      else assert.doesNotThrow(() => refuseProduction(stack, appEnv));

      // The settings: a tag is a version of an image everywhere but in production.
      if (appEnv !== undefined && !["local", "staging", "production"].includes(appEnv)) return;
      const env = { ...valid()["env"], APP_URL: "https://shop.example.com", APP_ENV: appEnv };
      if (appEnv === undefined) delete (env as Record<string, unknown>)["APP_ENV"];
      const messages = problemsOf({ ...valid(), env }, stack).map(({ message }) => message);
      assert.equal(
        messages.some((message) => message.includes("expected a digest (@sha256:…) in production")),
        production,
        messages.join("\n"),
      );
    });
  }
});
