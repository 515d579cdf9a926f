import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FOLDERS, PORTS } from "../../../contracts/proxy.ts";

/** Scripts that run on another machine or in a container, and can't import the contract. */
const SCRIPTS = ["commands", "runtime"].flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .map((file) => join(folder, String(file)))
    .filter((file) => /\.(sh|php)$/.test(file)),
);

/** What a pattern finds in scripts, without their comments: `file: found`. */
function found(pattern: RegExp): string[] {
  return SCRIPTS.flatMap(
    (file) =>
      readFileSync(file, "utf8")
        .replaceAll(/^\s*(#|\/\/|\*|\/\*).*$/gm, "")
        .match(pattern)
        ?.map((one) => `${file}: ${one}`) ?? [],
  );
}

describe("the contract of the proxy", () => {
  it("has every port that a script asks at it", () => {
    const ports: readonly number[] = [PORTS.site, PORTS.proof, PORTS.inside, PORTS.health];
    const asked = found(/(?<=[\w}]:)80[89]\d\b/g);
    assert.deepEqual(
      asked.filter((one) => !ports.includes(Number(one.split(": ")[1]))),
      [],
    );
    // Each of these is asked by a script, so a port that changes here alone is noticed.
    for (const port of [PORTS.site, PORTS.proof, PORTS.inside])
      assert.ok(
        asked.some((one) => one.endsWith(`: ${port}`)),
        `${port}`,
      );
  });

  it("has every folder of the proxy that a script names", () => {
    const folders = Object.values(FOLDERS);
    const named = found(/\/(var\/lib\/drydock|srv\/public)[\w./-]*/g);
    assert.deepEqual(
      named.filter((one) => !folders.some((folder) => `${one.split(": ")[1]}/`.startsWith(`${folder}/`))),
      [],
    );
    assert.ok(named.length > 5, named.join("\n"));
  });
});
