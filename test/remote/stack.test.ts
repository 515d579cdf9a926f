import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { imageTags, OF_A_STACK } from "../../cli/setup/images-tags.ts";
import { docker, type Status } from "../support/clone.ts";
import type { Found } from "../support/containers.ts";
import { PlainUp } from "../support/faults/steps.ts";
import { Subject } from "../support/faults/subject.ts";
import { leadTo } from "../support/leadTo.ts";
import { canHaveMachine, HOST, Machine } from "../support/remote/rig.ts";

/** More than sshd's default limits allow of logins just started (MaxStartups) or of sessions (MaxSessions). */
const MANY = 10;
const FEW = 3;

(canHaveMachine ? describe : describe.skip)("a stack on a Docker host over ssh", function () {
  this.timeout(1_200_000);
  const own = {
    PATH: process.env.PATH,
    DOCKER_HOST: process.env.DOCKER_HOST,
    SSH_AUTH_SOCK: process.env.SSH_AUTH_SOCK,
  };
  let ship: Machine;
  let subject: Subject;
  let way: Server;

  /** Runs `./drydock`, which succeeds and logs in at most once. What it printed, and standard error. */
  const drydock = async (...args: string[]): Promise<{ readonly out: string; readonly said: string }> => {
    ship.link.connections = 0;
    const { code, stdout, stderr } = await subject.clone.drydock(args);
    assert.equal(code, 0, `./drydock ${args.join(" ")}\n${stdout}${stderr}`);
    assert.ok(ship.link.connections <= 1, `./drydock ${args.join(" ")}: ${ship.link.connections} logins`);
    return { out: stdout, said: stderr };
  };
  const last = <T>(json: string): T => JSON.parse(json.trim().split("\n").at(-1)!) as T;
  /** In a replica, past the connection. */
  const inApp = (script: string): string => docker("exec", subject.container("app-1"), "sh", "-c", script);
  const rows = (): number => Number(subject.sql("select count(*) from `rows`"));
  /** What is asked of the site by a visitor: its status. */
  const visit = async (path: string): Promise<number> => {
    const to = { socketPath: join(ship.dir, "site.sock"), agent: false };
    const [response] = (await once(get(new URL(path, subject.status.url), to), "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode ?? 0;
  };
  /** The release that visitors get. */
  const answered = async (): Promise<string> => {
    const to = { socketPath: join(ship.dir, "site.sock"), agent: false };
    const [response] = (await once(get(new URL("/release", subject.status.url), to), "response")) as [IncomingMessage];
    return (await text(response)).trim();
  };
  /** A release under load, of which no request fails. */
  const underLoad = async (release: () => Promise<unknown>): Promise<void> => {
    const load = subject.load();
    await sleep(500);
    try {
      await release();
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.count.reasons, {});
    assert.ok(load.count.total > 50, `only ${load.count.total} requests`);
    console.log(`      ${load.count.failed} of ${load.count.total} requests failed`);
  };

  before(async () => {
    ship = await new Machine().start();
    ship.load(OF_A_STACK.map((name) => imageTags()[name]));
    // The tests look at the engine beside the connection; the stack's own settings name the host.
    Object.assign(process.env, ship.env(), { DOCKER_HOST: ship.socket });
    subject = new Subject();
    assert.equal((await subject.clone.drydock(["preview"])).code, 0);
    await subject.set("docker.host", HOST);
    await subject.set("proxy.interface", "0.0.0.0");
    await subject.set("app.replicas", String(FEW));
    ship.link.connections = 0;
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

  it("was made by one login, and nothing is changed after it", async () => {
    // The other one is of the look at what was made.
    assert.ok(ship.link.connections <= 2, `${ship.link.connections} logins`);
    assert.match((await drydock("up")).out, /Nothing to change/);
  });

  it(`is released with ${MANY} replicas by one login without a failed request`, async () => {
    subject.change();
    subject.migration();
    await subject.set("app.replicas", String(MANY));
    await underLoad(() => drydock("up"));
    subject.change();
    await underLoad(() => drydock("up"));
    subject.status = await subject.clone.status();
    assert.equal(subject.status.services.filter(({ role }) => role === "app").length, MANY);
    await subject.isComplete();
  });

  it("goes back to the release before and forward again without a failed request", async () => {
    await subject.set("app.replicas", String(FEW));
    subject.change();
    await underLoad(() => drydock("up"));
    const { release } = (subject.status = await subject.clone.status());
    assert.match((await drydock("releases")).out, new RegExp(release.slice(0, 7)));
    await underLoad(() => drydock("rollback", "--yes"));
    assert.notEqual((await subject.clone.status()).release, release);
    await underLoad(() => drydock("rollback", "--forward", "--yes"));
    subject.status = await subject.clone.status();
    assert.equal(subject.status.release, release);
    await subject.isComplete();
  });

  it("is backed up, and restored by tables, as a whole and with its files", async () => {
    inApp(
      "mkdir -p storage/app/up && head -c 3000000 /dev/urandom > storage/app/up/large && echo two > storage/app/b.txt",
    );
    const sum = inApp("sha256sum storage/app/up/large");
    const run = await drydock("backup", "run", "--json");
    const { backup } = last<{ backup: { id: string; verified: boolean } }>(run.out);
    assert.equal(backup.verified, true);
    const before = rows();
    const gone = (): void => {
      subject.sql("delete from `rows` limit 3");
      assert.equal(rows(), before - 3);
    };
    for (const how of [[], ["--physical"]]) {
      gone();
      const { said } = await drydock("backup", "restore", backup.id, "--db", "--yes", "--no-backup", ...how);
      assert.equal(rows(), before);
      assert.match(said, how.length === 0 ? /^→ restoring$/m : /^→ .*prepared in/m);
    }
    inApp("rm -r storage/app/up && echo changed > storage/app/b.txt");
    const { said } = await drydock("backup", "restore", backup.id, "--files", "--yes", "--no-backup");
    assert.match(said, /^→ unpacking \d+ files \(.*\) beside the live ones$/m);
    assert.deepEqual([inApp("sha256sum storage/app/up/large"), inApp("cat storage/app/b.txt")], [sum, "two"]);
    await drydock("backup", "restore", "latest", "--into", "looked_at", "--db", "--yes");
    await drydock("backup", "status");
    await subject.isComplete();
  });

  it("is looked at, asked and closed like one of this machine", async () => {
    assert.match((await drydock("artisan", "--", "--version")).out, /Laravel/);
    assert.match((await drydock("artisan", "--", "migrate:status")).out, /Ran/);
    assert.match((await drydock("logs", "proxy", "--tail", "5")).out, /^proxy +\| .*HTTP\/1\.1" 200/m);
    assert.equal(await visit("/"), 200);
    await drydock("maintenance", "on", "--message", "soon");
    assert.equal(await visit("/"), 503);
    await drydock("maintenance", "off");
    assert.equal(await visit("/"), 200);
    await drydock("doctor");
    await drydock("drift");
    assert.match((await drydock("status")).out, /healthy/);
    await drydock("host", "check");
  });

  it("shows its logs as they are written, and says so when the connection breaks", async () => {
    const child = subject.clone.start(["logs", "proxy", "--tail", "0", "--follow"]);
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        said += String(chunk);
      });
    const seen = async (what: RegExp): Promise<void> => {
      for (const end = Date.now() + 60_000; !what.test(said); await sleep(300)) {
        assert.ok(Date.now() < end, said);
        await visit("/release?followed");
      }
    };
    await seen(/followed/);
    const ended = once(child, "exit");
    ship.link.cut();
    const [code] = (await ended) as [number];
    assert.equal(code, 1);
    assert.match(said, new RegExp(`^drydock: the connection to ${HOST} broke`, "m"));
  });

  it("works with Pulumi's own commands", async () => {
    const { code, stdout, stderr } = await subject.clone.pulumi(["up", "--stack", "local", "--yes", "--skip-preview"]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /unchanged/);
  });

  /** `status` says what is the case after a release that broke off: which release serves, and what runs. */
  const tellsTheTruth = async (): Promise<void> => {
    const { stdout, stderr } = await subject.clone.drydock(["status", "--json"]);
    assert.match(stdout, /^\{/, stderr);
    const { release, services, unfinished } = JSON.parse(stdout) as Status & {
      readonly unfinished?: { readonly release: string; readonly serves: boolean };
    };
    const serves = await answered();
    if (unfinished === undefined) assert.equal(serves, release);
    else if (unfinished.release !== release) assert.equal(serves === unfinished.release, unfinished.serves, stdout);
    for (const { container, state } of services) {
      assert.equal(state, docker("inspect", "--format", "{{.State.Status}}", container), container);
    }
  };
  /** Waits for a release whose connection broke: it fails, says why, and does not hang. */
  const breaks = async (release: PlainUp, seconds: number): Promise<void> => {
    for (const end = Date.now() + seconds * 1000; !release.over && Date.now() < end; ) await sleep(100);
    assert.ok(release.over, `the release hangs: ${release.output}`);
  };

  const FAR = [
    "update app-image",
    "update preflight",
    "update backup",
    "update migrate",
    "update assets",
    "create-replacement app-1",
    "update switch",
    "update switch-drained",
    "create-replacement horizon",
    "update verify",
    "update record",
    "delete-replaced app-1",
  ];
  for (const step of FAR) {
    it(`serves on when the connection breaks at ${step}, and the next release goes on`, () =>
      subject.fault(`connection cut: ${step}`, async () => {
        subject.change();
        if (/backup|migrate/.test(step)) subject.migration();
        const release = new PlainUp(subject.clone);
        assert.ok(await release.begins(step), `no ${step}: ${release.output}`);
        await sleep(100);
        ship.link.cut();
        await breaks(release, 240);
        // What had only to be waited for may have been done by then.
        if (/error:/.test(release.output)) assert.match(release.output, new RegExp(`the connection to ${HOST} broke`));
        await tellsTheTruth();
      }));
  }

  it("says so when the connection breaks under `./drydock up`", () =>
    subject.fault("connection cut: ./drydock up", async () => {
      subject.change();
      const isNew = (found: readonly Found[]): boolean => found.some((one) => one.role === "app" && subject.isNew(one));
      const { code, stderr } = await subject.upWhile(isNew, (_pid, ended) => ship.link.cutUntil(ended));
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`^drydock: the connection to ${HOST} broke`, "m"));
      await tellsTheTruth();
    }));

  it("gives a link up that falls silent", () =>
    subject.fault("link silent: app-1", async () => {
      subject.change();
      const release = new PlainUp(subject.clone);
      assert.ok(await release.begins("create-replacement app-1"), release.output);
      ship.link.silent = true;
      try {
        await breaks(release, 120);
      } finally {
        ship.link.silent = false;
        ship.link.cut();
      }
      await tellsTheTruth();
    }));

  it("ends a backup and a restore whose connection breaks, and they can be made again", async () => {
    for (const [args, when] of [
      [["backup", "run"], / begins/],
      [["backup", "restore", "latest", "--db", "--yes", "--no-backup"], /→ loading/],
    ] as const) {
      const child = subject.clone.start([...args]);
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk: Buffer) => {
          said += String(chunk);
        });
      const ended = once(child, "exit");
      while (!when.test(said) && child.exitCode === null) await sleep(50);
      await ship.link.cutUntil(ended);
      const [code] = (await ended) as [number];
      assert.notEqual(code, 0, said);
      assert.match(said, new RegExp(`^drydock: the connection to ${HOST} broke`, "m"));
      await sleep(2_000);
      await drydock(...args);
    }
    await subject.isComplete();
  });
});
