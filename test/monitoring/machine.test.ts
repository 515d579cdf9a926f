import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { docker } from "../support/clone.ts";
import { Load } from "../support/load.ts";

/** Seconds that an alert waits here which waits for five minutes to half an hour elsewhere. */
const SOON = "60";
const MIB = 1024 ** 2;

const run = (command: string, ...words: readonly string[]) =>
  execFileSync(command, words, { encoding: "utf8", stdio: "pipe" }).trim();

/** A small disk of its own, an ext4 in a file, that can lie over a folder. */
class SmallDisk {
  readonly #folder = mkdtempSync(join(tmpdir(), "drydock-disk-"));
  readonly #at: string;

  /** @param at a folder, whose owner and mode the disk's own folder gets */
  constructor(at: string, { mebibytes, inodes }: { mebibytes: number; inodes: number }) {
    this.#at = at;
    const { uid, gid, mode } = statSync(at);
    const file = join(this.#folder, "disk");
    run("truncate", "--size", `${mebibytes}M`, file);
    run("mkfs.ext4", "-q", "-m", "0", "-N", String(inodes), "-E", `root_owner=${uid}:${gid}`, file);
    run("mount", "-o", "loop", file, at);
    run("chmod", (mode & 0o7777).toString(8), at);
  }

  /** Writes into it. */
  write(name: string, mebibytes: number): void {
    run("dd", "if=/dev/zero", `of=${join(this.#at, name)}`, "bs=1M", `count=${mebibytes}`, "conv=fsync", "status=none");
  }

  /** Writes until nothing more goes in. */
  fill(): void {
    assert.throws(() => this.write("full", 1_000_000), /No space left/);
  }

  /** Makes so many empty files. */
  files(count: number): void {
    run("sh", "-c", 'cd "$0" && seq "$1" | xargs touch', this.#at, String(count));
  }

  delete(name: string): void {
    rmSync(join(this.#at, name), { force: true });
  }

  /** Takes it away, from whoever still has it open as well. */
  remove(): void {
    try {
      run("umount", "--lazy", this.#at);
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

const mounts = process.getuid?.() === 0;

/** The machine itself: its memory, what waits for its disk, and disks that are full. */
(mounts ? describe : describe.skip)("a stack on a machine that has too little (mounts disks: as root)", function () {
  this.timeout(1_800_000);
  const stack = new MeasuredStack();
  const hog = `drydock-hog-${process.pid}`;
  const disks: SmallDisk[] = [];
  before(() =>
    stack.up({
      "monitoring.for.HostMemory": SOON,
      "monitoring.for.HostPressure": SOON,
      "monitoring.for.DiskFillsUp": SOON,
      "monitoring.for.DiskFull": SOON,
      "monitoring.for.InodesFull": SOON,
      "monitoring.alerts.diskPressure": "20",
      // The machine's own is not what is tried.
      "monitoring.alerts.diskFree": "5",
    }),
  );
  after(async () => {
    docker("rm", "--force", hog);
    for (const disk of disks) disk.remove();
    await stack.remove();
  });
  const value = async (expression: string) => {
    for (const limit = Date.now() + 120_000; ; await sleep(1_000)) {
      try {
        return stack.query(expression)[0]!.value;
      } catch (error) {
        // It has just been started, or has not asked yet.
        if (Date.now() > limit) throw error;
      }
    }
  };
  /** Starts what takes from the machine. */
  const start = (...words: readonly string[]) => {
    const own = ["--label", "drydock.test=hog", "--user", "0", "--network", "none", "--entrypoint"];
    docker("run", "--detach", "--name", hog, ...own, words[0]!, stack.of("collector").image, ...words.slice(1));
  };
  const end = () => docker("rm", "--force", hog);
  const once = (name: string, since: number) => assert.deepEqual(stack.kinds(name, since), ["alarm", "over"], name);
  /** Puts a disk over a volume of a container, which has it from its next start on. */
  const over = (container: string, target: string, size: { mebibytes: number; inodes: number }) => {
    const format = `{{range .Mounts}}{{if eq .Destination "${target}"}}{{.Source}}{{end}}{{end}}`;
    docker("stop", container);
    const disk = new SmallDisk(docker("inspect", "--format", format, container).trim(), size);
    disks.push(disk);
    docker("start", container);
    return disk;
  };

  it("reads no program again and again where the machine has just been started", async () => {
    const services = stack.status.services.map(({ container }) => container);
    const ids = docker("inspect", "--format", "{{.Id}}", ...services).split("\n");
    /** Bytes that each container's processes have read from the disk. */
    const read = () =>
      ids.map((id) => {
        let sum = 0;
        for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
          try {
            if (readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(id))
              sum += Number(/^read_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))![1]);
          } catch {
            // It has ended meanwhile.
          }
        }
        return sum;
      });
    // A container is charged with what it is the first to read: the kernel forgets what anybody has read before.
    for (let time = 0; time < 3; time++) {
      run("sync");
      writeFileSync("/proc/sys/vm/drop_caches", "3");
      await sleep(10_000);
    }
    const before = read();
    await sleep(15_000);
    const after = read();
    for (const [index, name] of services.entries()) {
      const mebibytes = Math.round((after[index]! - before[index]!) / MIB);
      assert.ok(mebibytes < 32, `${name} has read ${mebibytes} MiB in 15 s`);
    }
  });

  it("tells of memory that goes to an end", async () => {
    const since = stack.notices().length;
    const available = await value("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes * 100");
    await stack.set("monitoring.alerts.memoryFree", String(Math.min(90, Math.floor(available) - 6)));
    await stack.again();
    const take = Math.ceil((await value("node_memory_MemTotal_bytes")) / MIB / 8);
    start(
      "node",
      "-e",
      `const all = []; for (let n = 0; n < ${take}; n++) all.push(Buffer.alloc(${MIB}, 1));
      setInterval(() => all.length, 1000)`,
    );
    await stack.tells(["HostMemory"], "alarm", { since });
    end();
    await stack.tells(["HostMemory"], "over", { since });
    once("HostMemory", since);
  });

  it("tells that everything waits for the disk", async () => {
    const since = stack.notices().length;
    start("sh", "-c", "while :; do dd if=/dev/zero of=/hog bs=4k count=5000 oflag=dsync status=none; done");
    await stack.tells(["HostPressure"], "alarm", { since });
    end();
    await stack.tells(["HostPressure"], "over", { since });
    once("HostPressure", since);
  });

  it("tells of a disk that fills up, is full, and has no inodes left", async () => {
    // The machine's own disk may fill up as well: DiskFillsUp may have been told of before.
    const raised = () => stack.query('ALERTS{alertname="DiskFillsUp",alertstate="firing",device=~"/dev/loop.*"}');
    const since = stack.notices().length;
    const disk = over(stack.of("exporter", "monitoring-host").container, "/host", { mebibytes: 200, inodes: 1_000 });
    const fault = Date.now();
    disk.files(970);
    // Below four tenths at once, and on.
    disk.write("large", 120);
    for (let step = 0; raised().length === 0; step++) {
      assert.ok(step < 30, "DiskFillsUp is not raised");
      disk.write(`more-${step}`, 1);
      await sleep(10_000);
    }
    await stack.tells(["DiskFillsUp"], "alarm", { since: 0, fault });
    await stack.tells(["InodesFull"], "alarm", { since, fault });
    const full = Date.now();
    disk.fill();
    await stack.tells(["DiskFull"], "alarm", { since, fault: full });
    assert.equal((await fetch(`${stack.status.url}/release`)).status, 200);
    disk.delete("full");
    disk.delete("large");
    await stack.tells(["DiskFull"], "over", { since });
    once("DiskFull", since);
    // The machine's own again.
    const { container } = stack.of("exporter", "monitoring-host");
    docker("stop", container);
    disks.pop()!.remove();
    docker("start", container);
    await stack.tells(["InodesFull"], "over", { since });
    once("InodesFull", since);
  });

  it("tells that Prometheus can't store anything, with the heartbeat's end, and goes on when it can", async () => {
    const container = stack.of("prometheus").container;
    const disk = over(container, "/data", { mebibytes: 64, inodes: 1_000 });
    await value('up{job="prometheus"}');
    await sleep(60_000);
    const since = stack.notices().length;
    const load = new Load(stack.status.url, { clients: 1, slowSeconds: 1 });
    disk.fill();
    await stack.tells(["StoreCannotWrite"], "alarm", { since });
    const { failed, total, reasons } = await load.stop();
    assert.ok(total > 100 && failed === 0, `${failed} of ${total}: ${JSON.stringify(reasons)}`);
    assert.deepEqual(stack.query("group(up)"), [], "there is nothing that others could be raised by");
    const beats = stack.heartbeats();
    await sleep(330_000);
    assert.equal(stack.heartbeats(), beats, "the heartbeat goes on");
    disk.delete("full");
    await stack.tells(["StoreCannotWrite"], "over", { since });
    once("StoreCannotWrite", since);
    assert.deepEqual(
      stack
        .notices()
        .slice(since)
        .filter(({ kind, name }) => kind === "alarm" && name !== "StoreCannotWrite" && name !== "DiskFillsUp"),
      [],
    );
  });
});
