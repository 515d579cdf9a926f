import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { STEPS, before as stepsBefore } from "../../../../cli/dashboard/page/steps.ts";
import { Changes } from "../../../../cli/dashboard/release/changes.ts";
import { ownOf, parseContainers, type Seen } from "../../../../cli/dashboard/release/containers.ts";
import { StepsFromEvents } from "../../../../cli/dashboard/release/fromEvents.ts";
import { byRelease, stepsFromHost } from "../../../../cli/dashboard/release/fromHost.ts";
import { stepOf } from "../../../../cli/dashboard/release/parts.ts";
import { Tail } from "../../../../cli/dashboard/release/tail.ts";
import type { EngineEvent } from "../../../../cli/shared/events.ts";
import { noteRunning, readRunning } from "../../../../cli/shared/running.ts";
import { configuration, type Registered, runProgram } from "../../../support/components/program.ts";

const CONTAINER = "docker:index/container:Container";
const COMMAND = "command:local:Command";
const urn = (type: string, name: string) => `urn:pulumi:local::drydock::drydock:index:LaravelStack$${type}::${name}`;
const metadata = (op: string, type: string, name: string) => ({ op, type, urn: urn(type, name) });
const began = (timestamp: number, op: string, type: string, name: string): EngineEvent => ({
  timestamp,
  resourcePreEvent: { metadata: metadata(op, type, name) },
});
const done = (timestamp: number, op: string, type: string, name: string): EngineEvent => ({
  timestamp,
  resOutputsEvent: { metadata: metadata(op, type, name) },
});
const statuses = (states: readonly { id: string; status: string }[]) =>
  Object.fromEntries(states.filter(({ status }) => status !== "waiting").map(({ id, status }) => [id, status]));

describe("the steps that the dashboard draws", () => {
  let resources: Registered[];
  before(async () => {
    ({ resources } = await runProgram(configuration()));
    resources = resources.filter(({ type }) => !type.startsWith("drydock:"));
  });
  const waitsFor = (name: string, found = new Set<string>()): Set<string> => {
    for (const one of resources.find((resource) => resource.name === name)?.after ?? [])
      if (!found.has(one)) {
        found.add(one);
        waitsFor(one, found);
      }
    return found;
  };
  const of = (id: string) => resources.filter(({ type, name }) => stepOf(type, name) === id).map(({ name }) => name);

  it("are each something of the program, but for the old replicas, which the engine takes away", () => {
    for (const { id } of STEPS) assert.equal(of(id).length === 0, id === "old", id);
    assert.equal(stepOf(CONTAINER, "app-1", "delete-replaced"), "old");
    assert.equal(stepOf(CONTAINER, "horizon", "delete"), "old");
    // The old scheduler goes first: that is its step.
    assert.equal(stepOf(CONTAINER, "scheduler", "delete-replaced"), "scheduler");
  });

  it("are all of the application's part of a release", () => {
    const left = resources
      .filter(({ type, name }) => [CONTAINER, COMMAND].includes(type) && stepOf(type, name) === undefined)
      .map(({ name }) => name);
    assert.deepEqual(left.sort(), [
      "backup-agent",
      "backup-describe",
      "backup-restore",
      "backup-user",
      "proxy",
      "proxy-check",
      "proxy-port",
      "redis-cache-only-password",
      "redis-only-password",
      "volumes-delivery",
      "volumes-ownership",
    ]);
    assert.equal(stepOf("docker:index/volume:Volume", "database"), undefined);
    assert.equal(stepOf(COMMAND, "constructor"), undefined);
  });

  it("have the arrows of the program's own graph", () => {
    // The engine deletes when all is made.
    for (const { id, after: earlier } of STEPS.filter(({ id }) => id !== "old"))
      for (const one of earlier) {
        const waits = of(id).some((name) => of(one).some((other) => waitsFor(name).has(other)));
        assert.ok(waits, `${id} does not wait for ${one}`);
        assert.ok(!of(one).some((name) => of(id).some((other) => waitsFor(name).has(other))), `${one} waits for ${id}`);
      }
    assert.deepEqual([...stepsBefore("backup")].sort(), ["image", "servers"]);
    assert.ok(stepsBefore("old").has("image"));
  });

  it("stand beside each other where they are drawn, each row below those that it waits for", () => {
    for (const { after: earlier, row } of STEPS)
      for (const one of earlier) assert.ok(STEPS.find(({ id }) => id === one)!.row < row);
  });
});

