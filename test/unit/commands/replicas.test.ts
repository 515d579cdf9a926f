import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/**
 * The scripts that ask all replicas by one call, against a docker of the test's own that answers what it is told to and
 * keeps what it was asked.
 */
describe("what all replicas are asked at once", function () {
  this.timeout(20_000);
  const rig = new ScriptRig();

  const docker = (cases: string): void => rig.docker(`case "$*" in\n${cases}\nesac`);
  const run = (script: string, env: Record<string, string>, input = "") => {
    const { status, stdout, stderr } = rig.run(script, { REPLICA: "app-1", ...env }, input);
    const calls = rig.calls === "" ? [] : rig.calls.trim().split("\n");
    return { status, stdout: stdout.trim().split("\n").sort(), stderr, calls };
  };

  describe("the reset of OPcache", () => {
    const json = (restarts: number, stale = 0) => `{"enabled":true,"restarts":${restarts},"staleCount":${stale}}`;

    it("is not waited for where none has old code", () => {
      docker(`*" /reset "*) echo 'app-1:9000 ${json(0)}'; echo 'app-2:9000 ${json(3)}' ;;`);
      const { status, stdout, calls } = run("opcache", { FPM: "app-1:9000,app-2:9000" });
      assert.deepEqual([status, calls.length], [0, 1]);
      assert.deepEqual(stdout, ["app-1: OPcache is fresh", "app-2: OPcache is fresh"]);
    });

    it("is done when each that had old code has restarted it, also where one takes longer", () => {
      docker(`
        *" /reset "*) echo 'app-1:9000 ${json(0, 2)}'; echo 'app-2:9000 ${json(3, 40)}'; echo 'app-3:9000 ${json(5)}' ;;
        *" /status "*) echo 'app-1:9000 ${json(1)}'; if [ -e ${rig.folder}/asked ]; then echo 'app-2:9000 ${json(4)}';
        else echo 'app-2:9000 ${json(3, 40)}'; fi; touch ${rig.folder}/asked ;;`);
      const { status, stdout, calls } = run("opcache", { FPM: "app-1:9000,app-2:9000" });
      assert.equal(status, 0);
      assert.deepEqual(stdout, ["app-1: OPcache is fresh", "app-2: OPcache is fresh", "app-3: OPcache is fresh"]);
      assert.deepEqual(
        calls.map((call) => call.split(" ").at(-2)),
        ["/reset", "/status", "/status"],
      );
      assert.equal(calls[0], "exec app-1 php -n /drydock/fcgi.php app-1:9000,app-2:9000 /reset /drydock/opcache.php");
    });

    it("asks a single one, whose answer has no address before it", () => {
      docker(`*" /reset "*) echo '${json(7, 1)}' ;; *" /status "*) echo '${json(8)}' ;;`);
      const { stdout, calls } = run("opcache", { FPM: "app-1:9000" });
      assert.deepEqual([stdout, calls.length], [["app-1: OPcache is fresh"], 2]);
    });

    it("says of those without OPcache that there is nothing to reset", () => {
      docker(`*" /reset "*) echo 'app-1:9000 {"enabled":false}'; echo 'app-2:9000 {"enabled":false}' ;;`);
      const { status, stdout, calls } = run("opcache", { FPM: "app-1:9000,app-2:9000" });
      assert.deepEqual([status, calls.length], [0, 1]);
      assert.deepEqual(stdout, [
        "app-1:9000 has no OPcache: nothing to reset",
        "app-2:9000 has no OPcache: nothing to reset",
      ]);
    });

    it("is asked for again where one was restarted meanwhile", () => {
      docker(`
        *" /reset "*) [ -e ${rig.folder}/healthy ] || { echo 'PHP-FPM does not answer at app-2.net:9000' >&2; exit 1; }
          echo 'app-1.net:9000 ${json(0)}'; echo 'app-2.net:9000 ${json(0)}' ;;
        "container inspect "*" app-1 app-2")
          [ -e ${rig.folder}/looked ] && touch ${rig.folder}/healthy; touch ${rig.folder}/looked
          echo "/app-1 healthy"; [ -e ${rig.folder}/healthy ] && echo "/app-2 healthy" || echo "/app-2 starting" ;;`);
      const { status, stdout, stderr } = run("opcache", { FPM: "app-1.net:9000,app-2.net:9000" });
      assert.equal(status, 0, stderr);
      assert.deepEqual(stdout, ["app-1.net: OPcache is fresh", "app-2.net: OPcache is fresh"]);
    });

    it("fails where one keeps stopping, with its name and what to do", () => {
      docker(`
        *" /reset "*) exit 1 ;;
        "container inspect "*) echo "/app-1-0a1b2c3 healthy"; echo "/app-2-0a1b2c3 restarting" ;;`);
      const { status, stderr } = run("opcache", { FPM: "app-1-0a1b2c3.net:9000,app-2-0a1b2c3.net:9000" });
      assert.equal(status, 1);
      assert.match(
        stderr,
        /container app-2-0a1b2c3 is not healthy \(restarting\): .*anew: .\/drydock up --replace app-2\n/,
      );
    });

    it("fails where one does not answer", () => {
      docker(`"container inspect "*) echo "/app-1 healthy" ;;
        *" /reset "*) echo 'app-1:9000 ${json(0)}'; echo 'PHP-FPM does not answer at app-2:9000' >&2; exit 1 ;;`);
      const { status, stderr } = run("opcache", { FPM: "app-1:9000,app-2:9000" });
      assert.equal(status, 1);
      assert.match(
        stderr,
        new RegExp(
          String.raw`PHP-FPM does not answer at app-2:9000\nopcache: PHP-FPM of a replica did not answer; run ` +
            "the same command again",
        ),
      );
    });
  });

  describe("the proof of their environment", () => {
    const env = {
      FPM: "app-1:9000,app-2:9000",
      CONTAINERS: "horizon scheduler",
      APP_PATH: "/app",
      HOST: "shop.test",
      HEALTH_PATH: "/up",
      REQUESTS: "20",
    };
    const good = '{"proven":true,"checked":2,"missing":[],"differs":[],"staleConfigCache":false}';
    const cases = (replicas: string, worker = `echo '\u001e${good}'`) =>
      docker(`
        *fcgi.php*) cat > ${rig.folder}/plan; ${replicas} ;;
        *"scheduler php /drydock/readback.php /app"*) ${worker} ;;
        *readback.php*) echo '\u001e${good}' ;;
        *"http://proxy:8091/up shop.test 20") echo '{"requests":20,"failed":0,"slowestMs":5}' ;;`);

    it("reaches the replicas by one call, each worker by one of its own, and the plan goes by standard input", () => {
      cases(`echo 'app-1:9000 ${good}'; echo 'app-2:9000 ${good}'`);
      const { status, stdout, calls } = run("verify", env, '{"names":{"APP_KEY":"abc"}}');
      assert.equal(status, 0);
      assert.deepEqual(
        stdout,
        [
          `app-1 ${good}`,
          `app-2 ${good}`,
          `horizon ${good}`,
          `scheduler ${good}`,
          '{"requests":20,"failed":0,"slowestMs":5}',
        ].sort(),
      );
      assert.equal(calls.filter((call) => call.startsWith("exec ")).length, 4);
      assert.equal(rig.read("plan"), '{"names":{"APP_KEY":"abc"}}');
    });

    it("fails where a replica has another environment, with the names", () => {
      cases(
        `echo 'app-1:9000 ${good}'; echo 'app-2:9000 {"proven":false,"checked":2,"missing":["APP_KEY"],"differs":[]}'`,
      );
      const { status, stdout, stderr } = run("verify", env);
      assert.equal(status, 1);
      assert.ok(
        stdout.some((line) => line.startsWith("app-1 ")),
        stdout.join("\n"),
      );
      assert.match(
        stderr,
        /^app-2 \{.*"missing":\["APP_KEY"\].*\}\nverify: app-2 does not have the environment of the plan /m,
      );
    });

    it("fails where a worker has another environment, or a replica does not answer", () => {
      cases(
        `echo 'app-1:9000 ${good}'; echo 'app-2:9000 ${good}'`,
        `echo '\u001e{"proven":false,"differs":["DB_HOST"]}'; exit 1`,
      );
      assert.match(
        run("verify", env).stderr,
        new RegExp(
          String.raw`scheduler \{"proven":false,"differs":\["DB_HOST"\]\}\nverify: scheduler does not have the ` +
            "environment of the plan",
        ),
      );
      cases("echo 'PHP-FPM does not answer at app-2:9000' >&2; exit 1");
      const { status, stderr } = run("verify", env);
      assert.equal(status, 1);
      assert.match(
        stderr,
        /PHP-FPM does not answer at app-2:9000\n[\s\S]*verify: the environment of app-2 could not be read/,
      );
    });

    it("leaves PHP-FPM alone where the image has none", () => {
      cases("exit 1");
      const { status, calls } = run("verify", { ...env, FPM: "", CONTAINERS: "app-1 app-2 horizon scheduler" });
      assert.deepEqual([status, calls.length], [0, 5]);
    });
  });
});
