import assert from "node:assert/strict";
import { join } from "node:path";
import { containers, docker, inOrder, Stack, shellImage, sweep, until } from "../../support/offline/engine.ts";
import { Gateway } from "../../support/offline/gateway.ts";

interface Options {
  readonly command?: string;
  readonly memory?: number;
  readonly options?: string;
  readonly more?: string;
}

/** A network, a container that is healthy once /tmp/ok is there, and a command that follows it. */
const program = (
  image: string,
  { command = "touch /tmp/ok; exec sleep 1000", memory = 32, options = "{}", more = "" }: Options = {},
): string => `
  const network = new docker.Network("net", { labels });
  const box = new docker.Container("box", {
    image: "${image}", command: ["sh", "-c", ${JSON.stringify(command)}], labels, memory: ${memory},
      memorySwap: ${2 * memory},
    envs: ["PLAIN=1", pulumi.secret("PASSWORD=a-very-secret-password")],
    uploads: [{ file: "/etc/app/.env", content: pulumi.secret("APP_KEY=another-very-secret-key\\n"), owner: "1000",
      permissions: "0400" }],
    networksAdvanced: [{ name: network.name, aliases: ["box"] }],
    healthcheck: { tests: ["CMD", "test", "-f", "/tmp/ok"], interval: "300ms", timeout: "5s", startPeriod: "0s",
      retries: 10 },
    wait: true, waitTimeout: 30, destroyGraceSeconds: 1, ${more}
  }, ${options});
  const follower = new command.local.Command("follower", { create: "echo follows", triggers: [box.id] });
  exports.name = box.name; exports.id = box.id;`;

