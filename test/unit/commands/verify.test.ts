import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/** The script against a docker of the test's own, whose containers print more than they are asked. */
describe("the proof of a release", function () {
  this.timeout(20_000);
  const rig = new ScriptRig();

  const run = (answers: { readonly fpm?: string; readonly horizon: string }) => {
    rig.write("fpm", answers.fpm ?? "");
    rig.write("horizon", answers.horizon);
    rig.docker(`case "$*" in
  *"php -n --"*) printf '{"requests":1,'; sleep 0.3; printf '"failed":0}'; sleep 0.3; echo ;;
  *fcgi.php*) cat ${rig.folder}/fpm ;;
  *readback.php*) cat ${rig.folder}/horizon; ! grep -q '"proven":false' ${rig.folder}/horizon ;;
esac`);
    const fpm = answers.fpm === undefined ? "" : "app-1:9000,app-2:9000";
    return rig.run(
      "verify",
      {
        ...{ REPLICA: "app-1", FPM: fpm, CONTAINERS: "horizon" },
        ...{ APP_PATH: "/app", HOST: "h", HEALTH_PATH: "/up", REQUESTS: "1" },
      },
      "{}",
    );
  };
  const good = '\ufeff\nDeprecated: x\nno end\n\u001e{"proven":true,"checked":3}\nbye {"proven":false}';

  // The record of the release reads the probes' line: "{...}app-1 {...}" was once found there.
  it("takes each container's answer out of what else it prints, and prints each in a line of its own", () => {
    const { status, stdout, stderr } = run({
      horizon: good,
      fpm: 'app-1:9000 {"proven":true}\napp-2:9000 {"proven":true}\n',
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trim().split("\n").sort(), [
      'app-1 {"proven":true}',
      'app-2 {"proven":true}',
      'horizon {"proven":true,"checked":3}',
      '{"requests":1,"failed":0}',
    ]);
  });

  it("takes a line that only looks like an answer for none", () => {
    const { status, stderr } = run({ horizon: '{"proven":true}\n' });
    assert.equal(status, 1);
    assert.match(stderr, /verify: the environment of horizon could not be read/);
  });

  it("fails where one replica of several says nothing, or has another environment", () => {
    const silent = run({ horizon: good, fpm: 'app-1:9000 {"proven":true}\n' });
    assert.equal(silent.status, 1);
    assert.match(silent.stderr, /the environment of app-2 could not be read/);
    const other = run({
      horizon: good,
      fpm: 'app-1:9000 {"proven":false,"differs":["A"]}\napp-2:9000 {"proven":true}\n',
    });
    assert.equal(other.status, 1);
    assert.match(
      other.stderr,
      /app-1 \{"proven":false,"differs":\["A"\]\}\nverify: app-1 does not have the environment of the plan/,
    );
  });
});