describe("the steps of a release, from what Pulumi writes down", () => {
  const events: EngineEvent[] = [
    began(99, "same", CONTAINER, "database"),
    done(99, "same", CONTAINER, "database"),
    began(100, "update", COMMAND, "preflight"),
    done(103, "update", COMMAND, "preflight"),
    began(103, "update", COMMAND, "backup"),
    {
      timestamp: 103,
      diagnosticEvent: {
        severity: "info",
        message: "<{%reset%}>backup: verified\n<{%reset%}>",
        urn: urn(COMMAND, "backup"),
      },
    },
    done(107, "update", COMMAND, "backup"),
    began(107, "create-replacement", CONTAINER, "app-1"),
    began(107, "create-replacement", CONTAINER, "app-2"),
    done(110, "create-replacement", CONTAINER, "app-1"),
    began(110, "replace", CONTAINER, "app-1"),
    done(110, "replace", CONTAINER, "app-1"),
  ];

  it("are done, at work, waiting, or had nothing to do", () => {
    const steps = new StepsFromEvents();
    steps.add(events);
    const states = steps.states();
    assert.deepEqual(statuses(states), { servers: "same", image: "done", backup: "done", replicas: "running" });
    assert.deepEqual(
      states.find(({ id }) => id === "backup"),
      {
        ...{ id: "backup", status: "done", since: "1970-01-01T00:01:43.000Z", seconds: 4, says: "backup: verified" },
      },
    );
    assert.deepEqual(
      states.find(({ id }) => id === "replicas"),
      { id: "replicas", status: "running", since: "1970-01-01T00:01:47.000Z" },
    );
    assert.deepEqual(
      states.map(({ id }) => id),
      STEPS.map(({ id }) => id),
    );
  });

  it("go on as events come, and end with the old containers", () => {
    const steps = new StepsFromEvents();
    steps.add(events);
    steps.add([done(111, "create-replacement", CONTAINER, "app-2"), began(111, "update", COMMAND, "switch")]);
    assert.deepEqual(statuses(steps.states()), {
      servers: "same",
      image: "done",
      backup: "done",
      replicas: "done",
      switch: "running",
    });
    const said = (message: string): EngineEvent => ({
      diagnosticEvent: { severity: "info", message, urn: urn(CONTAINER, "app-1") },
    });
    steps.add([done(112, "update", COMMAND, "switch"), said("waiting for it to be healthy")]);
    steps.add([began(120, "delete-replaced", CONTAINER, "app-1"), said("stopping, with up to 30 s to finish")]);
    assert.equal(statuses(steps.states())["old"], "running");
    steps.add([done(125, "delete-replaced", CONTAINER, "app-1"), said('app-1 {"proven":true}')]);
    assert.deepEqual(steps.states().at(-1), {
      ...{ id: "old", status: "done", since: "1970-01-01T00:02:00.000Z", seconds: 5 },
      says: "stopping, with up to 30 s to finish",
    });
    assert.equal(steps.states().find(({ id }) => id === "replicas")!.says, "waiting for it to be healthy");
  });

  it("have failed where Pulumi says so, with what was said", () => {
    const steps = new StepsFromEvents();
    steps.add([
      began(100, "update", COMMAND, "migrate"),
      {
        timestamp: 101,
        diagnosticEvent: {
          severity: "error",
          message: "migrate: failed with exit code 1\n",
          urn: urn(COMMAND, "migrate"),
        },
      },
      { timestamp: 101, resOpFailedEvent: { metadata: metadata("update", COMMAND, "migrate") } },
    ]);
    assert.deepEqual(
      steps.states().find(({ id }) => id === "migrate"),
      {
        ...{ id: "migrate", status: "failed", since: "1970-01-01T00:01:40.000Z", seconds: 1 },
        says: "migrate: failed with exit code 1",
      },
    );
  });

  it("are read as they are written, in whatever pieces, and to the end though the file is gone", () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-tail-"));
    const file = join(folder, "events.json");
    const tail = new Tail(file);
    assert.deepEqual(tail.lines(), []);
    writeFileSync(file, '{"a":1}\n{"b"');
    assert.deepEqual(tail.lines(), ['{"a":1}']);
    appendFileSync(file, ':"ü"}\n\n');
    assert.deepEqual(tail.lines(), ['{"b":"ü"}']);
    appendFileSync(file, "last\n");
    rmSync(folder, { recursive: true });
    assert.deepEqual(tail.lines(), ["last"]);
    tail.close();
    assert.deepEqual(tail.lines(), []);
  });

  it("are found by a note that is there as long as the operation, and no longer than its process", () => {
    const root = mkdtempSync(join(tmpdir(), "drydock-running-"));
    mkdirSync(join(root, ".drydock"));
    assert.equal(readRunning(root, "shop"), undefined);
    const ended = noteRunning(root, "shop", "up", "/tmp/one");
    const other = noteRunning(root, "shop", "preview", "/tmp/two");
    // The first one's end leaves the note of the second.
    ended();
    const note = join(root, ".drydock", "shop.running.json");
    const known = readRunning(root, "shop", (pid) => pid === process.pid);
    assert.deepEqual([known?.operation, known?.log, known?.pid], ["preview", "/tmp/two", process.pid]);
    assert.equal(
      readRunning(root, "shop", () => false),
      undefined,
    );
    other();
    assert.throws(() => rmSync(note), /ENOENT/);
    assert.doesNotThrow(noteRunning(join(root, "nowhere"), "shop", "up", "/tmp/x"));
    rmSync(root, { recursive: true });
  });
});