describe("offline docker.Container", function () {
  this.timeout(180_000);
  let image: string;
  let stack: Stack;

  before(() => {
    image = shellImage();
  });
  beforeEach(async () => {
    stack = await Stack.create(program(image));
  });
  afterEach(async () => {
    await stack.remove();
    sweep();
  });

  it("creates, finds nothing to change, updates limits in place, and destroys without a rest", async () => {
    const first = await stack.up();
    assert.equal(first.code, 0, first.output);
    const { name, id } = await stack.outputs();
    assert.match(name, /^box-[0-9a-f]{7}$/);
    assert.deepEqual(
      containers().map((line) => line.split(" ")[0]),
      [name],
    );
    assert.equal(
      docker("exec", name, "sh", "-c", "stat -c '%u %a' /etc/app/.env; cat /etc/app/.env"),
      "1000 400\nAPP_KEY=another-very-secret-key",
    );

    const again = await stack.preview();
    assert.match(again.output, /4 unchanged/);
    const refreshed = await stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
    assert.equal(refreshed.code, 0, refreshed.output);

    stack.program(program(image, { memory: 48 }));
    const second = await stack.up();
    assert.match(second.output, /1 updated/);
    assert.equal((await stack.outputs()).id, id);
    assert.equal(docker("inspect", "-f", "{{.HostConfig.Memory}}", name), String(48 * 1024 * 1024));

    const gone = await stack.pulumi("destroy", "--yes", "--skip-preview");
    assert.equal(gone.code, 0, gone.output);
    assert.deepEqual(containers(), []);
  });

  it("previews without a Docker engine", async () => {
    const { code, output } = await stack.with({ DOCKER_HOST: "unix:///nowhere/docker.sock" }, "preview");
    assert.equal(code, 0, output);
    assert.match(output, /4 to create/);
    const up = await stack.with({ DOCKER_HOST: "unix:///nowhere/docker.sock" }, "up", "--yes", "--skip-preview");
    assert.notEqual(up.code, 0);
    assert.match(up.output, /Docker does not answer at unix:\/\/\/nowhere\/docker\.sock \(ENOENT\)\. Start it/);
  });

  for (const [moment, request] of [
    ["is asked for a container", /^POST \/\S*containers\/create/],
    ["is asked how it is", /^GET \/\S*containers\/\w+\/json/],
  ] as const) {
    it(`leaves nothing behind when Docker goes away while it ${moment}`, async () => {
      const gateway = await Gateway.open(join(stack.folder, "docker.sock"), request);
      const cut = await stack.with({ DOCKER_HOST: gateway.host }, "up", "--yes", "--skip-preview");
      gateway.close();
      assert.notEqual(cut.code, 0, cut.output);
      assert.equal(containers().length, 1, "Docker has made it, and could not say so");
      const next = await stack.up();
      assert.equal(next.code, 0, next.output);
      assert.deepEqual(
        containers().map((line) => line.split(" ")[0]),
        [(await stack.outputs()).name],
      );
    });
  }

  it("keeps secrets out of the state, the output and errors", async () => {
    const { output } = await stack.up("--diff");
    stack.program(program(image, { command: "echo $PASSWORD; cat /etc/app/.env; exit 3" }));
    const failed = await stack.up("--diff");
    assert.notEqual(failed.code, 0);
    assert.match(failed.output, /has stopped .* exit code 3/);
    assert.match(failed.output, /\[secret\]/);
    const { output: exported } = await stack.pulumi("stack", "export");
    for (const text of [output, failed.output, stack.state(), exported])
      assert.doesNotMatch(text, /a-very-secret-password|another-very-secret-key/);
  });

  it("deletes before it replaces, dependents first, unless the program says otherwise", async () => {
    await stack.up();
    stack.program(program(image, { command: "touch /tmp/ok; exec sleep 1001" }));
    const { output } = await stack.up();
    inOrder(
      output,
      "follower deleted original",
      "box deleted original",
      "box created replacement",
      "follower created replacement",
    );
    assert.equal(containers().length, 1);
  });

  it("creates before it deletes with deleteBeforeReplace: false, and lets dependents move first", async () => {
    const options = "{ deleteBeforeReplace: false }";
    stack.program(program(image, { options }));
    await stack.up();
    stack.program(program(image, { options, command: "touch /tmp/ok; exec sleep 1001" }));
    const { output } = await stack.up();
    inOrder(output, "box created replacement", "follower created replacement", "box deleted original");
    assert.equal(containers().length, 1);
  });

  it("keeps the old container when the new one is not healthy, and the next good update clears up", async () => {
    // Without the special key the engine would make an update of it that passes, with the official plugin as with this
    // one.
    const options = '{ deleteBeforeReplace: false, replaceOnChanges: ["#initerror"] }';
    stack.program(program(image, { options }));
    await stack.up();
    const { name } = await stack.outputs();
    stack.program(program(image, { options, command: "echo cannot find the database; exec sleep 1000", more: "" }));
    const failed = await stack.up();
    assert.notEqual(failed.code, 0);
    assert.match(failed.output, /became unhealthy \d+ s after its start/);
    assert.match(failed.output, /its last log lines:\s+cannot find the database/);
    assert.ok(
      containers().some((line) => line.startsWith(name) && line.includes("(healthy)")),
      "the old container is gone",
    );

    const again = await stack.up();
    assert.notEqual(again.code, 0, "the same program must fail again, not count as done");
    assert.match(again.output, /box creating replacement/);
    stack.program(
      program(image, {
        options: "{ deleteBeforeReplace: false }",
        command: "echo cannot find the database; exec sleep 1000",
        more: "",
      }),
    );
    const passed = await stack.up();
    assert.equal(passed.code, 0, passed.output);

    stack.program(program(image, { options, command: "touch /tmp/ok; exec sleep 1001" }));
    const good = await stack.up();
    assert.equal(good.code, 0, good.output);
    assert.deepEqual(
      containers().map((line) => line.split(" ")[0]),
      [(await stack.outputs()).name],
    );
  });

  it("finds drift: limits, a container that has stopped, and one that is gone", async () => {
    await stack.up();
    const { name } = await stack.outputs();
    docker("update", "--memory", "64m", "--memory-swap", "128m", name);
    await stack.pulumi("refresh", "--yes", "--skip-preview");
    const drift = await stack.preview();
    assert.match(drift.output, /memory *: 64 => 32/);
    await stack.up();
    assert.equal(docker("inspect", "-f", "{{.HostConfig.Memory}}", name), String(32 * 1024 * 1024));

    docker("kill", name);
    const started = await stack.up("--refresh");
    assert.equal(started.code, 0, started.output);
    assert.match(started.output, /box updated/);
    assert.deepEqual(
      [(await stack.outputs()).name, docker("inspect", "-f", "{{.State.Running}}", name)],
      [name, "true"],
    );

    docker("kill", name);
    stack.program(program(image, { options: '{ replaceOnChanges: ["mustRun"] }' }));
    const replaced = await stack.up("--refresh");
    assert.equal(replaced.code, 0, replaced.output);
    assert.match(replaced.output, /created replacement/);
    const second = (await stack.outputs()).name;
    assert.deepEqual(
      containers().map((line) => line.split(" ")[0]),
      [second],
    );

    docker("rm", "-f", second);
    const created = await stack.up("--refresh");
    assert.match(created.output, /box created/);
    assert.equal(containers().length, 1);
  });

  it("says what is wrong with inputs: unknown ones, ports in use, images that are nowhere", async () => {
    stack.program(program(image, { more: 'gpus: "all", blkioWeight: 3' }));
    const unknown = await stack.preview();
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.output, /does not implement the input "gpus"/);

    stack.program(program("nowhere.invalid/app:1"));
    const missing = await stack.up();
    assert.match(missing.output, /image nowhere\.invalid\/app:1 is not here and could not be pulled: .*docker login/s);

    const port = "127.0.0.1:18765:80";
    docker(
      "run",
      "-d",
      "--name",
      `drydock-offline-port-${process.pid}`,
      "-p",
      port,
      "--label",
      "drydock.test.offline=port",
      image,
      "sleep",
      "1000",
    );
    try {
      stack.program(program(image, { more: 'ports: [{ internal: 80, external: 18765, ip: "127.0.0.1" }]' }));
      const taken = await stack.up();
      assert.match(taken.output, /could not be started: .*(already allocated|address already in use)/s);
      assert.deepEqual(containers(), [], "the container that could not be started was left");
    } finally {
      docker("rm", "-f", `drydock-offline-port-${process.pid}`);
    }
  });

  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    it(`recovers with a plain up after ${signal} in the middle of a replacement`, async () => {
      const options = "{ deleteBeforeReplace: false }";
      stack.program(program(image, { options }));
      await stack.up();
      const { name } = await stack.outputs();
      stack.program(
        program(image, { options, command: "sleep 4; touch /tmp/ok; exec sleep 1000", more: "" }).replace(
          "retries: 10",
          "retries: 100",
        ),
      );
      const running = stack.start("up", "--yes", "--skip-preview");
      const ended = new Promise((done) => running.once("exit", done));
      await until("the new container starts", () => containers().some((line) => line.includes("starting")));
      running.kill(signal);
      await ended;
      assert.ok(
        containers().some((line) => line.startsWith(name) && line.includes("(healthy)")),
        "the old container is gone",
      );
      if (signal === "SIGKILL") await stack.pulumi("cancel", "--yes"); // the engine's lock; it can't remove it itself
      const next = await stack.up();
      assert.equal(next.code, 0, next.output);
      assert.deepEqual(
        containers().map((line) => line.split(" ")[0]),
        [(await stack.outputs()).name],
      );
    });
  }

  it("destroys after SIGKILL in the middle of the first creation", async () => {
    stack.program(program(image, { command: "sleep 60" }).replace("retries: 10", "retries: 1000"));
    const running = stack.start("up", "--yes", "--skip-preview");
    const ended = new Promise((done) => running.once("exit", done));
    await until("the container starts", () => containers().some((line) => line.includes("starting")));
    running.kill("SIGKILL");
    await ended;
    await stack.pulumi("cancel", "--yes");
    const gone = await stack.pulumi("destroy", "--yes", "--skip-preview");
    assert.equal(gone.code, 0, gone.output);
    assert.deepEqual(containers(), []);
  });
});
