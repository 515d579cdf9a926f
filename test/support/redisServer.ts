import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";
import { redisConfiguration } from "../../servers/redis.ts";
import { docker } from "./clone.ts";

/**
 * A server with what components/redis.ts gives it, and the step that tells it passwords.
 * @param title of the suite @param imageOf makes the image, or answers its name @param client the program in it
 */
export function redisServer(title: string, imageOf: () => Promise<string> | string, client = "redis-cli"): void {
  describe(title, function () {
    this.timeout(120_000);
    let image: string;
    const id = `drydock-redis-test-${randomBytes(4).toString("hex")}`;
    const redis = `${id}-redis`;
    let scratch: string;
    const password = () => randomBytes(24).toString("hex");
    const [first, second] = [password(), password()];

    const say = (...args: string[]) =>
      spawnSync("docker", ["exec", redis, ...args], { encoding: "utf8" }).stdout.trim();
    const own = (...words: string[]) => say("sh", "/run/drydock/redis-cli.sh", ...words);
    const takes = (secret: string) =>
      spawnSync("docker", ["exec", "--env", "REDISCLI_AUTH", redis, client, "ping"], {
        encoding: "utf8",
        env: { ...process.env, REDISCLI_AUTH: secret },
      }).stdout.trim() === "PONG";
    const tell = (secret: string, env: Record<string, string> = {}) => {
      const hash = createHash("sha256").update(secret).digest("hex");
      const { status, stdout, stderr } = spawnSync("sh", ["commands/redis-password.sh"], {
        encoding: "utf8",
        env: { ...process.env, REDIS: redis, ...env },
        input: `#${hash}\n{"names":{}}\n`,
      });
      assert.ok(!`${stdout}${stderr}`.includes(hash), "it shows the hash");
      return { status, stderr };
    };
    const only = { NETWORK: id, APP_PATH: "/app" };
    const begin = async () => {
      docker("start", redis);
      for (const end = Date.now() + 20_000; own("ping") !== "PONG"; await sleep(100))
        assert.ok(Date.now() < end, docker("logs", redis));
    };
    /** A container of Laravel that says this of its password. */
    const laravel = (role: string, said: string) => {
      const name = `${id}-${role}`;
      writeFileSync(join(scratch, "php"), `#!/bin/sh\ncat > /dev/null\necho '${said}'\n`, { mode: 0o755 });
      docker(
        "create",
        "--name",
        name,
        "--network",
        id,
        "--label",
        `drydock.role=${role}`,
        "--init",
        "--entrypoint",
        "sleep",
        image,
        "600",
      );
      docker("cp", join(scratch, "php"), `${name}:/usr/local/bin/php`);
      docker("start", name);
      return () => docker("inspect", "--format", "{{.State.Running}}", name);
    };

    before(async () => {
      scratch = mkdtempSync(join(tmpdir(), `${id}-`));
      image = await imageOf();
      docker("network", "create", "--internal", id);
      const folder = join(scratch, "drydock");
      mkdirSync(folder);
      for (const name of ["redis-rights.sh", "redis-start.sh", "redis-cli.sh"])
        cpSync(`commands/inside/${name}`, join(folder, name));
      writeFileSync(
        join(folder, "redis.conf"),
        redisConfiguration(
          { maxmemory: 64, cache: { enabled: true, memory: 96, maxmemory: 64, cpus: 0.25 }, options: {} },
          "store",
        ),
      );
      for (const name of ["redis-rights.sh", "redis-start.sh", "redis-cli.sh", "redis.conf"])
        chmodSync(join(folder, name), 0o444);
      docker(
        "create",
        "--name",
        redis,
        "--network",
        id,
        "--user",
        "999:999",
        "--cap-drop",
        "ALL",
        "--mount",
        `type=volume,source=${id},target=/data`,
        "--entrypoint",
        "/bin/sh",
        image,
        "/run/drydock/redis-start.sh",
        "/run/drydock/redis.conf",
      );
      docker("cp", folder, `${redis}:/run/`);
      await begin();
    });
    after(() => {
      docker(
        "rm",
        "--force",
        "--volumes",
        ...docker("ps", "--all", "--quiet", "--filter", `name=^/${id}-`).split("\n"),
      );
      docker("network", "rm", id);
      docker("volume", "rm", id);
      rmSync(scratch, { recursive: true });
    });

    describe("is tried before it takes the place of another", () => {
      const check = (options: Readonly<Record<string, string>> = {}, volume = id, of = image) => {
        const { status, stdout, stderr } = spawnSync("sh", ["commands/redis-check.sh"], {
          encoding: "utf8",
          env: {
            ...process.env,
            ...{ IMAGE: of, RUN_AS: "999:999", VOLUME: volume, SERVICE: "redis", LABELS: "--label drydock.test=redis" },
          },
          input: redisConfiguration(
            { maxmemory: 64, cache: { enabled: true, memory: 96, maxmemory: 64, cpus: 0.25 }, options },
            "store",
          ),
        });
        return { status, said: stdout + stderr };
      };
      /** A volume with the beginning of a file of data. */
      const withData = (file: string, head: string, look: (volume: string) => void) => {
        const volume = `${id}-data`;
        const shell = ["--entrypoint", "sh", image, "-c", 'mkdir -p "$(dirname "$0")" && printf "$1" > "$0"'];
        docker("run", "--rm", "--user", "0:0", "--volume", `${volume}:/old`, ...shell, `/old/${file}`, head);
        try {
          look(volume);
        } finally {
          docker("volume", "rm", volume);
        }
      };

      it("with its configuration and with what it has written itself", () => {
        assert.deepEqual(check(), { status: 0, said: "" });
      });

      it("and an option that it does not take keeps the old one", () => {
        const { status, said } = check({ "maxmemory-samples": "bananas" });
        assert.equal(status, 1, said);
        assert.match(said, /does not start with this configuration \(drydock:redis\.options[^]*nothing was changed/);
        assert.match(said, /maxmemory-samples bananas|maxmemory-samples "bananas"/);
      });

      it("and data of a later version keeps the old one", () => {
        for (const [file, head] of [
          ["dump.rdb", "REDIS0099\\372"],
          ["appendonly.aof", "REDIS0099\\372"],
          ["appendonlydir/appendonly.aof.1.base.rdb", "VALKEY099\\372"],
        ] as const)
          withData(file, head, (volume) => {
            const { status, said } = check({}, volume);
            assert.equal(status, 1, said);
            assert.match(said, new RegExp(`later version than .*${file} is ${head.slice(0, 9)}`));
            assert.match(said, /nothing was changed/);
          });
      });

      it("and data of an earlier version, or another file, does not", () => {
        for (const [file, head] of [
          ["dump.rdb", "REDIS0009\\372"],
          ["appendonly.aof", "*2\\r\\n$6\\r\\nSELECT"],
        ] as const)
          withData(file, head, (volume) => assert.deepEqual(check({}, volume), { status: 0, said: "" }, file));
      });

      it("and an image without such a server keeps the old one", () => {
        const { status, said } = check({}, id, imageTags().base);
        assert.equal(status, 1, said);
        assert.match(said, /neither redis-server nor valkey-server/);
      });
    });

    it("lets nobody in before it is told, and is healthy", () => {
      assert.match(say(client, "ping"), /NOAUTH/);
      assert.ok(!takes(first) && !takes(""));
    });

    it("is taken beside the one before, until the release is proven", () => {
      assert.equal(tell(first).status, 0);
      assert.equal(tell(second).status, 0);
      assert.deepEqual([takes(first), takes(second), takes(password())], [true, true, false]);
    });

    it("is known to a server that starts by itself, which keeps hashes only, for itself", async () => {
      docker("kill", redis);
      await begin();
      assert.deepEqual([takes(first), takes(second)], [true, true]);
      assert.equal(
        say("stat", "-c", "%a", "/data/users.acl", "/dev/shm/drydock", "/dev/shm/users.acl"),
        "600\n600\n600",
      );
      const kept = say("cat", "/data/users.acl");
      assert.ok(!kept.includes(first) && !kept.includes(second) && !kept.includes("drydock"), kept);
    });

    it("is the only one afterwards, once those have gone that have the one before", async () => {
      const old = laravel(
        "horizon",
        '{"checked":1,"missing":[],"differs":["REDIS_PASSWORD"],"staleConfigCache":false}',
      );
      const current = laravel("app", '{"checked":1,"missing":[],"differs":[],"staleConfigCache":true}');
      assert.deepEqual(tell(second, only), { status: 0, stderr: "" });
      assert.deepEqual([old(), current()], ["false", "true"]);
      assert.deepEqual([takes(first), takes(second)], [false, true]);
      docker("start", `${id}-horizon`);
      assert.equal(tell(second, only).status, 0);
      assert.equal(old(), "true", "nobody is stopped where there is no other password");
      docker("restart", redis);
      await begin();
      assert.deepEqual([takes(first), takes(second)], [false, true]);
    });

    const asLaravel = (...words: string[]) =>
      spawnSync("docker", ["exec", "--env", "REDISCLI_AUTH", redis, client, ...words], {
        encoding: "utf8",
        env: { ...process.env, REDISCLI_AUTH: second },
      }).stdout.trim();

    it("gives no right over accounts and server, and all that Laravel and Horizon use", () => {
      const refused = [
        ["acl", "setuser", "other", "on", ">x", "+@all"],
        ["acl", "setuser", "drydock", "resetpass"],
        ["config", "set", "maxmemory", "1"],
        ["shutdown"],
        ["monitor"],
        ["replicaof", "192.0.2.1", "6379"],
        ["flushall"],
        ["module", "list"],
        ["client", "list"],
        ["client", "kill", "type", "normal"],
      ];
      for (const words of refused) assert.match(asLaravel(...words), /^NOPERM/, words.join(" "));
      for (const words of [
        ["set", "k", "v"],
        ["info", "memory"],
        ["keys", "*"],
        ["flushdb"],
        ["ping"],
        ["client", "setname", "x"],
      ]) {
        assert.doesNotMatch(asLaravel(...words), /NOPERM|ERR/, words.join(" "));
      }
      assert.equal(asLaravel("eval", "return redis.call('lpush', KEYS[1], 'job')", "1", "queues:default"), "1");
      assert.equal(asLaravel("blpop", "queues:default", "1"), "queues:default\njob");
    });

    it(
      "leaves no account that somebody has made, and gives a server that was set up with more rights no more than " +
        "these",
      () => {
        own("acl", "setuser", "evil", "on", ">x", "~*", "+@all");
        own("acl", "setuser", "default", "+@all");
        const { status, stderr } = tell(second);
        assert.equal(status, 0);
        assert.match(stderr, /not of the stack is gone: evil/);
        assert.deepEqual(own("acl", "users").split("\n").sort(), ["default", "drydock"]);
        assert.match(asLaravel("config", "get", "dir"), /^NOPERM/);
      },
    );

    it("gives no more than these either where the volume says so", async () => {
      docker("exec", redis, "sh", "-c", "sed -i 's/$/ +@all/' /data/users.acl");
      docker("restart", redis);
      await begin();
      assert.match(asLaravel("acl", "setuser", "other", "on", ">x", "+@all"), /^NOPERM/);
    });

    it("stays what it was where Redis can't be told", () => {
      docker("stop", redis);
      const { status, stderr } = tell(first, only);
      assert.equal(status, 1);
      assert.match(stderr, /redis-password: .* does not say which passwords it takes\. Until it is run again/);
    });
  });
}
