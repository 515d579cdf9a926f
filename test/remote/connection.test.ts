import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, existsSync } from "node:fs";
import { after, before, beforeEach, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images-tags.ts";
import { hear, type Said } from "../../cli/shared/child.ts";
import { refusal, withCommands } from "../../cli/shared/connection.ts";
import type { CliError } from "../../cli/shared/errors.ts";
import { canHaveMachine, HOST, Machine, SHIP } from "../support/remote/rig.ts";

(canHaveMachine ? describe : describe.skip)("the connection to a Docker host over ssh", () => {
  let ship: Machine;
  let image: string;

  const environment = (more: Record<string, string> = {}): NodeJS.ProcessEnv => {
    const env: NodeJS.ProcessEnv = { ...process.env, ...ship.env(), DOCKER_HOST: HOST, ...more };
    return { ...env, PATH: withCommands(env.PATH) };
  };
  const run = (command: readonly string[], env: Record<string, string> = {}, input?: string): Promise<Said> => {
    const [file = "", ...args] = command;
    const stdin = input === undefined ? "ignore" : "pipe";
    return hear(spawn(file, args, { env: environment(env), stdio: [stdin, "pipe", "pipe"] }), { input });
  };
  const docker = (...args: string[]): Promise<Said> => run(["docker", ...args]);
  /** One that has started anew. */
  const closed = async (host = HOST): Promise<void> => {
    execFileSync("drydock-connection", ["close", host, "0"], { env: environment() });
    ship.link.connections = 0;
  };
  /** What is said where it can't be opened. */
  const refused = async (host: string, env: Record<string, string> = {}): Promise<CliError> => {
    const { code, stderr } = await run(["drydock-connection", "open", host, String(process.pid), "yes"], env);
    assert.equal(code, 69, stderr);
    return refusal(stderr);
  };

  before(async function () {
    this.timeout(90_000);
    ship = await new Machine().start();
    image = imageTags().redis;
    ship.load([image]);
    ship.docker("run", "--detach", "--name", "box", "--entrypoint", "sleep", image, "3600");
  });
  after(() => ship.remove());
  beforeEach(() => closed());

  it("is one for many calls at once, more than sshd's default limits allow of logins and of sessions", async () => {
    const through = [["exec"], ["--host", HOST, "exec"]];
    const call = (n: number) => docker(...through[n % 2]!, "box", "sh", "-c", `sleep 1; echo ${n}`);
    const said = await Promise.all(Array.from({ length: 40 }, (_, n) => call(n)));
    assert.deepEqual(
      said,
      said.map((_, n) => ({ code: 0, stdout: `${n}\n`, stderr: "" })),
    );
    assert.equal(ship.link.connections, 1);
  });

  it("carries every word, the exit code, and what goes in and comes out, as they are", async () => {
    const words = ["it's", 'a "b" $HOME `x` \\ *', "two\nlines\n", "", "-i", "ü"];
    const { code, stdout } = await docker("exec", "box", "sh", "-c", 'printf "[%s]" "$@"; exit 7', "x", ...words);
    assert.deepEqual([code, stdout], [7, words.map((word) => `[${word}]`).join("")]);
    const much = randomBytes(3 << 20).toString("base64");
    assert.equal((await run(["docker", "exec", "-i", "box", "cat"], {}, much)).stdout, much);
    assert.equal((await docker("exec", "box", "sh", "-c", "echo to stderr >&2")).stderr, "to stderr\n");
  });

  it("leaves standard input to whoever called, where the call reads none", async () => {
    const calls = "docker exec box grep -i x /dev/null; docker exec --env A=-i box true; docker inspect -f . box; cat";
    const { stdout } = await run(["sh", "-c", calls], {}, "still here");
    assert.equal(stdout, ".\nstill here");
  });

  it("reads files, variables and terminals of this machine here", async () => {
    const call = ["docker", "exec", "--env", "OWN", "box", "sh", "-c", "echo $OWN"];
    const { stdout, stderr } = await run(call, { OWN: "of here" });
    assert.equal(stdout, "of here\n", stderr);
    assert.equal((await docker("cp", import.meta.filename, "box:/tmp/copied.ts")).code, 0);
    assert.match(ship.docker("exec", "box", "head", "-1", "/tmp/copied.ts"), /^import/);
  });

  it("takes nothing of the user's configuration along that is meant for a terminal or a tunnel", async () => {
    const more = [
      "RemoteCommand tmux attach",
      "RequestTTY yes",
      `LocalForward ${ship.dir}/tunnel.sock /nowhere`,
      "LogLevel QUIET",
      "ControlMaster auto",
      `ControlPath ${ship.dir}/control`,
      "ClearAllForwardings yes",
    ];
    const env = ship.sshConfig("much", { more });
    for (const call of ["ps --quiet", "exec box echo through", "logs box"]) {
      const { code, stderr } = await run(["docker", ...call.split(" ")], env);
      assert.equal(code, 0, `${call}: ${stderr}`);
    }
    assert.deepEqual([existsSync(`${ship.dir}/tunnel.sock`), existsSync(`${ship.dir}/control`)], [false, false]);
    assert.equal(ship.link.connections, 1);
  });

  it("is opened again where it broke", async () => {
    assert.equal((await docker("ps")).code, 0);
    ship.link.cut();
    await new Promise((wake) => setTimeout(wake, 300));
    const { code, stderr } = await docker("exec", "box", "true");
    assert.equal(code, 0, stderr);
    assert.equal(ship.link.connections, 2);
  });

  it("is closed by the last that used it", async () => {
    const [one, other] = [spawn("sleep", ["60"]), spawn("sleep", ["60"])];
    try {
      for (const { pid } of [one, other]) await run(["drydock-connection", "open", HOST, String(pid), "yes"]);
      await run(["drydock-connection", "close", HOST, String(one.pid)]);
      assert.equal((await docker("ps")).code, 0);
      assert.equal(ship.link.connections, 1);
      await run(["drydock-connection", "close", HOST, String(other.pid)]);
      assert.equal((await docker("ps")).code, 0);
      assert.equal(ship.link.connections, 2);
    } finally {
      one.kill();
      other.kill();
    }
  });

  it("takes a key from an agent", async () => {
    const said = execFileSync("ssh-agent", ["-s"], { encoding: "utf8" });
    const [, SSH_AUTH_SOCK = "", pid = ""] = /SSH_AUTH_SOCK=([^;]+)[^]*SSH_AGENT_PID=(\d+)/.exec(said) ?? [];
    try {
      const config = ship.sshConfig("agent", { key: null });
      assert.match((await refused(HOST, { ...config, SSH_AUTH_SOCK })).what, /refuses every key/);
      execFileSync("ssh-add", ["-q", `${ship.dir}/client/key`], { env: { ...process.env, SSH_AUTH_SOCK } });
      const { code, stderr } = await run(["docker", "ps"], { ...config, SSH_AUTH_SOCK });
      assert.equal(code, 0, stderr);
    } finally {
      process.kill(Number(pid));
    }
  });

  describe("that does not come about, says why and what to do:", () => {
    it("a host that is not known", async () => {
      const { what, remedy } = await refused(HOST, ship.sshConfig("unknown", { knownHosts: "known_hosts.empty" }));
      assert.match(what, new RegExp(`^the host key of deploy@${SHIP} is not known here`));
      assert.match(remedy ?? "", new RegExp(`compare the fingerprint that it shows: ssh deploy@${SHIP} true`));
    });
    it("a host with another key than before", async () => {
      const { what, remedy } = await refused(HOST, ship.sshConfig("changed", { knownHosts: "known_hosts.changed" }));
      assert.match(what, new RegExp(`^the host key of deploy@${SHIP} is another one than before`));
      assert.match(remedy ?? "", new RegExp(`ssh-keygen -R '${SHIP}'`));
    });
    it("a key that is refused", async () => {
      const { what, remedy } = await refused(HOST, ship.sshConfig("stranger", { key: "stranger" }));
      assert.equal(what, `deploy@${SHIP} refuses every key that ssh offers for deploy`);
      assert.match(remedy ?? "", new RegExp(`ssh-copy-id deploy@${SHIP}`));
    });
    it("a key that others can read", async () => {
      const open = `${ship.dir}/client/open`;
      copyFileSync(`${ship.dir}/client/key`, open);
      chmodSync(open, 0o644);
      const { what, remedy } = await refused(HOST, ship.sshConfig("loose", { key: "open" }));
      assert.equal(what, `ssh does not use the key ${open}, because others can read it`);
      assert.equal(remedy, `chmod 600 ${open}`);
    });
    it("a host that can't be reached", async () => {
      const { what } = await refused(HOST, ship.sshConfig("away", { port: 1 }));
      assert.match(what, new RegExp(`^deploy@${SHIP} can't be reached: .*Connection refused`));
    });
    it("a name that nobody knows", async () => {
      const { what } = await refused("ssh://deploy@nowhere.invalid:2222");
      assert.equal(what, "there is no host nowhere.invalid: its name can't be resolved");
    });
    it("a user who is not in the group", async () => {
      const { what, remedy } = await refused(`ssh://guest@${SHIP}`);
      assert.equal(what, `the user guest of ${SHIP} may not use Docker: he is not in the group of its socket`);
      assert.match(remedy ?? "", /usermod -aG docker guest/);
    });
    it("a socket that is not there", async () => {
      const { what } = await refused(`${HOST}/run/user/4001/docker.sock`);
      assert.equal(
        what,
        `Docker is installed on ${SHIP}, but its engine does not answer at /run/user/4001/docker.sock`,
      );
    });
    it("a host whose sshd forwards no sockets", async () => {
      const file = `${ship.dir}/client/key.pub`;
      const keys = `/home/deploy/.ssh/authorized_keys`;
      ship.inside("sh", "-c", `echo "restrict $(cat ${file})" > ${keys}`);
      try {
        const { what, remedy } = await refused(HOST);
        assert.equal(what, `the sshd of ${SHIP} forwards no sockets, and Docker's has to be`);
        assert.match(remedy ?? "", /AllowStreamLocalForwarding yes/);
      } finally {
        ship.inside("sh", "-c", `cat ${file} > ${keys}`);
      }
    });
    it("a host without Docker", async function () {
      this.timeout(60_000);
      const bare = await new Machine({ dockerd: null }).start();
      try {
        const { what, remedy } = await refused(HOST, bare.env());
        assert.equal(what, `Docker is not installed on ${SHIP}: there is no /var/run/docker.sock`);
        assert.equal(remedy, `./drydock host prepare ${HOST}`);
      } finally {
        await bare.remove();
      }
    });
  });
});
