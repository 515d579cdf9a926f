import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { BackupHost } from "../../../../cli/backup/agent.ts";
import { startCompanion } from "../../../../cli/backup/restoreCompanion.ts";
import { dockerFor } from "../../../../cli/shared/docker.ts";

const INSPECTED = [
  {
    Config: { User: "999:999", Image: "drydock/backup:1" },
    HostConfig: { Memory: 805306368, NanoCpus: 1500000000 },
    Mounts: [
      { Name: "volumes-database-1", Destination: "/var/lib/mysql" },
      { Name: "volumes-restore-1", Destination: "/restore" },
    ],
    NetworkSettings: {
      Networks: { "network-data-1": { Aliases: ["abc"] }, "network-restore-1": { Aliases: ["restore", "abc"] } },
    },
  },
];

describe("the companion of one restore", () => {
  let folder: string;
  let path: string | undefined;
  const calls = (): string[] => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
  const host = (): BackupHost =>
    ({
      docker: dockerFor(undefined, process.env),
      session: { stack: "shop" },
      deployed: { outputs: { stack: "shop", services: [{ role: "restore", container: "backup-restore-1" }] } },
    }) as unknown as BackupHost;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-companion-"));
    writeFileSync(join(folder, "inspected"), JSON.stringify(INSPECTED));
    writeFileSync(
      join(folder, "docker"),
      `#!/bin/sh
echo "$*" >> ${folder}/calls
case $1 in
  inspect) cat ${folder}/inspected ;;
  cp) if [ "$2" = - ]; then cat > ${folder}/copied; else echo "the secrets as tar"; fi ;;
  start) echo listening; cat > /dev/null; echo ended >> ${folder}/calls ;;
  exec) [ "$5" != fails ] || { echo "no room" >&2; exit 1; }; echo "in $2" ;;
esac
`,
    );
    chmodSync(join(folder, "docker"), 0o755);
    path = process.env.PATH;
    process.env.PATH = `${folder}${delimiter}${path}`;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true, force: true });
  });

  it("is as the stack's own, but writes beside the live files; secrets are on no command line", async () => {
    const companion = startCompanion(host());
    await companion.ready;
    const create = calls().find((call) => call.startsWith("create"))!;
    for (const part of [
      "--user 999:999",
      "--cap-drop ALL",
      "--label drydock.stack=shop",
      "--network network-restore-1",
      `--network-alias ${companion.alias}`,
      "--mount type=volume,source=volumes-database-1,target=/var/lib/mysql,volume-nocopy",
      "--mount type=volume,source=volumes-restore-1,target=/restore,readonly,volume-nocopy",
      "--memory 805306368",
      "--cpus 1.5",
      "--env DRYDOCK_RESTORES=/var/lib/mysql/.drydock/restores",
      "--name backup-restore-1-beside",
    ])
      assert.ok(create.includes(part), `${part} in: ${create}`);
    assert.ok(create.endsWith("drydock/backup:1 companion"));
    assert.equal(readFileSync(join(folder, "copied"), "utf8"), "the secrets as tar\n");
    assert.equal(await companion.run("script", ["verb"]), "in backup-restore-1-beside\n");
    await companion.remove();
    assert.equal(calls().at(-1), "rm --force --volumes backup-restore-1-beside");
  });

  it("says what the script in it said where that fails", async () => {
    const companion = startCompanion(host());
    await assert.rejects(companion.run("fails", []), /no room/);
    await companion.remove();
  });

  it("is not made where the stack's own is not as deployed, and the agent asks each under another name", async () => {
    writeFileSync(join(folder, "inspected"), JSON.stringify([{ ...INSPECTED[0], Mounts: [] }]));
    const [one, other] = [startCompanion(host()), startCompanion(host())];
    await assert.rejects(one.ready, /no volume of the database/);
    await assert.rejects(other.ready, /no volume of the database/);
    assert.notEqual(one.alias, other.alias);
    assert.ok(!calls().some((call) => call.startsWith("create")));
  });
});
