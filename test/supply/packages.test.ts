import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";

const ROOT = join(import.meta.dirname, "../..");
const json = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8"));

/** Licences that fit MIT; a package may be under any of several, or under all of a list. */
const FITTING = new Set([
  "0BSD",
  "Apache-2.0",
  "Artistic-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC-BY-3.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
]);
/** Whose package.json names none, or a file: read by a person, with what that file is. */
const READ: Readonly<Record<string, string>> = {
  "@logdna/tail-file": "MIT",
  "qrcode-terminal": "Apache-2.0",
  ssh2: "MIT",
  "cpu-features": "MIT",
  buildcheck: "MIT",
};

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
}

/** Whether an expression of SPDX fits: of an OR one side, of an AND both. */
function fits(expression: string): boolean {
  const inner = expression.replace(/^\((.*)\)$/, "$1");
  if (/ OR /.test(inner)) return inner.split(" OR ").some(fits);
  return inner.split(" AND ").every((one) => FITTING.has(one.replace(/^\(|\)$/g, "")));
}

for (const lock of ["package-lock.json", "start/node/package-lock.json"]) {
  describe(`the packages of ${lock}`, () => {
    const packages = Object.entries<Locked>(json(lock).packages).filter(([path]) => path !== "");
    const name = (path: string): string => path.replace(/.*node_modules\//, "");

    it("have a checksum each, and name no host", () => {
      // What a package brings in its own archive has that archive's.
      const bad = packages.filter(
        ([, { integrity, resolved, inBundle, link }]) =>
          link === true || resolved !== undefined || (inBundle !== true && !/^sha(512|384)-/.test(integrity ?? "")),
      );
      assert.deepEqual(
        bad.map(([path]) => path),
        [],
      );
    });

    it("are asked for in one version each", () => {
      const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = json(lock.replace("-lock", ""));
      const asked = Object.entries<string>({ ...dependencies, ...devDependencies, ...optionalDependencies });
      assert.deepEqual(
        asked.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
        [],
      );
    });

    it("are under licences that fit MIT", () => {
      const bad = packages.filter(([path, { license }]) => {
        const read = READ[name(path)];
        return !fits(read ?? license ?? "none");
      });
      assert.deepEqual(
        bad.map(([path, { license }]) => `${name(path)}: ${license ?? "none"}`),
        [],
      );
    });
  });
}

describe("the licence check", () => {
  for (const [expression, answer] of [
    ["MIT", true],
    ["(MIT OR GPL-3.0)", true],
    ["(BSD-3-Clause AND Apache-2.0)", true],
    ["MIT AND GPL-3.0-only", false],
    ["AGPL-3.0", false],
    ["BUSL-1.1", false],
    ["SSPL-1.0", false],
    ["none", false],
    ["UNLICENSED", false],
    ["SEE LICENSE IN LICENSE", false],
  ] as const) {
    it(`${answer ? "takes" : "refuses"} ${expression}`, () => assert.equal(fits(expression), answer));
  }
});

describe("the installed packages", function () {
  this.timeout(180_000);

  it("are what their registry has signed", function () {
    const args = ["audit", "signatures", "--fetch-retries=0", "--fetch-timeout=20000"];
    const { status, stdout, stderr } = spawnSync("npm", args, { cwd: ROOT, encoding: "utf8" });
    if (status === 0) return;
    const said = `${stdout}${stderr}`;
    // The keys are asked of the registry and of Sigstore; not every registry has them, and not every machine reaches
    // both.
    const unknown = new RegExp(
      "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|no dependencies to audit|support " +
        "audit signatures|No public keys",
      "i",
    );
    if (unknown.test(said) && process.env.DRYDOCK_SIGNATURES !== "required") {
      const why = said.split("\n").find((line) => unknown.test(line)) ?? "";
      process.stdout.write(
        `      not checked here: the keys can't be obtained (${why.replace(/^npm error /, "").trim()})\n`,
      );
      this.skip();
    }
    assert.fail(said);
  });
});
