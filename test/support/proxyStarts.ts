import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";
import { docker } from "./clone.ts";
import { ProxyRig } from "./proxyRig.ts";

/** What holds of a proxy's start with any nginx. */
export function proxyStarts(title: string, image: () => Promise<string>): void {
  describe(`the start of the proxy (${title})`, function () {
    this.timeout(180_000);
    let rig: ProxyRig;
    const switched = () => {
      const { code, stderr } = rig.switch();
      assert.equal(code, 0, stderr);
      assert.ok(!/\[(warn|emerg|alert)\]/.test(stderr), stderr);
    };
    const site = () => docker("exec", rig.proxy, "cat", "/var/lib/drydock/site.conf");
    const whole = async () => {
      for (const end = Date.now() + 20_000; Date.now() < end; await sleep(300)) {
        if (docker("exec", rig.proxy, "sh", "-c", "readlink /tmp/site/site.conf || :") === "/var/lib/drydock/site.conf")
          return;
      }
      assert.fail(`the site is not whole again\n${rig.log()}`);
    };
    /** Which replicas answer, within some seconds. */
    const answering = async (count: number) => {
      const seen = new Set<string>();
      for (const end = Date.now() + 20_000; Date.now() < end && seen.size < count; await sleep(50)) {
        const { status, body } = await rig.ask("/who");
        if (status === 200) seen.add((JSON.parse(body) as { HOSTNAME: string }).HOSTNAME);
      }
      return seen.size;
    };

    before(async () => {
      rig = new ProxyRig(await image());
      rig.start();
      switched();
    });
    after(() => rig.remove());

    it("serves, and keeps the port in a redirect's host", async () => {
      await rig.until("/up", 200);
      const { body } = await rig.ask("/who", { headers: [["Host", "127.0.0.1:12345"]] });
      assert.equal((JSON.parse(body) as { HTTP_HOST: string }).HTTP_HOST, "127.0.0.1:12345");
    });

    it("serves from the others while a replica is away, and takes it back by itself", async () => {
      const before = site();
      docker("stop", "--time", "0", rig.replicas[1]!);
      docker("restart", "--time", "0", rig.proxy);
      await rig.until("/up", 200);
      for (let i = 0; i < 9; i++) assert.equal((await rig.ask("/up")).status, 200);
      assert.equal(site(), before);
      docker("start", rig.replicas[1]!);
      await whole();
      assert.equal(await answering(3), 3);
    });

    it("gives way to one whose nginx takes the site that is served, replicas or not, and to no other", () => {
      assert.deepEqual(rig.check(), { code: 0, stderr: "" });
      docker("stop", "--time", "0", rig.replicas[1]!);
      const { code, stderr } = rig.check();
      docker("start", rig.replicas[1]!);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /can't be found and gets no requests until it can/);

      const none = rig.check(imageTags().base);
      assert.equal(none.code, 1, none.stderr);
      assert.match(none.stderr, /nginx[^]*nothing was changed/);
    });

    it("starts where all replicas are away, and serves when they are back", async () => {
      docker("stop", "--time", "0", ...rig.replicas);
      docker("restart", "--time", "0", rig.proxy);
      await rig.until("/up", 502);
      docker("start", ...rig.replicas);
      await rig.until("/up", 200);
      await whole();
      assert.equal(await answering(3), 3);
    });

    it("follows replicas that were restarted under other addresses", async () => {
      const address = (name: string) =>
        docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name);
      const before = rig.replicas.map(address);
      docker("stop", "--time", "0", ...rig.replicas);
      for (const replica of [...rig.replicas].reverse()) docker("start", replica);
      assert.notDeepEqual(rig.replicas.map(address), before, "Docker gave them the same addresses");
      await rig.until("/up", 200);
      assert.equal(await answering(3), 3);
    });

    it("leaves a site out that it can't take, is there all the same, and serves after the next switch", async () => {
      docker(
        "exec",
        rig.proxy,
        "sh",
        "-c",
        "echo 'keepalive_max_timeout_of_another_nginx 1s;' >> /var/lib/drydock/site.conf",
      );
      const { code, stderr } = rig.check();
      assert.equal(code, 1, stderr);
      assert.match(stderr, /unknown directive "keepalive_max_timeout_of_another_nginx"[^]*nothing was changed/);
      docker("restart", "--time", "0", rig.proxy);
      for (const end = Date.now() + 20_000; ; await sleep(200)) {
        try {
          docker("exec", rig.proxy, "curl", "-fsS", "http://127.0.0.1:8089/healthz");
          break;
        } catch (error) {
          if (Date.now() > end) throw error;
        }
      }
      assert.match(rig.log(), /this nginx refuses the site \(above\)/);
      switched();
      assert.equal((await rig.ask("/up")).status, 200);
    });
  });
}
