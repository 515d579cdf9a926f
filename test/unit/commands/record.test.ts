import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/** The script against a docker of the test's own; the container of the records is a shell in a folder. */
describe("the record of a release", function () {
  this.timeout(30_000);
  const rig = new ScriptRig();

  const run = (fails = "") => {
    rig.docker(`[ "$1" != "${fails}" ] || exit 1
case "$1" in
  image) echo "sha256:0123456789abcdef shop@sha256:77" ;;
  ps) printf '%s\\n' "app-2-b app old" "app-1-a app old" "app-1-c app new" \\
    "proxy-d proxy old" "horizon-e horizon old" ;;
  logs) case "$5" in app-2-b) sleep 0.3 ;; esac; echo "of $5"; echo "an error of $5" >&2 ;;
  exec) sed 's/^/\\x1e/; s/}$/,"migrations":["one"]}/' ;;
  run) for word; do case $word in -euc) break ;; esac; shift; done; shift
    cd ${rig.folder} && exec sh -euc "$@" ;;
esac`);
    return rig.run("record", {
      ...{ RECORDS: "records", RECORDS_IMAGE: "tool", RECORDS_USER: "1:1", RECORDS_LABELS: "" },
      ...{ REPLICA: "app-1-c", APP_PATH: "/app", IMAGE: "shop:2", KEY: "k", KEPT: "shop" },
      ...{ RECORD: '{"key":"k","release":"new"}', STORAGE: "storage", RELEASE: "new", DAYS: "7", PROBES: "" },
    });
  };
  const logs = (): string => rig.shell(["-c", `cat ${rig.folder}/logs/*.log`]).stdout;

  it("is one line with what was found out, and the logs of the containers that go with it", () => {
    const { status, stdout, stderr } = run();
    assert.deepEqual([status, stderr], [0, ""]);
    const { sequence, release, id, digest } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(
      { sequence, release, id, digest },
      { sequence: 1, release: "new", id: "sha256:0123456789abcdef", digest: "shop@sha256:77" },
    );
    const of = (role: string, name: string) =>
      `${role} ${name} old | of ${name}\n${role} ${name} old | an error of ${name}\n`;
    assert.equal(logs(), of("app", "app-2-b") + of("app", "app-1-a") + of("horizon", "horizon-e"));
  });

  it("is read by its user and that one's group: the backup agent keeps with each backup what was released", () => {
    assert.equal(run().status, 0);
    assert.equal(statSync(join(rig.folder, "releases.jsonl")).mode & 0o777, 0o640);
  });

  for (const [what, fails] of [
    ["its image can't be inspected", "image"],
    ["its image can't be kept", "tag"],
    ["a replica doesn't answer", "exec"],
  ] as const) {
    it(`is none where ${what}`, () => {
      const { status, stdout, stderr } = run(fails);
      assert.deepEqual([status, stdout], [1, ""]);
      assert.match(stderr, /Run the same command again/);
      assert.equal(rig.read("releases.jsonl"), "");
    });
  }

  it("is there without logs where no container can be listed", () => {
    assert.equal(run("ps").status, 0);
    assert.equal(logs(), "");
  });
});
