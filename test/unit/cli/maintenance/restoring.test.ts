import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createTar } from "nanotar";
import { filesOf } from "../../../../cli/maintenance/files.ts";
import { mayChange } from "../../../../cli/maintenance/run.ts";
import { RESTORING, wanted } from "../../../../cli/maintenance/state.ts";
import { CliError, Exit } from "../../../../cli/shared/errors.ts";

describe("maintenance mode while data is being restored", () => {
  /** A Docker host with a closed site, and perhaps a lock that is held or was left. */
  const siteThat = (message: string, lock: "held" | "left" | undefined, purpose = "restore") => {
    const who = { by: "ann@laptop", now: new Date("2026-01-31T10:00:00Z"), random: () => "0".repeat(32) };
    const generation = "g-0123456789ab";
    const files = Object.entries(filesOf(wanted({ message, allow: [], secret: false }, undefined, who), generation));
    const tar = Buffer.from(createTar(files.map(([name, data]) => ({ name, data }))));
    const said = [`generation=${generation}`, "serving=yes", "nginx=accepts", "writable=yes", "files"].join("\n");
    const network = "network-data-0a1b2c3";
    const agent = { Config: { Image: "i", User: "1" }, NetworkSettings: { Networks: { [network]: {} } } };
    const labels = { purpose, by: "bob@desk", since: "2026-01-31T10:00:01Z", about: "a restore of backup b" };
    const holder = {
      ...{ Id: "1", Created: "2026-01-31T10:00:01Z", State: { Running: lock === "held", Status: "exited" } },
      Config: { Labels: Object.fromEntries(Object.entries(labels).map(([key, one]) => [`drydock.lock.${key}`, one])) },
    };
    const run = async (args: readonly string[]) => {
      const answer = (stdout: string, code = 0) => ({ code, stdout, stderr: "" });
      if (args[0] === "exec") return answer(`${said}\n${tar.toString("base64")}\n`);
      if (args.at(-1) === `${network}-restore`) return answer(JSON.stringify([holder]), lock === undefined ? 1 : 0);
      return answer(JSON.stringify([agent]));
    };
    const services = ["database", "backup"].map((role) => ({ role, container: `${role}-1` }));
    return {
      ...{ docker: { env: {}, run }, container: "proxy-1", stack: "prod" },
      deployed: { outputs: { services, stack: "prod" } },
    } as unknown as Parameters<typeof mayChange>[0];
  };

  it("is changed by nobody else: what has closed the site opens it as it was", async () => {
    for (const purpose of ["restore", "import"])
      await assert.rejects(mayChange(siteThat(RESTORING, "held", purpose)), (error) => {
        assert.ok(error instanceof CliError && error.code === Exit.refused, String(error));
        assert.match(error.what, /data is being (restored|imported) \(a restore of backup b\) by bob@desk, since /);
        return true;
      });
  });

  it("may be changed until a restore has closed the site, and after it was cut off", async () => {
    for (const [message, lock, purpose] of [
      ["We are back soon.", "held", "restore"],
      [RESTORING, "left", "restore"],
      [RESTORING, undefined, "restore"],
      [RESTORING, "held", "up"],
    ] as const)
      assert.equal((await mayChange(siteThat(message, lock, purpose))).state?.message, message);
  });
});
