import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stack, until } from "../../support/offline/engine.ts";

describe("offline command.local.Command", function () {
  this.timeout(120_000);
  let stack: Stack;
  const use = (inputs: string): void =>
    stack.program(
      `const run = new command.local.Command("run", ${inputs}); exports.stdout = run.stdout; ` +
        "exports.stderr = run.stderr;",
    );
  const trace = (): string =>
    existsSync(join(stack.folder, "trace")) ? readFileSync(join(stack.folder, "trace"), "utf8") : "";

  beforeEach(async () => {
    stack = await Stack.create("");
  });
  afterEach(() => stack.remove());

  it("runs create, update and delete, with the output of the run before in the environment", async () => {
    use(`{ create: "echo created; echo why >&2", delete: "echo deleted $PULUMI_COMMAND_STDOUT >> trace" }`);
    await stack.up();
    assert.deepEqual(await stack.outputs(), { stdout: "created", stderr: "why" });
    assert.match((await stack.preview()).output, /2 unchanged/);

    use(
      '{ create: "echo created; echo why >&2", update: "echo updated after $PULUMI_COMMAND_STDOUT", delete: ' +
        '"echo deleted $PULUMI_COMMAND_STDOUT >> trace" }',
    );
    const updated = await stack.up();
    assert.match(updated.output, /1 updated/);
    assert.deepEqual(await stack.outputs(), { stdout: "updated after created", stderr: "" });

    await stack.pulumi("destroy", "--yes", "--skip-preview");
    assert.equal(trace(), "deleted updated after created\n");
  });

  it("runs create again for a change without update, and replaces on triggers, the new before the old", async () => {
    use(
      '{ create: "echo create $V >> trace", environment: { V: "1" }, triggers: ["a"], delete: ' +
        '"echo delete $V >> trace" }',
    );
    await stack.up();
    use(
      '{ create: "echo create $V >> trace", environment: { V: "2" }, triggers: ["a"], delete: ' +
        '"echo delete $V >> trace" }',
    );
    assert.match((await stack.up()).output, /1 updated/);
    use(
      '{ create: "echo create $V >> trace", environment: { V: "3" }, triggers: ["b"], delete: ' +
        '"echo delete $V >> trace" }',
    );
    assert.match((await stack.up()).output, /1 replaced/);
    assert.equal(trace(), "create 1\ncreate 2\ncreate 3\ndelete 2\n");
  });

  it("fails with the exit code and the last lines, and without secrets", async () => {
    use(
      '{ create: "echo to stdout; echo password $P >&2; exit 7", environment: { P: ' +
        'pulumi.secret("a-very-secret-password") }, stdin: pulumi.secret("a-secret-on-stdin") }',
    );
    const { code, output } = await stack.up();
    assert.notEqual(code, 0);
    assert.match(output, /exit status 7: running "echo to stdout/);
    assert.match(output, /to stdout/);
    assert.match(output, /password \[secret\]/);
    assert.doesNotMatch(output + stack.state(), /a-very-secret-password|a-secret-on-stdin/);
  });

  it("makes outputs secret when an input is", async () => {
    use(`{ create: "cat", stdin: pulumi.secret("a-secret-on-stdin"), logging: "none" }`);
    const { code, output } = await stack.up();
    assert.equal(code, 0, output);
    assert.deepEqual(await stack.outputs(), { stdout: "a-secret-on-stdin", stderr: "" });
    assert.doesNotMatch(output + stack.state(), /a-secret-on-stdin/);
  });

  it("shows what it prints again when it runs again: a secret output is none in what is said", async () => {
    const inputs = (version: string) =>
      `{ create: "echo nothing is pending; echo password $P", environment: { V: "${version}", P: ` +
      'pulumi.secret("a-very-secret-password") } }';
    use(inputs("1"));
    assert.match((await stack.up()).output, /nothing is pending/);
    use(inputs("2"));
    const { output } = await stack.up();
    assert.match(output, /1 updated/);
    assert.match(output, /nothing is pending/);
    assert.match(output, /password \[secret\]/);
    assert.doesNotMatch(output + stack.state(), /a-very-secret-password/);
  });

  it("stops the command and what it has started when the update is cancelled", async () => {
    use(`{ create: "echo $$ > pid; sleep 300 & wait" }`);
    const running = stack.start("up", "--yes", "--skip-preview");
    const ended = new Promise((done) => running.once("exit", done));
    await until(
      "the command runs",
      () => existsSync(join(stack.folder, "pid")) && readFileSync(join(stack.folder, "pid"), "utf8") !== "",
    );
    running.kill("SIGINT");
    await ended;
    // What has ended may stay as a zombie where process 1 doesn't wait for orphans.
    const group = readFileSync(join(stack.folder, "pid"), "utf8").trim();
    const left = execFileSync("ps", ["-eo", "pgid=,stat=,args="], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.trim().startsWith(`${group} `) && !/^\s*\d+\s+Z/.test(line));
    assert.deepEqual(left, []);
  });

  it("names inputs that it doesn't have", async () => {
    use(`{ create: "true", assetPaths: ["*"] }`);
    assert.match((await stack.preview()).output, /does not implement the input "assetPaths"/);
  });
});

describe("offline language host", function () {
  this.timeout(120_000);

  it("honours nodeargs and typescript, and reports a failing program", async () => {
    const stack = await Stack.create("");
    try {
      writeFileSync(
        join(stack.folder, "Pulumi.yaml"),
        "name: tiny\nruntime:\n  name: nodejs\n  options: { typescript: false, nodeargs: " +
          '--require ./first.js --title "two words" }\n',
      );
      writeFileSync(join(stack.folder, "first.js"), "globalThis.first = true;");
      stack.program(`exports.seen = [globalThis.first, process.title, process.env.PULUMI_NODEJS_TYPESCRIPT].join();`);
      const { code, output } = await stack.up();
      assert.equal(code, 0, output);
      assert.deepEqual(await stack.outputs(), { seen: "true,two words,false" });

      stack.program(`throw new Error("settings: app.replicas is wrong");`);
      const failed = await stack.preview();
      assert.notEqual(failed.code, 0);
      assert.match(failed.output, /settings: app\.replicas is wrong/);
      assert.match((await stack.pulumi("about", "--json")).output, /"nodejs"/);
    } finally {
      await stack.remove();
    }
  });
});
