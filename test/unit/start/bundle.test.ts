import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";

const PROJECT = join(import.meta.dirname, "..", "..", "..");

describe("a bundle", () => {
  let root: string;
  let bundled: (name: string, entry: string, format: "esm" | "cjs") => Promise<string | undefined>;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-bundle-"));
    mkdirSync(join(root, "start"));
    cpSync(join(PROJECT, "start", "bundle.cjs"), join(root, "start", "bundle.cjs"));
    symlinkSync(join(PROJECT, "node_modules"), join(root, "node_modules"));
    source("package-lock.json", "{}");
    source(
      "one.ts",
      'import { two } from "./folder/two.ts"; export const said: string = `one ${two()}`; ' +
        "export const where = [import.meta.dirname, import.meta.filename, import.meta.url];",
    );
    mkdirSync(join(root, "folder"));
    source("folder/two.ts", 'export const two = (): string => "two"; export const url = import.meta.url;');
    ({ bundled } = createRequire(import.meta.url)(join(root, "start", "bundle.cjs")));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Written a minute ago, so that nothing seems to be changing right now. */
  const source = (file: string, text: string): void => {
    writeFileSync(join(root, file), text);
    const then = new Date(Date.now() - 60_000 + text.length);
    utimesSync(join(root, file), then, then);
  };
  const cached = (): string[] =>
    readdirSync(join(root, ".drydock", "cache"))
      .filter((name) => !name.endsWith(".json"))
      .sort();

  it("holds the entry and what it imports, which find themselves where they were written", async () => {
    const { said, where } = await import(pathToFileURL((await bundled("program", "one.ts", "esm"))!).href);
    assert.equal(said, "one two");
    assert.deepEqual(where, [root, join(root, "one.ts"), pathToFileURL(join(root, "one.ts")).href]);
  });

  it("is kept while nothing changes, and made again when something that it was made of does", async () => {
    const first = await bundled("program", "one.ts", "esm");
    assert.equal(await bundled("program", "one.ts", "esm"), first);
    assert.equal(cached().length, 1);
    source("folder/two.ts", 'export const two = (): string => "another";');
    const second = (await bundled("program", "one.ts", "esm"))!;
    assert.notEqual(second, first);
    assert.equal((await import(pathToFileURL(second).href)).said, "one another");
    rmSync(second);
    assert.equal(await bundled("program", "one.ts", "esm"), second, "one that was taken away comes back");
    source("package-lock.json", '{ "other": 1 }');
    assert.equal(await bundled("program", "one.ts", "esm"), second, "the same content has the same name");
  });

  it("is made again where a source has other content, and the size and the time of before", async () => {
    const first = await bundled("program", "one.ts", "esm");
    const { atime, mtime } = statSync(join(root, "folder/two.ts"));
    writeFileSync(
      join(root, "folder/two.ts"),
      'export const two = (): string => "six"; export const url = import.meta.url;',
    );
    utimesSync(join(root, "folder/two.ts"), atime, mtime);
    const second = (await bundled("program", "one.ts", "esm"))!;
    assert.notEqual(second, first);
    assert.equal((await import(pathToFileURL(second).href)).said, "one six");
  });

  it("is kept where only times have changed, as in a new checkout", async () => {
    await bundled("program", "one.ts", "esm");
    const list = join(root, ".drydock", "cache", "program.json");
    const before = statSync(list).mtimeMs;
    for (const file of ["one.ts", "folder/two.ts", "package-lock.json"])
      utimesSync(join(root, file), new Date(), new Date());
    await bundled("program", "one.ts", "esm");
    assert.equal(statSync(list).mtimeMs, before, "it was made again");
  });

  it("is made again where a file changes that is no TypeScript", async () => {
    source("folder/three.cjs", "exports.three = 3;");
    source("folder/four.json", '{ "four": 4 }');
    source(
      "one.ts",
      'import { three } from "./folder/three.cjs"; import four from "./folder/four.json"; ' +
        "export const said = three + four.four;",
    );
    const said = async (): Promise<number> =>
      (await import(pathToFileURL((await bundled("program", "one.ts", "esm"))!).href)).said;
    assert.equal(await said(), 7);
    source("folder/three.cjs", "exports.three = 5;");
    assert.equal(await said(), 9);
    source("folder/four.json", '{ "four": 6 }');
    assert.equal(await said(), 11);
  });

  it("leaves an older one for who reads it now, and takes it away after a day", async () => {
    const first = (await bundled("program", "one.ts", "esm"))!;
    source("one.ts", "export const said = 1;");
    await bundled("program", "one.ts", "esm");
    assert.equal(cached().length, 2);
    const before = new Date(Date.now() - 25 * 3_600_000);
    utimesSync(first, before, before);
    source("one.ts", "export const said = 22;");
    await bundled("program", "one.ts", "esm");
    assert.equal(existsSync(first), false);
  });

  it("is compiled once for who asks for that, and anew with the next one", () => {
    const compiled = join(root, ".drydock", "cache", "compiled");
    const run = () =>
      execFileSync(process.execPath, [
        "-e",
        `const bundle = require(${JSON.stringify(join(root, "start", "bundle.cjs"))});
         bundle.compileOnce();
         bundle.bundled("program", "one.ts", "esm").then((file) => import(file));`,
      ]);
    run();
    assert.notDeepEqual(readdirSync(compiled, { recursive: true }), []);
    writeFileSync(join(compiled, "of-an-older-one"), "");
    run();
    assert.ok(existsSync(join(compiled, "of-an-older-one")));
    source("folder/two.ts", 'export const two = (): string => "deux";');
    run();
    assert.ok(!existsSync(join(compiled, "of-an-older-one")));
  });

  it("is made again where the project was moved: it names its sources", async () => {
    const first = (await bundled("program", "one.ts", "esm"))!;
    const moved = `${root}-moved`;
    renameSync(root, moved);
    try {
      const again = await createRequire(import.meta.url)(join(moved, "start", "bundle.cjs")).bundled(
        "program",
        "one.ts",
        "esm",
      );
      assert.equal((await import(pathToFileURL(again).href)).where[0], moved);
      assert.notEqual(again, first.replace(root, moved));
    } finally {
      renameSync(moved, root);
    }
  });

  it("has one of the SDK that runs it, loaded when something of it is used", async () => {
    source("one.ts", 'import * as pulumi from "@pulumi/pulumi"; export const sdk = () => pulumi.Config;');
    const { sdk } = await import(pathToFileURL((await bundled("program", "one.ts", "esm"))!).href);
    assert.equal(sdk(), createRequire(import.meta.url)("@pulumi/pulumi").Config);
  });

  it("is not made of what can't be read: the sources say what is wrong", async () => {
    source("one.ts", "export const = ;");
    assert.equal(await bundled("program", "one.ts", "esm"), undefined);
    source("one.ts", 'import "./missing.ts";');
    assert.equal(await bundled("program", "one.ts", "esm"), undefined);
  });

  it("is not used where somebody wants to see the sources", async () => {
    process.env.DRYDOCK_BUNDLE = "0";
    try {
      assert.equal(await bundled("program", "one.ts", "esm"), undefined);
    } finally {
      delete process.env.DRYDOCK_BUNDLE;
    }
  });
});
