import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { Restic } from "../../../../agent/store/restic.ts";
import { whileThere } from "../../../../agent/store/whileThere.ts";

describe("what is done while S3 is there", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-copy-"));
  const path = process.env["PATH"];
  before(() => {
    // Goes on trying, as restic does.
    writeFileSync(join(folder, "restic"), "#!/bin/sh\nexec sleep 600\n");
    chmodSync(join(folder, "restic"), 0o755);
    process.env["PATH"] = `${folder}:${path}`;
  });
  after(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  });
  const place = (...answers: ("there" | "away" | "silent")[]) => ({
    restic: new Restic("s3:https://s3.example.com/shop/backups/repository"),
    catalogue: {
      store: {
        list: async () => {
          const answer = answers.length > 1 ? answers.shift() : answers[0];
          if (answer === "away") throw new Error("S3 does not answer");
          return answer === "silent" ? await new Promise<never>(() => undefined) : [];
        },
      },
    },
  });

  it("is not started where S3 is away", async () => {
    let started = false;
    await assert.rejects(
      whileThere(
        place("away"),
        async () => {
          started = true;
        },
        10,
      ),
      /S3 does not answer/,
    );
    assert.equal(started, false);
  });

  it("is ended when S3 goes away meanwhile, and says that of S3", async () => {
    const s3 = place("there", "away");
    await assert.rejects(
      whileThere(s3, () => s3.restic.run(["copy"]), 10),
      /S3 does not answer/,
    );
  });

  it("is ended when S3 falls silent meanwhile, or is so at first", async () => {
    const s3 = place("there", "silent");
    await assert.rejects(
      whileThere(s3, () => s3.restic.run(["copy"]), 20),
      /S3 has not answered for 0.02 s/,
    );
    await assert.rejects(
      whileThere(place("silent"), async () => undefined, 20),
      /has not answered/,
    );
  });

  it("outlasts one question without an answer", async () => {
    const s3 = place("there", "away", "there", "away", "there");
    assert.equal(
      await whileThere(s3, () => new Promise((resolve) => setTimeout(() => resolve("copied"), 100)), 10),
      "copied",
    );
  });

  it("says itself what is wrong where S3 is there", async () => {
    await assert.rejects(
      whileThere(place("there"), () => Promise.reject(new Error("no space left")), 10),
      /no space left/,
    );
  });
});
