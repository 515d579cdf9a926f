import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findInstalled, type Installed, judge } from "../../../offline/installed.ts";

describe("an installed Pulumi", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-pulumi-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const install = (folder: string, version: string, programs = ["pulumi", "pulumi-language-nodejs"]): string => {
    mkdirSync(join(root, folder), { recursive: true });
    for (const name of programs) {
      writeFileSync(
        join(root, folder, name),
        `#!/bin/sh\n${version.startsWith("exit") ? version : `echo '${version}'`}\n`,
      );
      chmodSync(join(root, folder, name), 0o755);
    }
    return join(root, folder);
  };
  const find = (path: string, usual: readonly string[] = []): Promise<Installed | undefined> =>
    findInstalled({ ...process.env, PATH: `${path}:/usr/bin:/bin` }, usual);

  for (const version of ["v3.256.0", "v3.256.1", "v3.300.0", "v3.256.0-alpha.1", "3.999.9+dirty"]) {
    it(`of version ${version} is used`, async () => {
      const folder = install("bin", version);
      assert.deepEqual(await find(folder), { folder });
    });
  }
  for (const [version, words] of [
    ["v3.255.9", /is version 3\.255\.9, older than 3\.256\.0, .* --version 3\.256\.0 \(brew upgrade pulumi\)/],
    ["v2.10.0", /is version 2\.10\.0, another major version than 3\.256\.0/],
    ["v4.0.0", /is version 4\.0\.0, another major version than 3\.256\.0/],
    ["pulumi dev", /calls its version "pulumi dev"; expected 3\.256\.0 or newer/],
    ["exit 3", /does not run/],
  ] as const) {
    it(`that says "${version}" is not, and is named with both versions`, async () => {
      const folder = install("bin", version);
      const found = await find(folder);
      assert.equal(found?.folder, folder);
      assert.match(found.problem ?? "", words);
    });
  }

  it("is found where Homebrew and Pulumi's installer put it, after what is on PATH", async () => {
    const brew = install("homebrew", "v3.260.0");
    assert.deepEqual(await find("/nowhere", ["/also/nowhere", brew]), { folder: brew });
    const first = install("bin", "v3.256.0");
    assert.deepEqual(await find(first, [brew]), { folder: first });
    assert.equal(await find("/nowhere", []), undefined);
  });

  it("may be a link to where its language host is, as Homebrew's is", async () => {
    const cellar = install("Cellar/pulumi/3.256.0/bin", "v3.256.0");
    mkdirSync(join(root, "bin"));
    symlinkSync(join(cellar, "pulumi"), join(root, "bin", "pulumi"));
    assert.deepEqual(await find(join(root, "bin")), { folder: join(root, "bin") });
  });

  it("without a language host is not used", async () => {
    assert.match(
      (await find(install("bin", "v3.256.0", ["pulumi"])))?.problem ?? "",
      /has no language host for Node\.js/,
    );
  });

  it("is no file that can't be run, and no folder of that name", async () => {
    mkdirSync(join(root, "bin", "pulumi"), { recursive: true });
    mkdirSync(join(root, "other"));
    writeFileSync(join(root, "other", "pulumi"), "text", { mode: 0o644 });
    assert.equal(await find(`${join(root, "bin")}:${join(root, "other")}`), undefined);
  });

  it("is judged by its number alone", () => assert.equal(judge("v3.1000.0\n", "/x/pulumi"), undefined));
});
