import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images-tags.ts";
import { logging } from "../../components/logging.ts";
import { logs } from "../../config/schema/release.ts";
import { docker } from "../support/clone.ts";
import { testImage } from "../support/image.ts";

/** Containers that log as those of a stack do, and rsyslog, which takes it. */
describe("logs that go elsewhere", function () {
  this.timeout(300_000);
  const receiver = `drydock-rsyslog-${process.pid}`;
  const made: string[] = [];
  let address: string;

  before(async () => {
    const folder = join(import.meta.dirname, "../support/rsyslog");
    const image = await testImage({ name: "drydock/test-rsyslog:1", folder });
    made.push(receiver);
    docker("run", "--detach", "--name", receiver, "--label", "drydock.test=shipping", image);
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    address = `${docker("inspect", "--format", format, receiver)}:5514`;
  });
  after(() => {
    for (const name of made) docker("rm", "--force", name);
  });

  /** Runs a script in a container of that name, which logs to there. */
  const run = (name: string, ship: string, script: string) => {
    const { logDriver, logOpts } = logging({ stack: "production", logs: logs.parse({ ship }) });
    const options = Object.entries(logOpts as Record<string, string>).flatMap(([key, value]) => [
      "--log-opt",
      `${key}=${value}`,
    ]);
    made.push(name);
    docker(
      ...["run", "--detach", "--name", name, "--label", "drydock.test=shipping", "--init", "--network", "none"],
      ...["--log-driver", logDriver as string, ...options, "--entrypoint", "bash", imageTags().base, "-c", script],
    );
  };
  const got = (): { app: string; severity: string; at: string; text: string }[] =>
    docker("exec", receiver, "sh", "-c", "cat /tmp/got 2>/dev/null || true")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));

  it("reach rsyslog whole, in their order, with stack and container as the program's name", async () => {
    const name = `monitoring-alertmanager-${process.pid}-and-more`;
    const long = "x".repeat(15_000);
    run(
      name,
      `syslog://${address}`,
      `echo first; printf 'äöü 😀\\n'; printf '%15000s\\n' | tr ' ' x; echo wrong >&2; sleep 1
       for n in $(seq 50); do echo "number $n"; done; echo last`,
    );
    for (let left = 30; !got().some(({ text }) => text === "last"); left--) {
      assert.ok(left > 0, JSON.stringify(got()).slice(0, 2_000));
      await sleep(500);
    }
    const lines = got();
    // A program's name, and the MSGID that Docker makes of it, have 32 characters at most.
    const app = `production/${name}`.slice(0, 32);
    assert.deepEqual([...new Set(lines.map((line) => line.app))], [app]);
    assert.deepEqual(
      lines.filter(({ severity }) => severity === "err").map(({ text }) => text),
      ["wrong"],
    );
    const ordinary = lines.filter(({ severity }) => severity === "info");
    assert.deepEqual(
      ordinary.sort((a, b) => Number(a.at > b.at) - Number(a.at < b.at)).map(({ text }) => text),
      ["first", "äöü 😀", long, ...Array.from({ length: 50 }, (_, index) => `number ${index + 1}`), "last"],
    );
    // What `./drydock logs` reads is there as well.
    assert.match(docker("logs", name), /^number 50$/m);
  });

  for (const driver of ["syslog", "gelf", "fluentd"])
    it(`keep no container from starting, writing and ending where nobody takes ${driver}`, () => {
      const name = `drydock-shipping-${driver}-${process.pid}`;
      run(name, `${driver}://127.0.0.1:9`, "trap 'exit 0' TERM; yes written | head -n 20000; sleep 1000 & wait");
      for (let left = 40; docker("logs", "--tail", "1", name) !== "written"; left--) assert.ok(left > 0);
      const began = Date.now();
      docker("stop", "--time", "20", name);
      assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
    });
});
