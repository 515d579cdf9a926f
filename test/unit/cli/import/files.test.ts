import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { FilesPlace } from "../../../../cli/backup/places.ts";
import { Progress } from "../../../../cli/backup/progress.ts";
import { inFiles, unpackFiles } from "../../../../cli/backup/restoreFiles.ts";
import { look, send } from "../../../../cli/import/files.ts";
import { CliError, Exit } from "../../../../cli/shared/errors.ts";
import { inMemory } from "../../../support/files.ts";
import { NAMES } from "../../../support/hostile/names.ts";

/** What a folder from elsewhere may have in it, up to what arrives in the stack's volume. */
describe("files from elsewhere", function () {
  this.timeout(60_000);
  let folder: string;
  let dir: string;
  let volume: string;
  beforeEach(() => {
    folder = inMemory("drydock-import-");
    [dir, volume] = [join(folder, "it's $(x)\n--from"), join(folder, "volume")];
    for (const one of [dir, volume]) mkdirSync(one);
    writeFileSync(join(volume, "live"), "live");
    // Docker of the test's own: what would run in a container on the volume runs here.
    writeFileSync(
      join(folder, "docker"),
      `#!/bin/sh\nwhile [ "$1" != -c ]; do shift; done\nFILES=${volume} exec sh "$@"\n`,
      { mode: 0o755 },
    );
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const place = { title: "the files", volume: "v", like: { Config: { User: "1:1", Image: "i" } } } as FilesPlace;
  const host = (): Parameters<typeof unpackFiles>[0] => {
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const run = async (args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync("docker", args, { env, encoding: "utf8" });
      return { code: status ?? 1, stdout, stderr };
    };
    return { docker: { env, run }, session: { stack: "shop" } } as unknown as Parameters<typeof unpackFiles>[0];
  };
  const bring = async (): Promise<number> => {
    const progress = new Progress(new PassThrough() as unknown as NodeJS.WriteStream);
    const found = look(dir);
    const count = await unpackFiles(host(), place, (to) => send(dir, found, to, progress));
    assert.equal(count, found.files);
    await inFiles(host(), place, "adopt");
    return count;
  };
  const refused = (act: () => unknown, what: RegExp): void =>
    assert.throws(act, (error) => {
      assert.ok(error instanceof CliError && error.code === Exit.usage, String(error));
      assert.match(error.what, what);
      assert.match(error.what, /; nothing was changed$/);
      assert.doesNotMatch(`${error.what}${error.remedy}`, /[\u0000-\u001f\u007f-\u009f\u202e]/);
      return true;
    });
  /** Kind, rights, size, second, where a link goes, and name of everything; what files hold; which of them are one. */
  const picture = (root: string): string =>
    execFileSync(
      "sh",
      [
        "-c",
        "find . -mindepth 1 ! -type d -printf '%y %m %s %Ts %n %l %p\\0' | sort -z; find . -mindepth 1 -type d " +
          "-printf '%m %p\\0' | sort -z; find . -type f -exec sha256sum -z {} + | sort -z",
      ],
      { cwd: root, encoding: "latin1" },
    );
  const volumeIsAsItWas = (): void => {
    assert.deepEqual([readdirSync(volume), readFileSync(join(volume, "live"), "utf8")], [["live"], "live"]);
  };

  it("are there byte for byte, whatever they are called, links and hard links among them", async () => {
    const names = NAMES.filter(
      (name) => !/[/\0]/.test(name) && name !== "." && name !== ".." && Buffer.byteLength(name) <= 255,
    ).map((name) => Buffer.from(name));
    const odd = [Buffer.from("caf\xe9", "latin1"), Buffer.alloc(255, 0xff), Buffer.from("-rf"), Buffer.from("a\nb")];
    const odder = ["--checkpoint-action=exec=sh", " ", "\\", "@link", "*"].map((name) => Buffer.from(name));
    mkdirSync(join(dir, "public/deep"), { recursive: true });
    for (const [index, name] of [...names, ...odd, ...odder].entries())
      writeFileSync(Buffer.concat([Buffer.from(join(dir, index % 2 === 0 ? "public/deep/" : "./")), name]), name);
    linkSync(join(dir, "-rf"), join(dir, "public/the same"));
    for (const [name, target] of [
      ["absolute", "/etc/passwd"],
      ["out", "../../../etc"],
      ["up", "deep/../../.."],
      ["inside", "deep/../deep"],
      ["round", "."],
      ["dangling", "no\nwhere"],
      ["own", "own"],
    ] as const)
      symlinkSync(target, join(dir, "public", name));
    symlinkSync(Buffer.from("caf\xe9", "latin1"), join(dir, "bytes"));
    execFileSync("truncate", ["-s", "5M", join(dir, "public/sparse")]);
    chmodSync(join(dir, "public/deep"), 0o755);
    utimesSync(join(dir, "public/sparse"), 1, 915_246_245);
    execFileSync("chmod", ["-R", "go+rX", dir]);
    const before = picture(dir);
    assert.deepEqual(look(dir).outward, ["public/absolute", "public/out", "public/up"]);
    await bring();
    assert.equal(picture(join(volume, ".drydock-restore")), before);
    await inFiles(host(), place, "clear");
    volumeIsAsItWas();
  });

  it("are refused before anything is copied where one is neither file nor folder nor link, by its name", async () => {
    const name = "a\u202e\u001b[31m\nb";
    mkdirSync(join(dir, "deep"));
    execFileSync("mkfifo", [join(dir, "deep", name)]);
    refused(() => look(dir), /\/deep\/a\\u\{202e\}\\u\{1b\}\[31m\\u\{a\}b is neither a file nor a folder/);
    unlinkSync(join(dir, "deep", name));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(dir, "s\u009b"), resolve));
    refused(() => look(dir), /\/s\\u\{9b\} is neither a file nor a folder/);
    await new Promise((resolve) => server.close(resolve));
    assert.equal(look(dir).files, 0);
  });

  it("are refused where not all of them can be read, before anything is copied, by name", () => {
    const root = process.getuid!() === 0;
    chmodSync(folder, 0o755);
    mkdirSync(join(dir, "deep"));
    writeFileSync(join(dir, "deep", "shut\r"), "x", { mode: 0 });
    mkdirSync(join(dir, "sealed\t"));
    // Rights don't stop root.
    if (root) process.seteuid!(65_534);
    try {
      refused(() => look(dir), /\/deep\/shut\\u\{d\} can't be read: EACCES/);
      if (root) process.seteuid!(0);
      chmodSync(join(dir, "deep", "shut\r"), 0o644);
      chmodSync(join(dir, "sealed\t"), 0);
      if (root) process.seteuid!(65_534);
      refused(() => look(dir), /\/sealed\\u\{9\} can't be read: EACCES/);
    } finally {
      if (root) process.seteuid!(0);
      chmodSync(join(dir, "sealed\t"), 0o755);
    }
  });

  it("are refused where they are no folder, Laravel's whole storage, or have names of restores", () => {
    refused(() => look(join(dir, "no\u001bne")), /no\\u\{1b\}ne can't be read: ENOENT/);
    writeFileSync(join(dir, "file"), "");
    refused(() => look(join(dir, "file")), /file can't be read: ENOTDIR/);
    mkdirSync(join(dir, ".drydock-before-\u001b"));
    refused(() => look(dir), /has \.drydock-before-\\u\{1b\}, names that restores use/);
    rmSync(join(dir, ".drydock-before-\u001b"), { recursive: true });
    for (const name of ["app", "framework"]) mkdirSync(join(dir, name));
    refused(() => look(dir), /is Laravel's whole storage folder/);
  });

  it("leave nothing behind where one of them is gone when it is to be sent, or the volume takes no more", async () => {
    writeFileSync(join(dir, "one"), "1");
    const progress = new Progress(new PassThrough() as unknown as NodeJS.WriteStream);
    await assert.rejects(
      unpackFiles(host(), place, async (to) => {
        // As tar: its archive ends in order, and it says only then that something was missing.
        await send(dir, { bytes: 1 }, to, progress);
        throw new CliError({ what: "tar: gone" });
      }),
      /tar: gone/,
    );
    volumeIsAsItWas();
    await assert.rejects(
      unpackFiles(host(), place, async (to) => {
        to.end("no archive");
      }),
      /the files could not be unpacked: tar: .*; the live ones were not touched/s,
    );
    volumeIsAsItWas();
  });

  it("have rights with which they can be used, counted and thrown away, whatever they denied", async () => {
    mkdirSync(join(dir, "sealed"));
    for (const name of ["sealed/none", "public"]) writeFileSync(join(dir, name), name, { mode: 0 });
    chmodSync(join(dir, "sealed"), 0);
    if (process.getuid!() !== 0) return refused(() => look(dir), /can't be read: EACCES/);
    assert.equal(await bring(), 2);
    const arrived = execFileSync("find", [".", "-mindepth", "1", "-printf", "%m %p\n"], {
      cwd: join(volume, ".drydock-restore"),
      encoding: "utf8",
    });
    assert.deepEqual(arrived.trim().split("\n").sort(), ["600 ./public", "600 ./sealed/none", "700 ./sealed"]);
  });
});
