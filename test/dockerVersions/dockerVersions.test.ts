import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { readAptAccess } from "../../cli/setup/images-apt.ts";
import { imageTags, OF_A_STACK } from "../../cli/setup/images-tags.ts";
import { ROOT } from "../../cli/shared/project.ts";
import { Subject } from "../support/faults/subject.ts";
import { leadTo } from "../support/leadTo.ts";
import { canHaveMachine, Machine } from "../support/remote/rig.ts";

const NEWEST = /^(2[89]|[3-9]\d)\./;
const CONTAINERD = { features: { "containerd-snapshotter": true } };
/** Engines of other releases of Debian, each on a system of its own beside this machine's. */
const ENGINES = [
  { name: "Debian 13's", release: "trixie", version: /^26\./, daemon: {} },
  { name: "Debian 13's with containerd's images", release: "trixie", version: /^26\./, daemon: CONTAINERD },
  { name: "Debian testing's", release: "forky", version: NEWEST, daemon: {} },
  { name: "Debian testing's with containerd's images", release: "forky", version: NEWEST, daemon: CONTAINERD },
] as const;
/** What a Docker host needs, and the sshd that the machine's first process is. */
const PACKAGES = "ca-certificates,docker.io,docker-cli,iproute2,iptables,openssh-server,procps,sudo";

const canMake = existsSync("/usr/sbin/debootstrap");

/** The smallest system of that release with its Docker: made once, it takes minutes. */
async function system(release: string): Promise<string> {
  const folder = join(ROOT, ".drydock", "cache", `engine-${release}`);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const { mirror, buildArgs } = await readAptAccess();
  const args = ["--variant=minbase", `--include=${PACKAGES}`, release, draft, mirror];
  execFileSync("debootstrap", [...args, "/usr/share/debootstrap/scripts/sid"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...buildArgs },
  });
  renameSync(draft, folder);
  return folder;
}

for (const { name, release, version, daemon } of ENGINES) {
  (canHaveMachine && canMake ? describe : describe.skip)(`a stack on the engine ${name}`, function () {
    this.timeout(1_200_000);
    const own = process.env.DOCKER_HOST;
    let root: string;
    let host: Machine;
    let subject: Subject;
    let way: Server;

    const drydock = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await subject.clone.drydock(args);
      assert.equal(code, 0, stdout + stderr);
      return stdout;
    };

    before(async () => {
      root = await system(release);
      mkdirSync(join(root, "etc/docker"), { recursive: true });
      writeFileSync(join(root, "etc/docker/daemon.json"), JSON.stringify(daemon));
      host = await new Machine({ root }).start();
      const said = host.docker("version", "--format", "{{.Server.Version}} (API {{.Server.APIVersion}})");
      console.log(`      Docker ${said}, ${host.docker("info", "--format", "{{.Driver}}, cgroup {{.CgroupVersion}}")}`);
      assert.match(said, version);
      host.load(OF_A_STACK.map((name) => imageTags()[name]));
      process.env.DOCKER_HOST = host.socket;
      subject = new Subject();
      assert.equal((await subject.clone.drydock(["preview"])).code, 0);
      await subject.set("proxy.interface", "0.0.0.0");
    });
    after(async () => {
      await subject?.remove();
      way?.close();
      await host?.remove();
      if (own === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = own;
      // What the engine has kept; the system stays for the next time.
      for (const kept of ["docker", "containerd"])
        if (root !== undefined) rmSync(join(root, "var/lib", kept), { recursive: true, force: true });
    });

    it("comes up, and is as it was said: nothing is changed after it, nothing drifts", async () => {
      await subject.up();
      assert.match(await drydock("up"), /Nothing to change/);
      assert.match(await drydock("up", "--refresh"), /Nothing to change/);
      await drydock("drift");
      await drydock("doctor");
    });

    it("is released without a failed request", async () => {
      const socket = join(host.dir, "site.sock");
      way = leadTo(socket, host.address, Number(new URL(subject.status.url).port));
      subject.reachedBy(socket);
      subject.change();
      const load = subject.load();
      try {
        await subject.up();
      } finally {
        await load.stop();
      }
      assert.deepEqual(load.count.reasons, {});
      assert.ok(load.count.total > 50);
      await subject.isComplete();
    });

    it("is backed up, and destroyed without a rest", async () => {
      await drydock("backup", "run");
      await drydock("destroy", "--yes", "--volumes");
      assert.equal(host.docker("ps", "--all", "--quiet"), "");
      assert.equal(host.docker("volume", "ls", "--quiet"), "");
    });
  });
}
