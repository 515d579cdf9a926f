import assert from "node:assert/strict";
import type { Agent } from "../../../../agent/agent.ts";
import { placesOf, tooOld } from "../../../../agent/schedule/status.ts";
import type { Entry } from "../../../../contracts/entry.ts";
import { DAY, day, entry as made } from "../../../support/agent/entries.ts";

describe("where the backups are that are counted", () => {
  const [local, s3] = [{}, {}];
  const agent = { local, s3 } as unknown as Agent;
  const entry = (...copies: Entry["copies"]): Entry => ({ copies }) as Entry;

  it("is S3 after a disaster, both once there are new ones, and here where all of them are", () => {
    assert.deepEqual(
      placesOf(agent, [entry("s3"), entry("s3")]).map((place) => place === s3),
      [true],
    );
    assert.deepEqual(new Set(placesOf(agent, [entry("local"), entry("s3")])), new Set([local, s3]));
    assert.deepEqual(
      placesOf(agent, [entry("local", "s3")]).map((place) => place === local),
      [true],
    );
    assert.deepEqual(
      placesOf(agent, []).map((place) => place === local),
      [true],
    );
  });
});

describe("a backup that is too old", () => {
  const now = Date.parse(day(10));
  const old = (entries: readonly Entry[], since = day(10)): string | undefined =>
    tooOld(entries, { since, maxAge: 26 }, now);
  const later = (id: string, hours: number, more: Partial<Entry> = {}): Entry =>
    made(id, 10, { started: new Date(now - hours * 3_600_000).toISOString(), ...more });

  it("is the newest verified one, after the hours that are set and not before", () => {
    assert.equal(old([later("a", 25.9)]), undefined);
    assert.equal(old([later("a", 26.1)]), "the newest verified backup is 26 hours old");
    assert.equal(
      tooOld([later("a", 1.1)], { since: day(10), maxAge: 1 }, now),
      "the newest verified backup is 1 hour old",
    );
    assert.equal(
      old([later("b", 1, { verified: false }), later("a", 50)]),
      "the newest verified backup is 50 hours old",
    );
    assert.equal(old([later("b", 1), later("a", 50)]), undefined);
  });

  it("is one of the database, though its files were backed up since", () => {
    const { database: _, ...files } = later("b", 1);
    assert.equal(old([files, later("a", 50)]), "the newest verified backup is 50 hours old");
    assert.equal(old([files]), undefined, "a stack that backs up nothing else");
  });

  it("is one from as far in the future", () => assert.match(old([later("a", -100)])!, /100 hours/));

  it("is none at all, as long after it should have been made", () => {
    assert.equal(old([], new Date(now - 25 * 3_600_000).toISOString()), undefined);
    assert.equal(old([], new Date(now - 2 * DAY).toISOString()), "there is no verified backup");
  });
});
