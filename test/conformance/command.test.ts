import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { STANDINS } from "../../offline/install.ts";
import type { Values } from "../../offline/plugin/values.ts";
import { Plugin } from "../support/conformance/plugin.ts";

const COMMAND = "command:local:Command";

describe("the command plugin", function () {
  this.timeout(60_000);
  let plugin: Plugin;
  before(async () => {
    plugin = await Plugin.start("command", STANDINS.command);
    console.log(`      (${plugin.path})`);
  });
  after(() => plugin.stop());

  const step: Values = {
    create: 'read -r line; echo "$line $NAME"; echo aside >&2',
    stdin: "said\n",
    environment: { NAME: "box" },
    addPreviousOutputInEnv: false,
  };

  it("gives a command its input and its variables, and keeps what it prints without the last line's end", async () => {
    const { state } = await plugin.create(COMMAND, await plugin.check(COMMAND, step));
    assert.deepEqual([state.stdout, state.stderr], ["said box", "aside"]);
  });

  it("finds nothing when nothing changes, and runs again for another variable", async () => {
    const inputs = await plugin.check(COMMAND, step);
    const made = await plugin.create(COMMAND, inputs);
    assert.deepEqual(await plugin.diff(COMMAND, made, inputs, await plugin.check(COMMAND, step, inputs)), {});
    const next = await plugin.check(COMMAND, { ...step, environment: { NAME: "crate" } }, inputs);
    assert.deepEqual(await plugin.diff(COMMAND, made, inputs, next), { environment: "update" });
    assert.equal((await plugin.update(COMMAND, made, inputs, next)).state.stdout, "said crate");
  });

  it("finds other triggers, which replace it (by plugin or the SDK's option), and updates for all else", async () => {
    const inputs = await plugin.check(COMMAND, { ...step, triggers: ["one"] });
    const made = await plugin.create(COMMAND, inputs);
    assert.deepEqual(Object.keys(await plugin.diff(COMMAND, made, inputs, { ...inputs, triggers: ["two"] })), [
      "triggers",
    ]);
    const others = await plugin.diff(COMMAND, made, inputs, { ...inputs, create: "true", stdin: "other" });
    assert.deepEqual(others, { create: "update", stdin: "update" });
  });

  it("says what a failed command has printed, and how it ended", async () => {
    const failing = await plugin.check(COMMAND, { create: "echo the reason >&2; exit 3" });
    await assert.rejects(
      plugin.create(COMMAND, failing),
      /exit status 3: running "echo the reason >&2; exit 3":\nthe reason/,
    );
  });
});
