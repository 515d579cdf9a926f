import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { guardOf } from "../../../components/guard.ts";
import { parseConfiguration } from "../../../config/settings.ts";
import { configuration } from "../../support/components/program.ts";

describe("the guard of a program", function () {
  this.timeout(120_000);
  const judges = async (stack: string, appEnv: string): Promise<number> => {
    const { settings, environment } = parseConfiguration(configuration(), "local");
    const plain = { ...environment.plain, APP_ENV: appEnv };
    return (await guardOf(stack, settings, { ...environment, plain })).transformations.length;
  };

  it("judges every resource in staging as in production, and none on a local stack", async () => {
    assert.deepEqual(
      [await judges("prod", "production"), await judges("staging", "staging"), await judges("local", "local")],
      [1, 1, 0],
    );
  });
});