describe("the steps of a release, from the containers", () => {
  const seen = (name: string, role: string, release: string, more: Partial<Seen> = {}): Seen => ({
    ...{ name, role, release, state: "running", status: "Up 2 seconds (healthy)", created: "2026-01-31T11:00:00.000Z" },
    ...{ networks: ["network-app-0000000"], healthy: true, unhealthy: false },
    ...more,
  });
  const fresh = { created: "2026-01-31T12:00:00.000Z" };
  const starting = { ...fresh, healthy: false, status: "Up 1 second (health: starting)" };
  const old = [
    seen("app-1-aaaaaaa", "app", "old"),
    seen("app-2-aaaaaaa", "app", "old"),
    seen("horizon-aaaaaaa", "horizon", "old"),
  ];

  it("claims nothing where nothing is seen", () => {
    assert.deepEqual(statuses(stepsFromHost({ containers: old, previous: "old" })), {});
    assert.deepEqual(statuses(stepsFromHost({ containers: [], previous: "" })), {});
  });

  it("sees a one-off container, and that what is before it is over", () => {
    const migrate = seen("network-data-0000000-migrate", "migrate", "new", { ...fresh, status: "Up 3 seconds" });
    const states = stepsFromHost({ containers: [...old, migrate], previous: "old" });
    assert.deepEqual(statuses(states), { image: "done", servers: "done", backup: "done", migrate: "running" });
    assert.deepEqual(
      states.find(({ id }) => id === "migrate"),
      {
        ...{ id: "migrate", status: "running", since: fresh.created },
        says: "container network-data-0000000-migrate is Up 3 seconds",
      },
    );
  });

  it("counts the new replicas that are healthy, and names one that is not", () => {
    const some = [seen("app-1-bbbbbbb", "app", "new", fresh), seen("app-2-bbbbbbb", "app", "new", starting)];
    const of = (containers: readonly Seen[]) =>
      stepsFromHost({ containers, previous: "old", upstreams: ["app-1-aaaaaaa"] }).find(({ id }) => id === "replicas");
    assert.deepEqual(of([...old, ...some]), {
      id: "replicas",
      status: "running",
      since: fresh.created,
      says: "1 of 2 are healthy",
    });
    const ended = { ...starting, state: "exited", status: "Exited (1) 2 seconds ago" };
    assert.match(
      of([...old, some[0]!, seen("app-2-bbbbbbb", "app", "new", ended)])!.says!,
      /; app-2-bbbbbbb is Exited \(1\)/,
    );
  });

  it("sees the switch in the proxy, then workers, the record and the old replicas that go", () => {
    const containers = [
      seen("app-1-bbbbbbb", "app", "new", fresh),
      seen("horizon-bbbbbbb", "horizon", "new", starting),
      seen("app-1-aaaaaaa", "app", "old"),
      seen("app-2-aaaaaaa", "app", "old", { state: "exited", status: "Exited (0)", healthy: false }),
    ];
    const facts = { containers, previous: "old", upstreams: ["app-1-bbbbbbb"] };
    const states = stepsFromHost(facts);
    assert.equal(states.find(({ id }) => id === "switch")!.says, "visitors come to app-1-bbbbbbb");
    assert.equal(states.find(({ id }) => id === "old")!.says, "1 of 2 still run");
    assert.equal(statuses(states)["replicas"], "done");
    const first = stepsFromHost({ ...facts, containers: containers.filter(({ state }) => state === "running") });
    assert.deepEqual(
      [statuses(first)["workers"], statuses(first)["verify"], statuses(first)["record"]],
      ["running", undefined, undefined],
    );
    assert.equal(statuses(stepsFromHost({ ...facts, recorded: true }))["record"], "done");
  });

  it("counts containers by release, the newest first", () => {
    const all = [...old, seen("app-1-bbbbbbb", "app", "new", starting), seen("proxy-ccccccc", "proxy", "x")];
    assert.deepEqual(byRelease(all), [
      { release: "new", running: 1, healthy: 0 },
      { release: "old", running: 3, healthy: 3 },
    ]);
  });

  it("reads Docker's list, and leaves out another clone's stack of the same name", () => {
    const rows = [
      ["app-1-aaaaaaa", "running", "Up 2 minutes (healthy)", "app", "old", "2026-01-31 12:00:00 +0100 CET"],
      ["app-2-aaaaaaa", "running", "Up 1 second (health: starting)", "app", "old", "2026-01-31 12:00:00 +0000 UTC"],
      ["app-1-fffffff", "exited", "Exited (1) 3 seconds ago", "app", "other", "nonsense"],
    ];
    const networks = ["network-app-0000000,drydock-edge", "network-app-0000000", "network-app-1111111,drydock-edge"];
    const text = `${rows.map((row, index) => [...row, networks[index]].join("\t")).join("\n")}\n`;
    const all = parseContainers(text);
    assert.deepEqual(
      all.map(({ created, healthy }) => [created, healthy]),
      [
        ["2026-01-31T11:00:00.000Z", true],
        ["2026-01-31T12:00:00.000Z", false],
        ["", false],
      ],
    );
    assert.deepEqual(
      ownOf(all, ["app-1-aaaaaaa"]).map(({ name }) => name),
      ["app-1-aaaaaaa", "app-2-aaaaaaa"],
    );
    assert.equal(ownOf(all, []).length, 3);
  });
});

