import assert from "node:assert/strict";
import type { Agent } from "../../../backup/context.ts";
import type { Entry } from "../../../backup/protocol.ts";
import { placesOf } from "../../../backup/status.ts";

describe("where the backups are that are counted", () => {
  const [local, s3] = [{}, {}];
  const agent = { local, s3 } as unknown as Agent;
  const entry = (...copies: Entry["copies"]): Entry => ({ copies }) as Entry;

  it("is S3 after a disaster, both once there are new ones, and here where all of them are", () => {
    assert.deepEqual(placesOf(agent, [entry("s3"), entry("s3")]).map((place) => place === s3), [true]);
    assert.deepEqual(new Set(placesOf(agent, [entry("local"), entry("s3")])), new Set([local, s3]));
    assert.deepEqual(placesOf(agent, [entry("local", "s3")]).map((place) => place === local), [true]);
    assert.deepEqual(placesOf(agent, []).map((place) => place === local), [true]);
  });
});
