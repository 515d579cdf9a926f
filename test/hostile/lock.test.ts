import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { holderOf, type LockPlace, removeLeft, savedIn, takeHostLock } from "../../cli/backup/hostLock.ts";
import { imageTags } from "../../cli/setup/images-tags.ts";
import { dockerFor } from "../../cli/shared/docker.ts";

const docker = dockerFor(process.env.DOCKER_HOST);

describe("the lock of a stack on its Docker host", function () {
  this.timeout(120_000);
  const place = (): LockPlace => ({
    name: `drydock-hostile-lock-${randomBytes(4).toString("hex")}`,
    image: imageTags().backup,
    user: "1000:1000",
    stack: "shop",
  });

  it("is held by one, who is named to the next; what is said of it is text", async () => {
    const where = place();
    const lock = await takeHostLock(docker, where, "restore", "a restore of backup $(id) `id`");
    try {
      const holder = await holderOf(docker, where);
      assert.deepEqual(
        [holder?.state, holder?.purpose, holder?.about],
        ["held", "restore", "a restore of backup $(id) `id`"],
      );
      await assert.rejects(
        takeHostLock(docker, where, "up", ""),
        /data is being restored \(a restore of backup \$\(id\) `id`\) by \S+@\S+, since \S+; nothing was changed/,
      );
    } finally {
      await lock.release();
    }
    assert.equal(await holderOf(docker, where), undefined);
  });

  it("is left by who is gone, with what he has kept in it, and removed by its number, not its name", async () => {
    const where = place();
    const lock = await takeHostLock(docker, where, "restore", "");
    const kept = JSON.stringify({ before: { message: "日本\n'" } });
    await lock.save("site.json", kept);
    await lock.leave();
    const left = await holderOf(docker, where);
    assert.equal(left?.state, "left");
    assert.equal(await savedIn(docker, left!, "site.json"), kept);
    assert.equal(await savedIn(docker, left!, "other.json"), undefined);
    await removeLeft(docker, left!);
    const next = await takeHostLock(docker, where, "up", "");
    try {
      // Who looked before it was taken anew takes nothing away.
      await removeLeft(docker, left!);
      assert.equal((await holderOf(docker, where))?.state, "held");
    } finally {
      await next.release();
    }
  });

  it("is held by one of many that ask at once", async () => {
    const where = place();
    const asked = await Promise.allSettled(Array.from({ length: 5 }, () => takeHostLock(docker, where, "import", "")));
    const had = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    await Promise.all(had.map((lock) => lock.release()));
    assert.equal(had.length, 1);
  });
});
