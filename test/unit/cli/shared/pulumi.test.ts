import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pulumiCli } from "../../../../cli/shared/pulumi.ts";

describe("running Pulumi's CLI", () => {
  let folder: string;
  let bin: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-pulumi-"));
    bin = join(folder, "pulumi");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const program = (script: string): void => writeFileSync(bin, `#!/bin/bash\n${script}\n`, { mode: 0o755 });

  it("captures what it prints, and gives it a secret on stdin", async () => {
    program('read -r line; echo "$* <$line>"; echo wrong >&2; exit 6');
    assert.deepEqual(await pulumiCli(bin, folder, process.env).capture(["config", "set"], "s3cret"), {
      code: 6,
      stdout: "config set --non-interactive --color never <s3cret>\n",
      stderr: "wrong\n",
    });
  });

  it("reads errors and broken rules from the event log, without the engine's colours", async () => {
    const events = [
      { diagnosticEvent: { severity: "error", message: "<{%reset%}>it broke<{%reset%}>" } },
      { diagnosticEvent: { severity: "info", message: "no error" } },
      { policyEvent: { enforcementLevel: "mandatory", policyName: "image-pinned", message: "latest" } },
      { policyEvent: { enforcementLevel: "advisory", policyName: "x", message: "y" } },
    ];
    writeFileSync(join(folder, "log"), events.map((event) => JSON.stringify(event)).join("\n"));
    program(`while [ "$1" != --event-log ]; do shift; done; cp ${folder}/log "$2"`);
    const { code, complaints } = await pulumiCli(bin, folder, process.env).stream(["up"], { quiet: true });
    assert.equal(code, 0);
    assert.equal(complaints, "\nit broke\n[mandatory] image-pinned: latest");
  });

  for (const [sent, got] of [
    [["SIGINT"], 1],
    [["SIGINT", "SIGINT"], 1],
    [["SIGTERM"], 1],
    [["SIGINT", "SIGTERM"], 2],
    [["SIGTERM", "SIGTERM", "SIGTERM"], 2],
  ] as const) {
    it(`hears ${got === 1 ? "once" : "twice"} that it shall end after ${sent.join(", ")}`, async function () {
      this.timeout(20_000);
      program(
        `trap 'echo INT >> ${folder}/signals' INT; echo started > ${folder}/started; ` +
          `until [ -e ${folder}/end ]; do sleep 0.1; done`,
      );
      writeFileSync(
        join(folder, "caller.ts"),
        `
        import { pulumiCli } from ${JSON.stringify(join(import.meta.dirname, "../../../../cli/shared/pulumi.ts"))};
        import { handSignalsOver } from
          ${JSON.stringify(join(import.meta.dirname, "../../../../cli/shared/signals.ts"))};
        handSignalsOver();
        const run = async () => { await pulumiCli(${JSON.stringify(bin)}, ${JSON.stringify(folder)},
          process.env).capture(["up"]); process.exit(0); };
        void run();`,
      );
      const cwd = join(import.meta.dirname, "../../../..");
      const caller = spawn(process.execPath, ["--import", "tsx", join(folder, "caller.ts")], { cwd, stdio: "ignore" });
      while (!existsSync(join(folder, "started"))) await sleep(20);
      for (const signal of sent) {
        caller.kill(signal);
        await sleep(400);
      }
      const heard = () => (existsSync(join(folder, "signals")) ? readFileSync(join(folder, "signals"), "utf8") : "");
      while (heard().length < "INT\n".length * got) await sleep(20);
      // One more would have come by now.
      await sleep(400);
      writeFileSync(join(folder, "end"), "");
      await once(caller, "exit");
      assert.equal(heard(), "INT\n".repeat(got));
    });
  }

  it("puts things back before an interruption ends it, and keeps the terminal's signal away", async function () {
    this.timeout(20_000);
    writeFileSync(
      join(folder, "docker"),
      `#!/bin/bash\ntrap 'echo INT >> ${folder}/signals' INT; sleep 0.5; echo "$*" >> ${folder}/signals\n`,
      { mode: 0o755 },
    );
    writeFileSync(
      join(folder, "caller.ts"),
      `
      import { dockerFor } from ${JSON.stringify(join(import.meta.dirname, "../../../../cli/shared/docker.ts"))};
      import { handSignalsOver, hold, interruption } from
        ${JSON.stringify(join(import.meta.dirname, "../../../../cli/shared/signals.ts"))};
      handSignalsOver();
      const run = async () => {
        const release = hold();
        console.log("held");
        await dockerFor(undefined, process.env).run(["start", "horizon"]);
        release();
        console.log("released");
        process.exit(interruption() === "SIGINT" ? 130 : 1);
      };
      void run();`,
    );
    // A process group of its own, as on a terminal: the signal goes to all of it.
    const caller = spawn(process.execPath, ["--import", "tsx", join(folder, "caller.ts")], {
      cwd: join(import.meta.dirname, "../../../.."),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    });
    let said = "";
    caller.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(caller.stdout, "data");
    await new Promise((wake) => setTimeout(wake, 200));
    process.kill(-caller.pid!, "SIGINT");
    setTimeout(() => {
      try {
        process.kill(-caller.pid!, "SIGINT");
      } catch {
        /* it has ended */
      }
    }, 100);
    const [code] = (await once(caller, "exit")) as [number];
    assert.deepEqual([code, readFileSync(join(folder, "signals"), "utf8")], [130, "start horizon\n"]);
    assert.equal(said, "drydock: SIGINT received; putting things back first\n");
  });

  it("hands an interruption over once, waits, and says by its exit code that it was one", async function () {
    this.timeout(20_000);
    program(
      `trap 'echo INT >> ${folder}/signals' INT; echo started; for i in $(seq 30); do sleep 0.1; done; ` +
        `echo finished >> ${folder}/signals; exit 1`,
    );
    writeFileSync(
      join(folder, "caller.ts"),
      `
      import { pulumiCli } from ${JSON.stringify(join(import.meta.dirname, "../../../../cli/shared/pulumi.ts"))};
      import { handSignalsOver, interruption } from
        ${JSON.stringify(join(import.meta.dirname, "../../../../cli/shared/signals.ts"))};
      handSignalsOver();
      const run = async () => {
        await pulumiCli(${JSON.stringify(bin)}, ${JSON.stringify(folder)}, process.env).stream(["up"]);
        process.exit(interruption() === "SIGINT" ? 130 : 1);
      };
      void run();`,
    );
    const caller = spawn(process.execPath, ["--import", "tsx", join(folder, "caller.ts")], {
      cwd: join(import.meta.dirname, "../../../.."),
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(caller.stdout, "data");
    caller.kill("SIGINT");
    setTimeout(() => caller.kill("SIGINT"), 300);
    const [code] = (await once(caller, "exit")) as [number];
    assert.equal(code, 130);
    assert.equal(readFileSync(join(folder, "signals"), "utf8"), "INT\nfinished\n");
  });
});
