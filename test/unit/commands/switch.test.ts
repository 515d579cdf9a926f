import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/**
 * The script of the switch, against a docker of the test's own: what runs "in the proxy" runs in a folder of this
 * machine.
 */
describe("the switch", function () {
  this.timeout(20_000);
  const rig = new ScriptRig();
  let proxy: string;
  beforeEach(() => {
    const { folder } = rig;
    proxy = join(folder, "proxy");
    mkdirSync(proxy);
    // `exec -i CONTAINER /bin/sh -c LINE` is the proxy, `exec -i CONTAINER php …` a replica that asks it.
    rig.program(
      "docker",
      `[ "$1" != update ] || { sleep "\${SLOW:-0}"; echo "update $*" >> ${folder}/calls; exit 0; }
[ "$1" != container ] || { echo "/app-1 \${HEALTH:-healthy}"; exit 0; }
case "$4" in
/bin/sh) echo "proxy" >> ${folder}/calls
  exec sh -c "$(printf '%s' "$6" | sed 's#cd /var/lib/drydock#cd ${proxy}#; s#/tmp/host#${folder}#g')" ;;
php) cat > /dev/null; echo "probe $*" >> ${folder}/calls; exit "\${PROBE:-0}" ;;
esac`,
    );
    // What the proxy writes at its start (servers/nginx/boot.ts).
    rig.write("site.sh", "accepted() { nginx -q -t -c /var/lib/drydock/nginx.conf; }\nwhole() { :; }\n");
    rig.program(
      "nginx",
      `case "$*" in
*reload*) echo "reload $(cat ${proxy}/site.conf 2>/dev/null | head -n 1)" >> ${folder}/calls ;;
*drydock/nginx.conf*) ! grep -qs broken ${proxy}/site.conf ${proxy}/maintenance/current/* ;;
esac`,
    );
  });

  const run = (site: string, probe = 0, health = "healthy", more: Readonly<Record<string, string>> = {}) => {
    const variables = {
      ...{
        PROXY: "proxy",
        REPLICA: "app-1",
        REPLICAS: "app-1",
        HOST: "shop.test",
        HEALTH_PATH: "/up",
        PROCESSES: "300",
      },
      ...{ SITE_PATH: "/site/0123456789ab", PROBE: String(probe), HEALTH: health, ...more },
    };
    const { status, stderr } = rig.run("switch", variables, site);
    const reloads = rig.calls
      .split("\n")
      .filter((line) => line.startsWith("reload"))
      .map((line) => line.slice("reload ".length));
    return {
      status,
      stderr,
      reloads,
      site: existsSync(join(proxy, "site.conf"))
        ? readFileSync(join(proxy, "site.conf"), "utf8").split("\n")[0]
        : undefined,
    };
  };

  it("takes a site of any length, and changes nothing of it", () => {
    const site = `new\n${"location = /old { return 301 /new; }\n".repeat(5_000)}\n\n`;
    assert.deepEqual(run(site), { status: 0, stderr: "", reloads: ["new"], site: "new" });
    assert.equal(readFileSync(join(proxy, "site.conf"), "utf8"), site);
  });

  it("has nginx serve the new site when it is written, and keeps the old one beside it", () => {
    writeFileSync(join(proxy, "site.conf"), "old\n");
    assert.deepEqual(run("new\n"), { status: 0, stderr: "", reloads: ["new"], site: "new" });
    assert.equal(readFileSync(join(proxy, "site.conf.old"), "utf8"), "old\n");
    assert.match(
      rig.calls,
      /probe exec -i app-1 php -n -- http:\/\/proxy:8091\/up shop\.test 5 http:\/\/proxy:8090\/site\/0123456789ab/,
    );
  });

  it("puts the old site back, and has nginx serve it, where requests fail after the switch", () => {
    writeFileSync(join(proxy, "site.conf"), "old\n");
    const { stderr, ...rest } = run("new\n", 1);
    assert.deepEqual(rest, { status: 1, reloads: ["new", "old"], site: "old" });
    assert.match(stderr, /the old configuration is in force again and the old release serves/);
  });

  it("changes nothing where a new replica is not healthy, whatever Pulumi remembers of it", () => {
    writeFileSync(join(proxy, "site.conf"), "old\n");
    const { stderr, ...rest } = run("new\n", 0, "unhealthy");
    assert.deepEqual(rest, { status: 1, reloads: [], site: "old" });
    assert.match(stderr, /container app-1 is not healthy \(unhealthy\)/);
  });

  it("limits the processes of the new replicas before any of them gets traffic", () => {
    // However long Docker takes for it.
    run("new\n", 0, "healthy", { SLOW: "0.4" });
    const [first = "", ...rest] = rig.calls.split("\n");
    assert.equal(first, "update update --pids-limit 300 app-1");
    assert.ok(rest.some((line) => line.startsWith("reload")));
  });

  it("leaves no site behind where the first one fails", () => {
    const { status, site } = run("new\n", 1);
    assert.deepEqual([status, site], [1, undefined]);
  });

  it("puts the old site back without a reload where nginx refuses the new one", () => {
    writeFileSync(join(proxy, "site.conf"), "old\n");
    const { stderr, ...rest } = run("broken\n");
    assert.deepEqual(rest, { status: 1, reloads: [], site: "old" });
    assert.match(stderr, /nginx refused the new configuration; the old one is in force/);
  });

  it("changes nothing where the new site can't be written", () => {
    writeFileSync(join(proxy, "site.conf"), "old\n");
    mkdirSync(join(proxy, "site.conf.new"));
    const { stderr, ...rest } = run("new\n");
    assert.deepEqual(rest, { status: 1, reloads: [], site: "old" });
    assert.match(stderr, /the configuration could not be written to the proxy proxy; the old one is in force/);
    assert.doesNotMatch(rig.calls, /probe/);
  });

  describe("where maintenance mode is on", () => {
    const mode = (state: string): void => {
      // One that was set aside long ago, and looked at since.
      for (const [folder, text] of [
        ["current", state],
        ["damaged-20200101T000000Z", "long ago"],
      ] as const) {
        mkdirSync(join(proxy, "maintenance", folder), { recursive: true });
        writeFileSync(join(proxy, "maintenance", folder, "http.conf"), text);
      }
      const ahead = Date.now() / 1000 + 3600;
      utimesSync(join(proxy, "maintenance/damaged-20200101T000000Z"), ahead, ahead);
      writeFileSync(join(proxy, "site.conf"), "old\n");
    };
    const modes = (): Record<string, string> =>
      Object.fromEntries(
        readdirSync(join(proxy, "maintenance")).map((name) => [
          name.replace(/-(?!2020)\d{8}T\d{6}Z$/, "-now"),
          readFileSync(join(proxy, "maintenance", name, "http.conf"), "utf8"),
        ]),
      );
    const before = { "damaged-20200101T000000Z": "long ago" };

    it("leaves it on", () => {
      mode("closed");
      assert.deepEqual(run("new\n"), { status: 0, stderr: "", reloads: ["new"], site: "new" });
      assert.deepEqual(modes(), { ...before, current: "closed" });
    });

    it("sets its files aside where they are damaged, and says that the site is open", () => {
      mode("broken");
      const { stderr, ...rest } = run("new\n");
      assert.deepEqual(rest, { status: 0, reloads: ["new"], site: "new" });
      assert.match(
        stderr,
        /WARNING: the files of maintenance mode were damaged and are set aside .*: the site is open/,
      );
      assert.match(stderr, /Close it again: \.\/drydock maintenance on/);
      assert.deepEqual(modes(), { ...before, "damaged-now": "broken" });
    });

    for (const [state, why] of [
      ["closed", "nginx refuses the new site"],
      ["broken", "nginx refuses the new site, and they are damaged as well"],
    ] as const)
      it(`leaves its files where they were where ${why}`, () => {
        mode(state);
        const { stderr, ...rest } = run("broken\n");
        assert.deepEqual(rest, { status: 1, reloads: [], site: "old" });
        assert.match(stderr, /nginx refused the new configuration; the old one is in force/);
        assert.doesNotMatch(stderr, /WARNING/);
        assert.deepEqual(modes(), { ...before, current: state });
      });
  });
});