describe("who changes a stack", () => {
  const NOW = Date.parse("2026-01-31T12:10:00Z");
  const line = (result: string, at = "2026-01-31T12:00:00.000Z", verb = "up") => ({
    id: at,
    at,
    by: `ops@${hostname()}`,
    verb,
    args: [],
    result,
  });
  const holder = { pid: 1, username: "ops", hostname: hostname(), timestamp: "2026-01-31T12:00:01.000Z" };
  const changes = (...audit: ReturnType<typeof line>[]) => Object.assign(new Changes(), { audit });

  it("is nobody, without a lock and a beginning without an end", () => {
    assert.equal(changes(line("done")).now([undefined], undefined, undefined, NOW), undefined);
    // Killed long ago; and what changes no container of the application.
    assert.equal(changes(line("started", "2026-01-30T12:00:00.000Z")).now([], undefined, undefined, NOW), undefined);
    assert.equal(changes(line("started", undefined, "artisan")).now([], undefined, undefined, NOW), undefined);
    assert.equal(
      changes().now([holder], undefined, () => "stale", NOW),
      undefined,
    );
  });

  it("is who holds the lock here, with the verb that is in the audit log", () => {
    const found = changes(line("started", undefined, "rollback")).now([holder], undefined, () => "alive", NOW);
    assert.deepEqual(found, {
      verb: "rollback",
      by: `ops@${hostname()}`,
      since: "2026-01-31T12:00:00.000Z",
      certain: true,
    });
    const running = { operation: "preview", pid: 1, since: "", log: "" };
    assert.equal(changes().now([undefined, holder], running, () => "alive", NOW)!.verb, "preview");
    assert.deepEqual(
      changes(line("done")).now([holder], { ...running, operation: "refresh" }, () => "alive", NOW),
      {
        ...{ verb: "refresh", by: `ops@${hostname()}`, since: holder.timestamp, certain: true },
      },
    );
    assert.equal(changes().now([holder], undefined, () => "alive", NOW)!.verb, "a change");
  });

  it("is nobody any more when the lock is gone of what was seen at work here, though its end is not read yet", () => {
    const known = changes(line("started"));
    assert.equal(known.now([holder], undefined, () => "alive", NOW)!.certain, true);
    assert.equal(known.now([undefined], undefined, undefined, NOW), undefined);
  });

  it("may be another machine, and then it is not certain that it still runs", () => {
    assert.deepEqual(changes(line("started")).now([], undefined, undefined, NOW), {
      ...{ verb: "up", by: `ops@${hostname()}`, since: "2026-01-31T12:00:00.000Z", certain: false },
    });
    const elsewhere = { ...holder, hostname: "ci" };
    assert.equal(changes().now([elsewhere], undefined, () => "elsewhere", NOW)!.certain, false);
  });

  it("has released what was recorded since it began", () => {
    const known = Object.assign(new Changes(), {
      recorded: [
        { release: "one", at: "2026-01-31T11:00:00Z" },
        { release: "two", at: "2026-01-31T12:05:00Z" },
      ],
    });
    const change = { verb: "up", by: "ops@host", since: "2026-01-31T12:00:00.000Z", certain: true };
    assert.deepEqual([known.before(change, "x"), known.isRecorded(change)], ["one", true]);
    assert.deepEqual([known.before(undefined, "x"), known.isRecorded(undefined)], ["two", false]);
    assert.equal(new Changes().before(change, "x"), "x");
  });
});
