import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/** What would run in a container on a volume runs here, in a folder of the volume's name. */
describe("the owners of the volumes", () => {
  const rig = new ScriptRig();
  const own = `${process.getuid!()}:${process.getgid!()}`;
  beforeEach(() => {
    rig.docker(`volume=
while [ "$1" != -euc ]; do
  case $1 in type=volume,source=*) volume=\${1#*source=}; volume=\${volume%%,*} ;; esac
  shift
done
script=$(printf '%s' "$2" | sed "s#/volume#${rig.folder}/$volume#g")
shift 2
exec sh -euc "$script" "$@"`);
    for (const name of ["storage", "logs"]) mkdirSync(join(rig.folder, name));
  });
  const run = () =>
    rig.run("volumes", {
      IMAGE: "proxy:1",
      LABELS: "--label a=b",
      OWNERS: `storage ${own} public\n\nlogs ${own} .drydock`,
    });

  it("get a folder in each, so that none is empty, by a container that has nothing else", () => {
    assert.deepEqual(run(), {
      status: 0,
      stdout: `storage belongs to ${own}\nlogs belongs to ${own}\n`,
      stderr: "",
    });
    assert.ok(lstatSync(join(rig.folder, "storage/public")).isDirectory());
    assert.ok(existsSync(join(rig.folder, "logs/.drydock")));
    assert.equal(rig.calls.split("\n").filter((line) => line.startsWith("run ")).length, 2);
    assert.match(rig.calls, /--cap-drop ALL .*--user 0:0 --network none .*target=\/volume,volume-nocopy proxy:1/);
    assert.equal(run().status, 0);
  });

  it("are the same where the application has put a link in the folder's place, wherever that leads", () => {
    for (const [name, target] of [
      ["storage/public", "nowhere"],
      ["logs/.drydock", rig.folder],
    ] as const)
      symlinkSync(target, join(rig.folder, name));
    assert.equal(run().status, 0);
    assert.deepEqual(
      [readlinkSync(join(rig.folder, "storage/public")), existsSync(join(rig.folder, "storage/nowhere"))],
      ["nowhere", false],
    );
  });
});
