import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument } from "yaml";
import {
  type Entry,
  missing,
  outdatedImages,
  presentPaths,
  readStackFile,
  writeEntries,
} from "../../../../cli/setup/stackFile.ts";
import { type Paths, pathsOf } from "../../../../cli/shared/project.ts";
import type { Pulumi } from "../../../../cli/shared/pulumi.ts";

const image: Entry = { path: "drydock:database.image", value: "drydock/database:2", secret: false };
const port: Entry = { path: "drydock:proxy.port", value: 8080, secret: false };
const key: Entry = { path: "drydock:env.APP_KEY", value: "s3cret-value", secret: true };
const paths = (entries: readonly Entry[]): string[] => entries.map(({ path }) => path);

describe("which generated values a stack's file needs", () => {
  it("is all of them in a new file, and in one that an interrupted run left with the salt only", () => {
    assert.deepEqual(paths(missing(parseDocument(""), [image, key])), [image.path, key.path]);
    assert.deepEqual(paths(missing(parseDocument("encryptionsalt: v1:x\n"), [image, key])), [image.path, key.path]);
  });
  it("is all but what the user has set in one that he has started", () => {
    const document = parseDocument("config:\n  drydock:database:\n    engine: mysql\n    image: acme/db:1\n");
    assert.deepEqual(paths(missing(document, [image, port, key])), [port.path, key.path]);
  });
  it("is only a missing secret later: what can be left out may have been left out", () => {
    const document = parseDocument(
      "config:\n  drydock:database:\n    image: acme/db:1\n    rootPassword:\n      secure: v1:abc\n",
    );
    const password: Entry = { path: "drydock:database.rootPassword", value: "another-s3cret", secret: true };
    assert.deepEqual(paths(missing(document, [image, port, password, key])), [key.path]);
  });
  it("is none that is there, a secret too", () => {
    assert.deepEqual(
      missing(parseDocument("config:\n  drydock:env:\n    APP_KEY:\n      secure: v1:abc\n"), [key]),
      [],
    );
  });
  it("knows every path that has a value", () => {
    assert.deepEqual(
      presentPaths(parseDocument("config:\n  other:x: 1\n  drydock:app:\n    build:\n      context: .\n")),
      ["drydock:app", "drydock:app.build", "drydock:app.build.context"],
    );
  });
});

describe("images built here", () => {
  const document = (present: string) => parseDocument(`config:\n  drydock:database:\n    image: ${present}\n`);
  it("are brought up to date", () =>
    assert.deepEqual(outdatedImages(document("drydock/database:1"), [image]), [image]));
  it("stay when they are", () => assert.deepEqual(outdatedImages(document("drydock/database:2"), [image]), []));
  it("don't replace one of the user's own", () =>
    assert.deepEqual(outdatedImages(document("mariadb:11.8"), [image]), []));
});

describe("writing a stack's file", () => {
  let root: string;
  let clone: Paths;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-file-"));
    clone = pathsOf(root);
    mkdirSync(clone.folder);
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const pulumi = (code: number, calls: { args: readonly string[]; input: string | undefined }[] = []): Pulumi => ({
    capture: (args, input) => {
      calls.push({ args, input });
      return Promise.resolve({ code, stdout: "", stderr: "no" });
    },
    stream: () => assert.fail("not used"),
  });

  it("keeps what is there, comments too, and gives Pulumi each secret on stdin, never in an argument", async () => {
    const file = clone.stackFile("local");
    writeFileSync(file, "# mine\nconfig:\n  drydock:app:\n    replicas: 4 # four\n");
    const calls: { args: readonly string[]; input: string | undefined }[] = [];
    await writeEntries(pulumi(0, calls), clone, "local", readStackFile(file), [image, key]);
    const text = readFileSync(file, "utf8");
    assert.match(text, /^# mine$/m);
    assert.match(text, /replicas: 4 # four/);
    assert.equal(parseDocument(text).getIn(["config", "drydock:database", "image"]), "drydock/database:2");
    assert.deepEqual(
      calls.map(({ input }) => input),
      ["s3cret-value"],
    );
    assert.equal(
      calls.some(({ args }) => args.join(" ").includes("s3cret-value")),
      false,
    );
    assert.deepEqual(calls[0]?.args.slice(-3), ["--secret", "--path", "drydock:env.APP_KEY"]);
  });

  it("leaves no half of it where a secret could not be stored", async () => {
    await assert.rejects(
      writeEntries(pulumi(1), clone, "local", readStackFile(clone.stackFile("local")), [image, key]),
      /drydock:env\.APP_KEY could not be stored/,
    );
    assert.equal(existsSync(clone.stackFile("local")), false);
    assert.deepEqual(readdirSync(clone.folder), []);
  });

  it("says which file is not valid", () => {
    writeFileSync(clone.stackFile("local"), "config: [\n");
    assert.throws(() => readStackFile(clone.stackFile("local")), /Pulumi\.local\.yaml is not valid YAML/);
  });
});
