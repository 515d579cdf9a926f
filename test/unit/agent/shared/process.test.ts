import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute } from "../../../../agent/shared/process.ts";

describe("running a program", () => {
  it("has it read what another one writes, and both come to their end", async () => {
    const writer = spawn("sh", ["-c", "head -c 300000 /dev/zero | tr '\\0' x"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = once(writer, "close");
    assert.equal((await execute("wc", ["-c"], { stdin: writer.stdout })).trim(), "300000");
    assert.deepEqual(await ended, [0, null]);
  });

  it("hands it a connection as its standard input, with every byte that came after the hand-over", async () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-execute-"));
    const server = createServer();
    try {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const sender = connect((server.address() as AddressInfo).port, "127.0.0.1");
      const [connection] = (await once(server, "connection")) as [Socket];
      // As the companion's protocol has it: a head, an answer, and only then the data.
      sender.write("head\n");
      await once(connection, "data");
      sender.once("data", () => sender.end(Buffer.alloc(5_000_000, "x")));
      await execute("sh", ["-c", `cat > ${folder}/taken`], { connection, onStart: () => connection.write("go on\n") });
      assert.equal(readFileSync(join(folder, "taken")).toString(), "x".repeat(5_000_000));
      connection.destroy();
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });

  it("says what it said last where it fails", async () => {
    await assert.rejects(execute("sh", ["-c", "echo no room >&2; exit 3"]), /sh failed \(code 3\): no room/);
  });
});
