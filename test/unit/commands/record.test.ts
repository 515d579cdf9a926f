import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";

/** The script against a docker of the test's own; the container of the records is a shell in a folder. */
describe("the record of a release", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-record-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (fails = "") => {
    writeFileSync(
      join(folder, "docker"),
      `#!/bin/sh
[ "$1" != "${fails}" ] || exit 1
case "$1" in
  image) echo "sha256:0123456789abcdef shop@sha256:77" ;;
  ps) printf '%s\\n' "app-2-b app old" "app-1-a app old" "app-1-c app new" \\
    "proxy-d proxy old" "horizon-e horizon old" ;;
  logs) case "$4" in app-2-b) sleep 0.3 ;; esac; echo "of $4"; echo "an error of $4" >&2 ;;
  exec) sed 's/^/\\x1e/; s/}$/,"migrations":["one"]}/' ;;
  run) for word; do case $word in -euc) break ;; esac; shift; done; shift
    cd ${folder} && exec sh -euc "$@" ;;
esac
`,
      { mode: 0o755 },
    );
    const { status, stdout, stderr } = spawnSync("sh", ["commands/record.sh"], {
      encoding: "utf8",
      env: {
        ...process.env,
        ...{ PATH: `${folder}:${process.env.PATH}`, RECORDS: "records", RECORDS_IMAGE: "tool", RECORDS_USER: "1:1" },
        ...{ RECORDS_LABELS: "", REPLICA: "app-1-c", APP_PATH: "/app", IMAGE: "shop:2", KEY: "k", KEPT: "shop" },
        ...{ RECORD: '{"key":"k","release":"new"}', STORAGE: "storage", RELEASE: "new", DAYS: "7", PROBES: "" },
      },
    });
    return { status, stdout, stderr };
  };
  const logs = (): string => {
    const { stdout } = spawnSync("sh", ["-c", `cat ${folder}/logs/*.log`], { encoding: "utf8" });
    return stdout;
  };

  it("is one line with what was found out, and the logs of the containers that go with it", () => {
    const { status, stdout, stderr } = run();
    assert.deepEqual([status, stderr], [0, ""]);
    const { sequence, release, id, digest } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(
      { sequence, release, id, digest },
      { sequence: 1, release: "new", id: "sha256:0123456789abcdef", digest: "shop@sha256:77" },
    );
    const of = (role: string, name: string) => `${role} ${name} | of ${name}\n${role} ${name} | an error of ${name}\n`;
    assert.equal(logs(), of("app", "app-2-b") + of("app", "app-1-a") + of("horizon", "horizon-e"));
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
      assert.throws(() => readFileSync(join(folder, "releases.jsonl")));
    });
  }

  it("is there without logs where no container can be listed", () => {
    assert.equal(run("ps").status, 0);
    assert.equal(logs(), "");
  });
});
