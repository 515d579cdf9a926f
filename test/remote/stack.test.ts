import assert from "node:assert/strict";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images-tags.ts";
import { Subject } from "../faults/subject.ts";
import { PlainUp } from "../faults/steps.ts";
import { canHaveMachine, Machine } from "./rig.ts";

const HOST = "ssh://deploy@ship";
const REPLICAS = 4;

/** A Unix socket that leads to a port of another machine. */
const leadTo = (socket: string, host: string, port: number): Server => createServer((near) => {
  const far = createConnection({ host, port });
  for (const [from, to] of [[near, far], [far, near]] as const) from.on("error", () => to.destroy()).pipe(to);
}).listen(socket);

(canHaveMachine ? describe : describe.skip)("a stack on a Docker host over ssh", function () {
  this.timeout(1_200_000);
  const own = { PATH: process.env.PATH, DOCKER_HOST: process.env.DOCKER_HOST, SSH_AUTH_SOCK: process.env.SSH_AUTH_SOCK };
  let ship: Machine;
  let subject: Subject;
  let way: Server;

  /** Runs `./drydock` and expects it to succeed; what it printed. */
  const drydock = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await subject.clone.drydock(args);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };

  before(async () => {
    ship = await new Machine().start();
    ship.load(Object.values(imageTags()));
    // The tests look at the engine beside the connection; the stack's own settings name the host.
    Object.assign(process.env, ship.env(), { DOCKER_HOST: ship.socket });
    subject = new Subject();
    assert.equal((await subject.clone.drydock(["preview"])).code, 0);
    await subject.set("docker.host", HOST);
    await subject.set("proxy.interface", "0.0.0.0");
    await subject.set("app.replicas", String(REPLICAS));
    await subject.up();
    const socket = join(ship.dir, "site.sock");
    way = leadTo(socket, ship.address, Number(new URL(subject.status.url).port));
    subject.reachedBy(socket);
  });
  after(async () => {
    await subject?.remove();
    way?.close();
    await ship?.remove();
    for (const [name, value] of Object.entries(own)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it("is released by one login without a failed request, and nothing is changed after it", async () => {
    subject.change();
    subject.migration();
    await sleep(500);
    ship.link.connections = 0;
    const load = subject.load();
    try {
      await subject.up();
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.count.reasons, {});
    assert.ok(load.count.total > 50);
    assert.ok(ship.link.connections <= 1, `${ship.link.connections} logins`);
    await subject.isWhole();
    assert.match(await drydock("up"), /Nothing to change/);
  });

  it("is looked at, asked and repaired like one of this machine", async () => {
    assert.match(await drydock("artisan", "--", "--version"), /Laravel/);
    assert.notEqual(await drydock("logs", "proxy", "--tail", "5"), undefined);
    await drydock("maintenance", "on", "--message", "soon");
    await drydock("maintenance", "off");
    await drydock("backup", "run");
    await drydock("backup", "restore", "latest", "--into", "looked_at", "--db", "--yes");
    await drydock("doctor");
    await drydock("drift");
    assert.match(await drydock("releases"), new RegExp(subject.status.release));
    await drydock("rollback", "--yes");
    await drydock("rollback", "--forward", "--yes");
    assert.equal((await subject.clone.drydock(["host", "check"])).code, 0);
  });

  it("works with Pulumi's own commands", async () => {
    const { code, stdout, stderr } = await subject.clone.pulumi(["up", "--stack", "local", "--yes", "--skip-preview"]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /unchanged/);
  });

  for (const step of ["app-image", "backup", "migrate", "assets", "app-1", "switch", "horizon", "verify", "record"]) {
    it(`serves on as it was when the connection breaks at ${step}, and the next release goes on`, () =>
      subject.fault(`connection cut: ${step}`, async () => {
        subject.change();
        if (["backup", "migrate"].includes(step)) subject.migration();
        const release = new PlainUp(subject.clone);
        assert.ok(await release.begins(step), release.output);
        await sleep(200);
        ship.link.cut();
        for (const end = Date.now() + 240_000; !release.over && Date.now() < end;) await sleep(100);
        assert.ok(release.over, "the release hangs");
      }));
  }

  it("gives a link up that falls silent", () => subject.fault("link silent: app-1", async () => {
    subject.change();
    const release = new PlainUp(subject.clone);
    assert.ok(await release.begins("app-1"), release.output);
    ship.link.silent = true;
    try {
      for (const end = Date.now() + 120_000; !release.over && Date.now() < end;) await sleep(100);
      assert.ok(release.over, "the release hangs");
    } finally {
      ship.link.silent = false;
      ship.link.cut();
    }
  }));
});
