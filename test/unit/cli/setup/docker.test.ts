import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isOurs, readAnswer } from "../../../../cli/setup/docker.ts";
import {
  LEFTOVERS,
  type Machine,
  removeLeftovers,
  runningProcesses,
  startDaemon,
  weighContainers,
  weighEngine,
} from "../../../../cli/setup/docker-daemon.ts";
import { isDebian } from "../../../../cli/setup/docker-install.ts";
import { run, tail } from "../../../../cli/setup/docker-run.ts";
import { CliError } from "../../../../cli/shared/errors.ts";

describe("setting up Docker", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-docker-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (path: string, content = "", mode = 0o644): string => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  };

  describe("what a killed engine leaves", () => {
    const all = LEFTOVERS.map(({ file }) => file);
    beforeEach(() => {
      for (const file of all) write(file, "4711");
    });

    it("is removed when nothing of it runs", () => {
      assert.deepEqual(removeLeftovers(new Set(["node"]), folder), all);
      assert.deepEqual(readdirSync(join(folder, "run")).sort(), ["containerd", "docker"]);
      assert.deepEqual(removeLeftovers(new Set(["node"]), folder), []);
    });

    it("is left alone while its process runs", () => {
      assert.deepEqual(removeLeftovers(new Set(["dockerd", "containerd"]), folder), []);
    });

    it("is told apart by process: containerd may outlive dockerd", () => {
      assert.deepEqual(removeLeftovers(new Set(["containerd"]), folder), ["/run/docker.pid"]);
    });
  });

  describe("the running processes", () => {
    it("are known by name, brackets and spaces in it included; zombies are not running", () => {
      write("10/stat", "10 (dockerd) S 1 10");
      write("11/stat", "11 (a (b) c) R 1 11");
      write("12/stat", "12 (containerd) Z 1 12");
      write("self/stat", "13 (other) S 1");
      mkdirSync(join(folder, "14"));
      assert.deepEqual([...runningProcesses(folder)].sort(), ["a (b) c", "dockerd"]);
    });
  });

  describe("the weight of all containers", () => {
    const read = (path: string): string => readFileSync(join(folder, "sys/fs/cgroup", path), "utf8");

    it("is that of sixteen processes, in both kinds of groups", () => {
      write("sys/fs/cgroup/cpu/cpu.shares", "1024");
      weighContainers(folder);
      assert.equal(read("cpu/docker/cpu.shares"), "16384");
      write("sys/fs/cgroup/cgroup.controllers", "cpu io memory");
      weighContainers(folder);
      assert.deepEqual([read("docker/cpu.weight"), read("cgroup.subtree_control")], ["1600", "+cpu"]);
    });

    it("stays as it is where it can't be changed", () => {
      weighContainers(folder);
      write("sys/fs/cgroup/cpu/cpu.shares", "1024");
      write("sys/fs/cgroup/cpu/docker", "no folder");
      weighContainers(folder);
      assert.equal(read("cpu/docker"), "no folder");
    });
  });

  it("gives the engine's session nine times the weight of a process, where that can be changed", () => {
    weighEngine(20, folder);
    write("proc/21/autogroup", "/autogroup-7 nice 0");
    weighEngine(21, folder);
    assert.equal(readFileSync(join(folder, "proc/21/autogroup"), "utf8"), "-10");
  });

  describe("starting dockerd", () => {
    const machine = (dockerd: string, running: readonly string[] = []): Machine => ({
      systemd: false,
      root: folder,
      dockerd,
      log: join(folder, "log/dockerd.log"),
      running: () => new Set(running),
    });
    const dockerd = (script: string): string => write("dockerd", `#!/bin/sh\n${script}\n`, 0o755);

    it("clears leftovers, starts it and waits until it answers", async () => {
      write("run/docker.pid", "4711");
      const said: string[] = [];
      let asked = 0;
      write("sys/fs/cgroup/cpu/cpu.shares", "1024");
      await startDaemon({
        log: (line) => said.push(line),
        answers: async () => ++asked === 2,
        machine: machine(dockerd(`cp ${folder}/sys/fs/cgroup/cpu/docker/cpu.shares ${folder}/at-start; exec sleep 1`), [
          "containerd",
        ]),
      });
      for (const end = Date.now() + 5_000; !existsSync(join(folder, "at-start")) && Date.now() < end; )
        await new Promise((wake) => setTimeout(wake, 20));
      assert.equal(readFileSync(join(folder, "at-start"), "utf8"), "16384");
      assert.equal(asked, 2);
      assert.deepEqual(said, [
        "removed /run/docker.pid, left by an engine that was killed",
        `starting dockerd, its log is ${join(folder, "log/dockerd.log")}`,
      ]);
    });

    it("shows what dockerd said this time when it ends", async () => {
      write("log/dockerd.log", "of an earlier start\n");
      await assert.rejects(
        startDaemon({
          log: () => {},
          answers: async () => false,
          machine: machine(dockerd("echo no overlay here >&2; exit 3")),
        }),
        (error: unknown) => {
          assert.ok(error instanceof CliError);
          assert.equal(error.what, "dockerd was started but ended with exit code 3\n    no overlay here");
          assert.equal(error.remedy, `see why: less ${join(folder, "log/dockerd.log")}`);
          return true;
        },
      );
    });

    it("doesn't start a second one beside one that is still silent", async () => {
      const said: string[] = [];
      await assert.rejects(
        startDaemon({
          log: (line) => said.push(line),
          answers: async () => false,
          timeout: 10,
          machine: machine("/nonexistent", ["dockerd"]),
        }),
        { what: "dockerd was started but doesn't answer after 0.01 s\n" },
      );
      assert.deepEqual(said, ["dockerd runs but doesn't answer yet; waiting for it"]);
    });

    it("says so when there is no dockerd to run", async () => {
      await assert.rejects(
        startDaemon({ log: () => {}, answers: async () => false, machine: machine(join(folder, "missing")) }),
        /can't be run: .*ENOENT/,
      );
    });
  });

  it("tells the engine's answers apart", () => {
    assert.equal(readAnswer({ code: 0, output: "20.10.24" }), "answers");
    assert.equal(readAnswer({ code: 127, output: "spawn docker ENOENT" }), "no client");
    assert.equal(
      readAnswer({ code: 1, output: "Got permission denied while trying to connect to the Docker daemon socket" }),
      "not permitted",
    );
    assert.equal(readAnswer({ code: 1, output: "Cannot connect to the Docker daemon" }), "silent");
  });

  it("never installs or starts an engine that isn't this machine's own", () => {
    assert.deepEqual(
      [
        "unix:///var/run/docker.sock",
        "unix:///run/docker.sock",
        "ssh://root@host",
        "tcp://10.0.0.1:2376",
        "unix:///tmp/other.sock",
      ].map(isOurs),
      [true, true, false, false, false],
    );
  });

  it("knows Debian and what is made from it", () => {
    assert.equal(isDebian('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n'), true);
    assert.equal(isDebian('ID=ubuntu\nID_LIKE="debian"\n'), true);
    assert.equal(isDebian('ID="fedora"\nID_LIKE="rhel centos"\n'), false);
    assert.equal(isDebian(""), false);
  });

  describe("running a command", () => {
    it("keeps stdout apart and gives whole lines", async () => {
      const lines: string[] = [];
      const done = await run("sh", ["-c", "printf 'a\\nb'; exec 1>&2; sleep 0.05; printf 'c\\nd'; exit 4"], {
        onLine: (line) => lines.push(line),
      });
      assert.equal(done.code, 4);
      assert.equal(done.stdout, "a\nb");
      assert.deepEqual(lines, ["a", "bc", "d"]);
    });

    it("has the codes of a shell for a command that is missing or takes too long", async () => {
      assert.equal((await run("drydock-no-such-command", [])).code, 127);
      assert.equal((await run("sleep", ["5"], { timeout: 20 })).code, 124);
    });

    it("shows the end of a long output", () => {
      assert.equal(tail("one\n\ntwo\nthree\n\n", 2), "    two\n    three");
    });
  });
});
