import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgePreflight } from "../../../commands/parts/preflight.ts";
import { ONE_OFF, ScriptRig } from "../../support/commands/scriptRig.ts";

const NOTHING = { missing: [], differs: [], file: "/app/.env", unknown: [], logs: [], retry: null };

/** The script against a docker of the test's own. */
describe("the look into the image", function () {
  this.timeout(30_000);
  const rig = new ScriptRig();

  const run = ({
    env = "PATH=/bin",
    user = "",
    own = "",
    answer = `noise\n\u001e${JSON.stringify(NOTHING)}`,
    code = 0,
  }) => {
    rig.write("answer", answer);
    rig.write("env", `${env}\n`);
    rig.docker(`case "$1 $2" in
  "image inspect") echo "${user}"; echo /srv/site; cat ${rig.folder}/env ;;
  "create --name") [ ! -e ${rig.folder}/left ] || { echo "in use" >&2; exit 1; } ;;
  "rm --force") rm -f ${rig.folder}/left ;;
  "cp -") cat > /dev/null ;;
  "cp net"*) case " ${own} " in *" \${2##*:/app/} "*) ;; *) exit 1 ;; esac ;;
  "start --attach") cat > ${rig.folder}/plan; cat ${rig.folder}/answer; exit ${code} ;;
esac`);
    const done = rig.run(
      "preflight",
      {
        ...ONE_OFF,
        ...{ NAME: "net-preflight", STACK: "prod", STAGE: "production", SECRETS: "APP_KEY STRIPE_SECRET" },
        ...{ HORIZON: "1", OWN_START: "0" },
      },
      '{"names":{}}\nAAAA\n',
    );
    return { ...done, calls: rig.calls };
  };

  it("finds nothing in a good one", () => {
    const { status, stdout, stderr } = run({});
    assert.equal(status, 0, stderr);
    assert.deepEqual([stdout, stderr], ["the image reads this stack's variables\n", ""]);
    assert.equal(rig.read("plan"), '{"names":{}}');
  });

  it("makes few calls, for each takes two round trips where the host is far away", () => {
    const { calls } = run({});
    const kinds = calls
      .trim()
      .split("\n")
      .map((call) => call.split(" ").slice(0, 2).join(" ").replace(/:.*/, ""));
    const looks = Array.from({ length: 3 }, () => "cp net-preflight");
    assert.deepEqual(kinds, ["image inspect", "create --name", ...looks, "cp -", "start --attach"]);
  });

  it("makes its container anew where one that was cut off has left it", () => {
    rig.write("left", "");
    const { status, stderr, calls } = run({});
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(calls, /^create .*\nrm --force --volumes net-preflight\ncreate /m);
  });

  it("refuses an image whose ENV would win over a secret, whatever it says", () => {
    const { status, stderr, calls } = run({ env: "STRIPE_SECRETS=x\nSTRIPE_SECRET=sk_test\nAPP_KEY=\nTZ=UTC" });
    assert.equal(status, 1);
    assert.match(stderr, /^preflight: the image sets APP_KEY STRIPE_SECRET \(ENV in its Dockerfile\), which would win/);
    assert.ok(!stderr.includes("sk_test") && !/create|start/.test(calls));
    assert.equal(run({ env: "STRIPE_SECRETS=x" }).status, 0);
  });

  it("looks for what the image lacks as the user and with the start that it is made for", () => {
    const { status, calls } = run({ user: "www-data" });
    assert.equal(status, 0);
    assert.match(
      calls,
      new RegExp(
        String.raw`create .* shop:1 /drydock/start\.sh /bin/sh -c php /drydock/image\.php "\$@" && .* image ` +
          "/app 1 0 www-data /srv/site$",
        "m",
      ),
    );
    const lacks = run({ code: 3, answer: "" });
    assert.deepEqual(
      [lacks.status, lacks.stderr],
      [1, "preflight: shop:1 is not what the release needs (see above); nothing was changed\n"],
    );
    assert.match(run({ code: 127, answer: "" }).stderr, /^preflight: php could not be run in shop:1/);
  });

  it("names the image's own files that this stack's take the place of", () => {
    const { status, stderr } = run({ own: ".env.production bootstrap/cache/config.php" });
    assert.equal(status, 0);
    assert.match(stderr, /WARNING: the image has \.env\.production bootstrap\/cache\/config\.php in \/app\./);
  });

  it("refuses what is read otherwise than planned, and an application that does not start", () => {
    const other = run({
      answer: `\u001e${JSON.stringify({ ...NOTHING, differs: ["DB_PASSWORD"], file: "/etc/app/.env" })}`,
    });
    assert.equal(other.status, 3);
    assert.match(
      other.stderr,
      /Laravel reads other values than this stack's for DB_PASSWORD, from \/etc\/app\/\.env\. Nothing was changed/,
    );
    const none = run({ answer: "PHP Fatal error: no such class" });
    assert.equal(none.status, 1);
    assert.match(
      none.stderr,
      /does not start with the variables of this stack, so nothing was changed:\nPHP Fatal error: no such class/,
    );
  });

  it("refuses a server elsewhere that can't be used, with the reason", () => {
    const { problems } = judgePreflight(
      { ...NOTHING, unusable: [{ what: "redis", why: "its name does not resolve" }] },
      "prod",
    );
    assert.deepEqual(problems, [
      "drydock:redis.external can't be used: its name does not resolve. Nothing was changed.\n" +
        "It was asked from a container on this stack's Docker host, with the variables of this stack (REDIS_*).",
    ]);
  });

  it("refuses jobs and sessions on the server that forgets, and says which part of the cache is on the other", () => {
    const { problems, warnings } = judgePreflight(
      {
        ...NOTHING,
        forgotten: { "queue.connections.redis.connection": "cache" },
        together: ["redis"],
      },
      "prod",
    );
    assert.equal(problems.length, 1);
    assert.match(
      problems[0]!,
      /^queue\.connections\.redis\.connection \(cache\): Redis's connection is that of the cache's server/,
    );
    assert.match(warnings[0]!, /^the cache's store redis is on the server of sessions and jobs/);
    // PHP writes an array without names as a list.
    assert.deepEqual(judgePreflight({ ...NOTHING, forgotten: [], together: [] }, "prod"), {
      problems: [],
      warnings: [],
    });
  });

  it("warns of names that the configuration has not, of logs in files, and of jobs that would run twice", () => {
    const { problems, warnings } = judgePreflight(
      {
        ...NOTHING,
        unknown: [{ variable: "MAIL_MAILER", value: "sendgrid", where: "config/mail.php", has: ["smtp", "log"] }],
        logs: [{ channel: "daily", path: "/app/storage/logs/laravel.log" }],
        retry: { connection: "redis", after: 90, longestJob: 300 },
        horizon: { processes: 10, memory: 512 },
      },
      "prod",
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(warnings, [
      "MAIL_MAILER is sendgrid, but config/mail.php has no such name (it has smtp, log): " +
        "pulumi config set --path drydock:env.MAIL_MAILER smtp -s prod",
      "what is logged to daily goes into the file /app/storage/logs/laravel.log, which `./drydock logs` does not " +
        "show and nobody empties: " +
        "pulumi config set --path drydock:env.LOG_CHANNEL stderr -s prod",
      "a job of the queue redis is run again after 90 s (retry_after in config/queue.php), " +
        "but may run for 300 s (longestJob): " +
        "it would run twice at once. Set retry_after above that, or the setting below it",
      "Horizon may start 10 workers (maxProcesses in config/horizon.php), which take about 768 MiB, " +
        "and its container is ended at 512: " +
        "pulumi config set --path drydock:horizon.memory 768 -s prod, or fewer processes",
    ]);
    assert.deepEqual(judgePreflight({ ...NOTHING, horizon: { processes: 6, memory: 512 } }, "prod").warnings, []);
  });
});
