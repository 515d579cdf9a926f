import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "mocha";
import { createTar } from "nanotar";
import { answered } from "../../lib/answer.ts";

// What an application prints while it is loaded, on PHP's own output: a BOM, a deprecation, an echo without a line's
// end, half an answer.
const NOISE = `\ufeff<?php
error_reporting(E_ALL);
ini_set('display_errors', '1');
trigger_error('this is old', E_USER_DEPRECATED);
echo "\\n", '{"proven":true}', "\\n", 'no end of a line';
register_shutdown_function(static fn () => print('printed last {'));
`;

/** A container of the php image with the example's code in it, whose autoloader is noisy. */
describe("an answer of PHP in a container", function () {
  this.timeout(60_000);
  const app = "/var/www/html";
  let container: string;
  const docker = (args: readonly string[], input?: string | Uint8Array) =>
    spawnSync("docker", args, { encoding: "utf8", ...(input === undefined ? {} : { input }) });
  const key = `base64:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;

  before(() => {
    const images = execFileSync("docker", ["images", "--format", "{{.Repository}}:{{.Tag}}", "drydock/app"], {
      encoding: "utf8",
    });
    const [image] = images.split("\n");
    assert.ok(image, "no image drydock/app: `./drydock up` builds it");
    container = execFileSync(
      "docker",
      [
        "create",
        "--label",
        "drydock.test=answers",
        "--network",
        "none",
        "--init",
        "--user",
        "1000:1000",
        "--tmpfs",
        `${app}/bootstrap/cache:uid=1000`,
        "--tmpfs",
        `${app}/storage/framework:uid=1000`,
        "--env",
        `DRYDOCK_PATH=${app}`,
        "--env",
        "DB_CONNECTION=mariadb",
        "--entrypoint",
        "/bin/sh",
        image,
        "-c",
        `cat ${app}/vendor/autoload.php > /tmp/real.php; exec sleep 300`,
      ],
      { encoding: "utf8" },
    ).trim();
    const scripts = ["answer.php", "readback.php", "record.php"].map((name) => ({
      name: `drydock/${name}`,
      data: readFileSync(`runtime/${name}`, "utf8"),
      attrs: { mode: "555" },
    }));
    const env = { name: `${app.slice(1)}/.env`, data: `APP_KEY="${key}"\nOWN="a b"\n`, attrs: { mode: "444" } };
    const real = docker(["cp", `${container}:${app}/vendor/autoload.php`, "-"]);
    assert.equal(real.status, 0, real.stderr);
    docker(["cp", "-", `${container}:/`], createTar([...scripts, env]));
    docker(["start", container]);
    const noise = `cp -p ${app}/vendor/autoload.php ${app}/vendor/quiet.php && cat > ${app}/vendor/autoload.php`;
    const put = docker(
      ["exec", "--interactive", "--user", "0", container, "sh", "-c", noise],
      `${NOISE}return require __DIR__ . '/quiet.php';\n`,
    );
    assert.equal(put.status, 0, put.stderr);
  });
  after(() => {
    docker(["rm", "--force", "--volumes", container]);
  });

  const plan = (values: Record<string, string>) =>
    JSON.stringify({
      names: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, createHmac("sha256", key).update(value).digest("hex")]),
      ),
    });
  const readback = (values: Record<string, string>, env: readonly string[] = []) =>
    docker(
      [
        "exec",
        "--interactive",
        ...env.flatMap((one) => ["--env", one]),
        container,
        "php",
        "/drydock/readback.php",
        app,
      ],
      plan(values),
    );

  it("is told from all that the application prints: the environment", () => {
    const good = readback({ APP_KEY: key, OWN: "a b", DB_CONNECTION: "mariadb" });
    for (const noise of ["Deprecated: this is old", "no end of a line", "printed last {"])
      assert.ok(good.stdout.includes(noise), noise);
    assert.deepEqual(JSON.parse(answered(good.stdout) ?? ""), {
      proven: true,
      checked: 3,
      missing: [],
      differs: [],
      staleConfigCache: false,
      file: `${app}/.env`,
    });
    const bad = readback({ APP_KEY: key, OWN: "b", ABSENT: "" });
    assert.equal(bad.status, 1);
    const { proven, missing, differs } = JSON.parse(answered(bad.stdout) ?? "") as Record<string, unknown>;
    assert.deepEqual({ proven, missing, differs }, { proven: false, missing: ["ABSENT"], differs: ["OWN"] });
  });

  it("calls a configuration cache old that is, and none that was made within the second of its file", () => {
    const stale = (seconds: number): unknown => {
      const before = `$(($(stat -c %Y ${app}/.env) - ${seconds}))`;
      const cache = `mkdir -p /tmp/cache && touch -d "@${before}" /tmp/cache/config.php`;
      assert.equal(docker(["exec", container, "sh", "-c", cache]).status, 0);
      const { stdout } = readback({ OWN: "a b" }, ["APP_CONFIG_CACHE=/tmp/cache/config.php"]);
      return (JSON.parse(answered(stdout) ?? "") as Record<string, unknown>).staleConfigCache;
    };
    // Pulumi's plugin rounds the time of what it uploads, to the next second, too.
    assert.deepEqual([-5, 0, 1, 2, 60].map(stale), [false, false, false, true, true]);
  });

  it("speaks of the file that Laravel reads, not of the one that it should read", () => {
    const other = `printf 'OWN=elsewhere\\n' > ${app}/.env.uat`;
    assert.equal(docker(["exec", "--user", "0", container, "sh", "-c", other]).status, 0);
    const { stdout } = readback({ OWN: "a b" }, ["APP_ENV=uat", `APP_KEY=${key}`]);
    const { proven, differs, file } = JSON.parse(answered(stdout) ?? "") as Record<string, unknown>;
    assert.deepEqual({ proven, differs, file }, { proven: false, differs: ["OWN"], file: `${app}/.env.uat` });
  });

  it("is told from all that the application prints: the record of a release", () => {
    // Of an application, only what the script asks.
    const stub = `<?php return new class {
      public function make(string $what): object { return $this; }
      public function bootstrap(): void { echo 'booted'; }
      public function databasePath(string $path): string { return $path; }
      public function getMigrationFiles(array $paths): array { return ['2026_a' => '/a.php']; }
      public function paths(): array { return []; }
      public function repositoryExists(): bool { return false; }
    };`;
    const put = docker(
      [
        "exec",
        "--interactive",
        container,
        "sh",
        "-c",
        `cd /tmp; mkdir -p stub/vendor stub/bootstrap; cat > stub/bootstrap/app.php
      echo '<?php echo "x";' > stub/vendor/autoload.php`,
      ],
      stub,
    );
    assert.equal(put.status, 0, put.stderr);
    const { stdout } = docker(
      ["exec", "--interactive", container, "php", "/drydock/record.php", "/tmp/stub"],
      '{"key":"a"}',
    );
    assert.equal(stdout, 'xbooted\n\u001e{"key":"a","migrations":{"contained":["2026_a"],"applied":{}}}\n');
  });

  it("is found by the steps' shell as well", () => {
    const find = (printed: string) => {
      const { status, stdout } = spawnSync("sh", ["-c", ". commands/functions/answer.sh; answered"], {
        input: printed,
        encoding: "utf8",
      });
      return status === 0 ? stdout : undefined;
    };
    assert.equal(find('noise\n\u001e{"a":1}\nmore {"b":2}'), '{"a":1}\n');
    assert.equal(find('\xff\n\u001e{"a":1}\n\u001e{"a":2}\n'), '{"a":2}\n');
    assert.equal(find('{"a":1}\nnothing of ours'), undefined);
  });
});
