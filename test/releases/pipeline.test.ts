import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { after, before, describe, it } from "mocha";
import { Clone, docker, type Result, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";
import { Moto } from "../support/moto.ts";

/** A stack that pipelines deploy: each run is a clone of its own, as on a new runner; the state is in S3. */
describe("a deployment by a pipeline", function () {
  this.timeout(900_000);
  // Its own name: what a failed test leaves is taken away by it.
  const stack = `ci-${randomBytes(3).toString("hex")}`;
  const passphrase = randomBytes(16).toString("hex");
  const clones: Clone[] = [];
  let moto: Moto;
  let file: string;
  let status: Status;
  const said = ({ stdout, stderr }: Result): string => stdout + stderr;

  /** What a workflow of GitHub sets, and a secret of the repository. */
  const env = (clone: Clone): Record<string, string> => ({
    ...moto.env,
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_STEP_SUMMARY: join(clone.dir, "summary.md"),
    PULUMI_BACKEND_URL: `s3://state?endpoint=${encodeURIComponent(moto.url)}&s3ForcePathStyle=true&region=eu-central-1`,
    PULUMI_CONFIG_PASSPHRASE: passphrase,
    NO_COLOR: "",
  });
  const runner = (change: (text: string) => string = (text) => text): Clone => {
    const clone = new Clone();
    clones.push(clone);
    clone.write(`Pulumi.${stack}.yaml`, change(file));
    return clone;
  };
  const up = (clone: Clone, ...args: string[]): Promise<Result> =>
    clone.drydock(["up", "-s", stack, "--yes", ...args], env(clone));
  const named =
    (name: string) =>
    (text: string): string =>
      text.replace(/^( +)APP_ENV: .*$/m, `$&\n$1APP_NAME: ${name}`);
  const read = async (clone: Clone): Promise<Status> =>
    JSON.parse((await clone.drydock(["status", "-s", stack, "--json"], env(clone))).stdout) as Status;

  before(async () => {
    moto = await Moto.start();
    const client = new S3Client({
      endpoint: moto.url,
      region: "eu-central-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    await client.send(
      new CreateBucketCommand({ Bucket: "state", CreateBucketConfiguration: { LocationConstraint: "eu-central-1" } }),
    );
    // A developer's clone makes the stack's file, with secrets that the passphrase opens.
    const developer = new Clone();
    clones.push(developer);
    const made = await developer.drydock(["preview"], { PULUMI_CONFIG_PASSPHRASE: passphrase });
    assert.equal(made.code, 0, said(made));
    file = developer.read("Pulumi.local.yaml");
  });
  after(async () => {
    for (const [kind, remove] of [
      ["ps --all", "rm --force"],
      ["network ls", "network rm"],
      ["volume ls", "volume rm"],
    ] as const) {
      const listed = docker(...kind.split(" "), "--quiet", "--filter", `label=drydock.stack=${stack}`);
      if (listed !== "") docker(...remove.split(" "), ...listed.split("\n"));
    }
    moto?.remove();
    for (const clone of clones) await clone.remove();
  });

  it("asks nothing, shows no colour, keeps its state in the bucket, and sums up what it did", async () => {
    const clone = runner();
    const first = await up(clone);
    assert.equal(first.code, 0, said(first));
    assert.doesNotMatch(said(first), /\u001b\[|::error|::warning/);
    status = await read(clone);
    const summary = clone.read("summary.md");
    assert.match(
      summary,
      new RegExp(`^### ✅ ${stack}, release \`${status.release}\`\n\n- \\*\\*Changed:\\*\\* \\d+ created, in \\d+ s`),
    );
    assert.match(summary, new RegExp(`- \\*\\*Site:\\*\\* <${status.url}>`));
    assert.match(summary, /\| app-1 \| running \| healthy \|[^]*created +app-1\n/);
    assert.equal(existsSync(join(clone.dir, ".drydock", "state", ".pulumi")), false, "a state in the clone");
  });

  it("knows on another runner what is there", async () => {
    const clone = runner();
    const again = await up(clone);
    assert.equal(again.code, 0, said(again));
    assert.match(again.stdout, /Nothing to change/);
    assert.match(clone.read("summary.md"), /- \*\*Changed:\*\* nothing/);
  });

  it("is refused while another one goes on, or waits for it", async () => {
    const results = await Promise.all([up(runner(named("One"))), up(runner(named("One")), "--wait", "600")]);
    assert.equal(results[1]!.code, 0, said(results[1]!));
    // Which of the two was first is chance; the one that doesn't wait is refused if it was second.
    if (results[0]!.code !== 0) {
      assert.equal(results[0]!.code, 3, said(results[0]!));
      assert.match(results[0]!.stderr, /^::error title=drydock::stack ci-\w+ is being changed by .*%0Aremedy: /m);
    } else {
      assert.match(results[1]!.stderr, /waiting for it, for up to 600 s/);
    }
  });

  it("leaves the earlier release serving when the job is cancelled, and the next one goes on from there", async () => {
    const old = (await read(runner())).release;
    const load = new Load(status.url, { clients: 3, slowSeconds: 2 });
    const clone = runner(named("Two"));
    const child = clone.start(["up", "-s", stack, "--yes"], env(clone));
    let printed = "";
    await new Promise<void>((resolve) => {
      const listen = (chunk: Buffer): void => {
        printed += String(chunk);
        if (/app-1 creating|app-1 creat\w+ replacement/.test(printed.slice(printed.indexOf("Updating")))) resolve();
      };
      child.stdout!.on("data", listen);
      child.stderr!.on("data", listen);
      child.once("exit", () => resolve());
    });
    // As GitHub does it: a signal, and shortly afterwards the end of every process.
    child.kill("SIGTERM");
    await new Promise((wake) => setTimeout(wake, 300));
    for (const pid of descendants(child.pid!)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        /* it has ended */
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    const next = runner(named("Three"));
    const result = await up(next, "--wait", "60");
    assert.equal(result.code, 0, said(result));
    // Pulumi was killed with its lock, and the machine is the same one.
    assert.match(result.stderr, /an earlier update was interrupted \(pid \d+ on .* is gone\): taking its lock away/);
    assert.deepEqual((await load.stop()).reasons, {});
    const now = await read(next);
    assert.notEqual(now.release, old);
    assert.ok(now.services.every(({ health, state }) => health === "healthy" && state === "running"));
    const all = docker("ps", "--all", "--format", "{{.Names}}", "--filter", `label=drydock.stack=${stack}`).split("\n");
    const running = now.services.filter(({ role }) => role === "app").length;
    assert.equal(all.filter((name) => /^app-\d/.test(name)).length, running, all.join());
  });
});

/** A process and everything below it. */
function descendants(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8"))?.[1]) === pid;
      } catch {
        return false; // it has ended meanwhile
      }
    });
  return [pid, ...children.flatMap((child) => descendants(Number(child)))];
}
