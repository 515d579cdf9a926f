import assert from "node:assert/strict";
import { heldByOther } from "../../../../cli/backup/hostLock.ts";
import { CliError, Exit } from "../../../../cli/shared/errors.ts";
import { translate } from "../../../../cli/shared/translations.ts";
import { waitSeconds, whileHeld } from "../../../../cli/up/waiting.ts";

describe("waiting for who else changes the stack", () => {
  const held = new CliError({ what: "held by ann", code: Exit.refused, held: {} });
  let said: string;
  const { write } = process.stderr;
  beforeEach(() => {
    said = "";
    process.stderr.write = ((text: string) => {
      said += text;
      return true;
    }) as typeof write;
  });
  afterEach(() => {
    process.stderr.write = write;
  });

  it("tries again until the stack is free, and says once what it waits for", async () => {
    let times = 0;
    const work = async (): Promise<string> => {
      if (++times < 4) throw held;
      return "done";
    };
    assert.equal(await whileHeld(5, work, 5), "done");
    assert.equal(times, 4);
    assert.equal(said, "→ held by ann; waiting for it, for up to 5 s (--wait)\n");
  });

  it("waits for who holds the lock on the Docker host too: an update, a restore or an import elsewhere", async () => {
    const place = { name: "network-restore", image: "", user: "", stack: "prod" };
    const holder = { id: "", state: "held", purpose: "up", by: "ann@desk", since: "now", about: "" } as const;
    let times = 0;
    const work = async (): Promise<string> => {
      if (++times < 3) throw heldByOther(place, holder);
      return "done";
    };
    assert.equal(await whileHeld(5, work, 5), "done");
    assert.match(said, /^→ stack prod: it is being deployed by ann@desk, since now; .*waiting for it/);
  });

  it("ends with the refusal when the time is over, and at once where nothing was said of waiting", async () => {
    let times = 0;
    const work = async (): Promise<never> => {
      times++;
      throw held;
    };
    await assert.rejects(whileHeld(0.05, work, 20), /held by ann/);
    assert.ok(times > 1 && times < 5, String(times));
    times = 0;
    await assert.rejects(whileHeld(undefined, work, 1), /held by ann/);
    assert.equal(times, 1);
  });

  it("tries nothing again that failed for another reason, a refusal of another kind too", async () => {
    for (const error of [new Error("broken"), new CliError({ what: "not confirmed", code: Exit.refused })]) {
      let times = 0;
      await assert.rejects(
        whileHeld(
          5,
          async () => {
            times++;
            throw error;
          },
          1,
        ),
        error,
      );
      assert.equal(times, 1);
    }
  });

  it("takes seconds, and nothing else", () => {
    assert.deepEqual(
      [undefined, true, "600"].map((wait) => waitSeconds(wait as string)),
      [undefined, 1800, 600],
    );
    for (const wait of ["0", "-1", "5m", "", "1e3", "9999999"])
      assert.throws(() => waitSeconds(wait), /--wait is ".*", expected a number of seconds/);
  });

  it("knows Pulumi's own locks, and who holds them", () => {
    const said =
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) " +
      "to end or manually delete the lock file(s).\n" +
      "  s3://state/.pulumi/locks/organization/drydock/prod/1.json: created by runner@fv-az1 (pid 2021) " +
      "at 2026-11-29T10:00:00Z";
    assert.deepEqual(translate(said, { stack: "prod", passphrase: "" })?.held, {
      holder: { pid: 2021, username: "runner", hostname: "fv-az1", timestamp: "2026-11-29T10:00:00Z" },
    });
    const cloud = "error: [409] Conflict: Another update is currently in progress.";
    assert.deepEqual(translate(cloud, { stack: "prod", passphrase: "" })?.held, {});
    assert.equal(translate("no space left on device", { stack: "prod", passphrase: "" })?.held, undefined);
  });
});
