import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { type Activity, nothing } from "../../../../cli/dashboard/page/state.ts";
import { Changes } from "../../../../cli/dashboard/release/changes.ts";
import { activity } from "../../../../cli/dashboard/sources/activity.ts";
import type { Source } from "../../../../cli/dashboard/sources/source.ts";
import type { Target } from "../../../../cli/dashboard/target.ts";
import type { Docker } from "../../../../cli/shared/docker.ts";
import { pathsOf } from "../../../../cli/shared/project.ts";
import type { Running } from "../../../../cli/shared/running.ts";

const created = (minute: number) => `2026-01-31 12:0${minute}:00 +0000 UTC`;
const line = (name: string, role: string, release: string, minute: number, status = "Up 1 minute (healthy)") =>
  [name, "running", status, role, release, created(minute), "network-app-0000000"].join("\t");

describe("a release while it goes on", () => {
  let root: string;
  let child: ChildProcess;
  let containers: string[];
  let upstream: string;
  let unfinished: object | undefined;
  let source: Source;
  const changes = new Changes();
  const docker: Docker = {
    env: {},
    run: (args) =>
      Promise.resolve({ code: 0, stdout: args[0] === "ps" ? containers.join("\n") : upstream, stderr: "" }),
  };
  const at = (name: string) => join(root, ".drydock", name);
  /** As `up` does it: its lock, and where Pulumi writes its events. */
  const lock = () => {
    const holder = { pid: child.pid, username: "ops", hostname: hostname(), timestamp: "2026-01-31T12:02:00.000Z" };
    writeFileSync(at("local.lock"), JSON.stringify(holder));
  };
  const note = (operation: string, log: string) => {
    const running: Running = { operation, log, pid: child.pid!, since: "2026-01-31T12:02:01.000Z" };
    writeFileSync(at("local.running.json"), JSON.stringify(running));
  };
  const event = (kind: string, op: string, name: string) =>
    `${JSON.stringify({
      timestamp: 100,
      [kind]: { metadata: { op, type: "command:local:Command", urn: `urn:pulumi:local::drydock::command::${name}` } },
    })}\n`;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-activity-"));
    mkdirSync(join(root, ".drydock"));
    // A process of ours, as its command line says.
    child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)", "drydock"], { stdio: "ignore" });
    containers = [line("proxy-0000000", "proxy", "p", 0), line("app-1-aaaaaaa", "app", "one", 0)];
    upstream = "upstream app {\n  server app-1-aaaaaaa:9000;\n}";
    unfinished = undefined;
    changes.audit = [];
    changes.recorded = [{ release: "one", at: "2026-01-31T12:00:00Z" }];
    const services = [
      { name: "proxy", role: "proxy", container: "proxy-0000000", image: "" },
      { name: "app-1", role: "app", container: "app-1-aaaaaaa", image: "" },
    ];
    const outputs = { stack: "local", url: "", release: "one", services };
    const target = {
      session: { paths: pathsOf(root), stack: "local", env: {} },
      now: () => Promise.resolve({ outputs, docker, unfinished }),
    } as unknown as Target;
    source = activity(target, changes);
  });
  afterEach(() => {
    child.kill();
    rmSync(root, { recursive: true });
  });
  const look = async (): Promise<Activity> =>
    (await source.read({ ranges: ["hour"], parts: nothing("", "").parts })).activity!.value!;
  const statuses = ({ steps }: Activity) =>
    Object.fromEntries(steps.filter(({ status }) => status !== "waiting").map(({ id, status }) => [id, status]));

  it("is none where nobody changes the stack", async () => {
    assert.deepEqual(await look(), {
      steps: [],
      from: "nothing",
      releases: [{ release: "one", running: 1, healthy: 1 }],
    });
  });

  it("is a preview, then its steps as Pulumi writes them down, then what was last", async () => {
    lock();
    note("preview", at("preview.json"));
    writeFileSync(at("preview.json"), event("resourcePreEvent", "update", "migrate"));
    const preview = await look();
    assert.equal(preview.change!.verb, "preview");
    assert.deepEqual(statuses(preview), {}, "a preview does nothing");

    note("up", at("up.json"));
    assert.equal((await look()).change!.verb, "up");
    writeFileSync(at("up.json"), event("resourcePreEvent", "update", "migrate"));
    const running = await look();
    assert.deepEqual([running.from, statuses(running)], ["events", { migrate: "running" }]);
    appendFileSync(at("up.json"), event("resOutputsEvent", "update", "migrate"));

    // Pulumi and `up` have ended: what was written last counts, though its file is gone.
    for (const file of ["up.json", "local.running.json", "local.lock"]) rmSync(at(file));
    const over = await look();
    assert.deepEqual([over.change, over.from, statuses(over)], [undefined, "events", { migrate: "done" }]);
    assert.match(over.ended!, /^\d{4}-/);
    assert.equal((await look()).ended, over.ended);
  });

  it("is what its containers show where somebody else makes it", async () => {
    changes.audit = [
      { ...{ id: "1", at: new Date().toISOString(), by: "ci@runner", verb: "up", args: [] }, result: "started" },
    ];
    const change = { verb: "up", by: "ci@runner", since: changes.audit[0]!.at, certain: false };
    const first = await look();
    assert.deepEqual([first.change, first.from, statuses(first)], [change, "host", {}]);
    containers.push(line("app-1-bbbbbbb", "app", "two", 3, "Up 1 second (health: starting)"));
    const second = await look();
    assert.equal(statuses(second)["replicas"], "running");
    assert.deepEqual(second.releases[0], { release: "two", running: 1, healthy: 0 });
    upstream = "upstream app {\n  server app-1-bbbbbbb:9000;\n}";
    assert.equal(statuses(await look())["switch"], "done");
  });

  it("is where it has stopped, though nobody works at it any more", async () => {
    unfinished = { release: "two", image: "", serves: false, others: [] };
    containers.push(line("app-1-bbbbbbb", "app", "two", 3, "Up 5 minutes (unhealthy)"));
    const stopped = await look();
    assert.deepEqual([stopped.change, stopped.from], [undefined, "host"]);
    assert.equal(
      stopped.steps.find(({ id }) => id === "replicas")!.says,
      "0 of 1 are healthy; app-1-bbbbbbb is Up 5 minutes (unhealthy)",
    );
  });
});
