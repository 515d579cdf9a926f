import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { keptTag, type Present, removals } from "../../../records/images.ts";
import type { Release } from "../../../records/release.ts";

const volume = "volumes-records-1a2b3c4";
const id = (n: number) => `sha256:${String(n).padStart(64, "0")}`;
const release = (sequence: number, image: number): Release => ({
  sequence,
  release: "r",
  image: `drydock/app:${image}`,
  id: id(image),
  env: "",
  settings: "",
  by: "",
  at: "",
  migrations: { contained: [], applied: {} },
});
const present = (image: number, ...more: string[]): Present => ({
  id: id(image),
  names: [`drydock/app:${image}`, keptTag(volume, id(image)), ...more],
});
const releases = [1, 2, 3, 4, 5, 6, 7].map((n) => release(n, n));
const all = [1, 2, 3, 4, 5, 6, 7].map((n) => present(n));

describe("the images of releases", () => {
  it("are tagged for a stack by the name of its records' volume", () => {
    assert.equal(
      keptTag(volume, `sha256:0123456789abcdef${"0".repeat(48)}`),
      "drydock/kept:volumes-records-1a2b3c4-0123456789ab",
    );
  });

  it("go when they are not among the last five different ones", () => {
    assert.deepEqual(
      removals(releases, volume, all, new Set()).map(({ names }) => names),
      [1, 2].map((n) =>
        [keptTag(volume, id(n)), `drydock/app:${n}`].sort((a) => (a.startsWith("drydock/kept") ? -1 : 1)),
      ),
    );
    assert.deepEqual(removals(releases.slice(0, 5), volume, all, new Set()), []);
  });

  it("stay while a container uses them", () => {
    assert.deepEqual(
      removals(releases, volume, all, new Set([id(1)])).map(({ image }) => image),
      ["drydock/app:2"],
    );
  });

  it("only lose this stack's tag while another stack keeps them", () => {
    const shared = [present(1, keptTag("volumes-records-9999999", id(1))), ...all.slice(1)];
    assert.deepEqual(removals(releases, volume, shared, new Set())[0], {
      image: "drydock/app:1",
      names: [keptTag(volume, id(1))],
    });
  });

  it("stay where the same image is kept under another name, or is gone already", () => {
    const renamed = [...releases, { ...release(8, 8), id: id(1) }];
    assert.ok(!removals(renamed, volume, all, new Set()).some(({ image }) => image === "drydock/app:1"));
    assert.deepEqual(removals(releases, volume, all.slice(2), new Set()), []);
  });
});
