import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pulumiCli } from "../../../cli/pulumi.ts";

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
    assert.deepEqual(await pulumiCli(bin, folder, process.env).capture(["config", "set"], "s3cret"),
      { code: 6, stdout: "config set --non-interactive --color never <s3cret>\n", stderr: "wrong\n" });
  });

  it("reads errors and broken rules from the event log, without the engine's colours", async () => {
    const events = [
      { diagnosticEvent: { severity: "error", message: "<{%reset%}>it broke<{%reset%}>" } }, { diagnosticEvent: { severity: "info", message: "no error" } },
      { policyEvent: { enforcementLevel: "mandatory", policyName: "image-pinned", message: "latest" } }, { policyEvent: { enforcementLevel: "advisory", policyName: "x", message: "y" } },
    ];
    writeFileSync(join(folder, "log"), events.map((event) => JSON.stringify(event)).join("\n"));
    program(`while [ "$1" != --event-log ]; do shift; done; cp ${folder}/log "$2"`);
    const { code, complaints } = await pulumiCli(bin, folder, process.env).stream(["up"], { quiet: true });
    assert.equal(code, 0);
    assert.equal(complaints, "\nit broke\n[mandatory] image-pinned: latest");
  });

  it("hands an interruption over once, waits, and says by its exit code that it was one", async function () {
    this.timeout(20_000);
    program(`trap 'echo INT >> ${folder}/signals' INT; echo started; for i in $(seq 30); do sleep 0.1; done; echo finished >> ${folder}/signals; exit 1`);
    writeFileSync(join(folder, "caller.ts"), `
      import { handSignalsOver, interruption, pulumiCli } from ${JSON.stringify(join(import.meta.dirname, "../../../cli/pulumi.ts"))};
      handSignalsOver();
      const run = async () => {
        await pulumiCli(${JSON.stringify(bin)}, ${JSON.stringify(folder)}, process.env).stream(["up"]);
        process.exit(interruption() === "SIGINT" ? 130 : 1);
      };
      void run();`);
    const caller = spawn(process.execPath, ["--import", "tsx", join(folder, "caller.ts")], { cwd: join(import.meta.dirname, "../../.."), stdio: ["ignore", "pipe", "ignore"] });
    await once(caller.stdout, "data");
    caller.kill("SIGINT");
    setTimeout(() => caller.kill("SIGINT"), 300);
    const [code] = await once(caller, "exit") as [number];
    assert.equal(code, 130);
    assert.equal(readFileSync(join(folder, "signals"), "utf8"), "INT\nfinished\n");
  });
});
