import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stateVariables } from "../../../cli/shared/environment.ts";
import { pathsOf } from "../../../cli/shared/project.ts";
import { removeEmptyNote } from "../../../cli/shared/recovery.ts";
import { Stack } from "../../support/offline/engine.ts";

describe("the state after a kill", function () {
  this.timeout(120_000);
  let stack: Stack;
  beforeEach(async () => {
    stack = await Stack.create("exports.one = 1;");
  });
  afterEach(() => stack.remove());

  it("can be read again where Pulumi's note beside it was left empty", async () => {
    const file = join(stack.folder, "state", ".pulumi", "stacks", "tiny", "test.json");
    await stack.up();
    writeFileSync(`${file}.attrs`, "");
    assert.match((await stack.pulumi("stack", "output")).output, /EOF/);
    removeEmptyNote(file);
    assert.deepEqual(await stack.outputs(), { one: 1 });
  });

  it("has no such notes where it is Drydock's own", async () => {
    const env = { PULUMI_BACKEND_URL: stateVariables(pathsOf(stack.folder), {}).PULUMI_BACKEND_URL };
    const state = join(stack.folder, ".drydock", "state");
    mkdirSync(state, { recursive: true });
    for (const args of [
      ["stack", "init", "test"],
      ["up", "--yes", "--skip-preview"],
      ["up", "--yes", "--skip-preview"],
    ]) {
      const { code, output } = await stack.with(env, ...args);
      assert.equal(code, 0, output);
    }
    const files = readdirSync(state, { recursive: true, encoding: "utf8" });
    assert.ok(files.some((name) => name.endsWith("/tiny/test.json")));
    assert.deepEqual(
      files.filter((name) => name.endsWith(".attrs")),
      [],
    );
  });
});
