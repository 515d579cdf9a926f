import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { HOSTS, PORTS } from "../../contracts/monitoring.ts";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { docker } from "../support/clone.ts";
import { Load } from "../support/load.ts";

/** Faults on a real stack, each of which somebody outside hears of, and of its end. */
describe("a stack that is measured", function () {
  this.timeout(1_800_000);
  const stack = new MeasuredStack();
  before(() => stack.up());
  after(() => stack.remove());
  const value = (expression: string) => stack.query(expression)[0]?.value;
  const until = async (what: string, holds: () => boolean, most = 120) => {
    for (const began = Date.now(); !holds(); await sleep(1_000))
      if (Date.now() - began > most * 1000) assert.fail(`not within ${most} s: ${what}`);
  };

  it("has all its numbers: of requests, Laravel, PHP, containers, database, Redis, machine, backups", async () => {
    for (let index = 0; index < 20; index++) await fetch(`${stack.status.url}/api/health`);
    for (const expression of [
      'sum(drydock_http_requests_total{code="200"}) >= 20',
      "drydock_site_up == 1",
      "drydock_laravel_up == 1",
      "drydock_replicas_answering == 2",
      "drydock_fpm_idle_processes >= 1",
      "drydock_opcache_free_ratio > 0",
      'drydock_queue_jobs{queue="default",state="pending"}',
      "drydock_failed_jobs == 0",
      "time() - drydock_schedule_last_run_timestamp_seconds < 120",
      'drydock_containers{role="app"} == 2',
      'drydock_container_memory_ratio{role="database"} > 0',
      'drydock_container_cpu_seconds_total{role="app"} > 0',
      "mysql_up == 1",
      'redis_up{server="redis-cache"} == 1',
      'node_filesystem_avail_bytes{mountpoint="/host"} > 0',
      "drydock_backup_binlog_streaming",
    ])
      await until(expression, () => value(expression) !== undefined);
    assert.deepEqual(stack.query("up == 0"), []);
  });

  it("is shown by ./drydock metrics and ./drydock alerts", async () => {
    const { code, stdout } = await stack.clone.drydock(["metrics", "--json"]);
    assert.equal(code, 0);
    const names = JSON.parse(stdout).metrics.map(({ name }: { name: string }) => name);
    for (const name of ["requests", "jobs that wait", "disk free"]) assert.ok(names.includes(name), stdout);
    const alerts = await stack.clone.drydock(["alerts"]);
    assert.deepEqual([alerts.code, alerts.stdout], [0, "no alert is raised\n"]);
  });

  it("lets four questions to Docker pass, and nothing else", () => {
    const asked = (script: string) =>
      docker("exec", stack.sink, "node", "-e", `fetch(${script}).then((r) => console.log(r.status))`);
    const gate = `http://${HOSTS.gate}:${PORTS.gate}`;
    const { container } = stack.of("database");
    const id = docker("inspect", "--format", "{{.Id}}", container);
    for (const path of ["/containers/json", `/containers/${id}/json`, `/containers/${id}/stats?stream=false`, "/info"])
      assert.equal(asked(`"${gate}${path}"`), "200", path);
    for (const path of [
      `/containers/${id}/archive?path=/run/drydock`,
      `/containers/${id}/stats`,
      `/containers/${id}/logs?stdout=1`,
      `/containers/${container}/json`,
      `/v1.41/containers/${id}/archive?path=/`,
      "/images/json",
      "/volumes",
      "/../secrets",
    ])
      assert.equal(asked(`"${gate}${path}"`), "403", path);
    assert.equal(asked(`"${gate}/containers/${id}/stop", { method: "POST" }`), "403");
  });

  it("raises nothing while nothing is wrong, and through a release without a failed request", async () => {
    const before = stack.query('count({__name__=~"drydock_.*",code=""})')[0]!.value;
    const load = new Load(stack.status.url, { clients: 2, slowSeconds: 1 });
    await stack.set("env.APP_NAME", "Another");
    await stack.again();
    assert.deepEqual((await load.stop()).reasons, {});
    await sleep(60_000);
    assert.deepEqual(stack.notices(), []);
    assert.equal(
      stack.query('count({__name__=~"drydock_.*",code=""})')[0]!.value,
      before,
      "numbers don't grow with releases",
    );
    assert.ok(stack.heartbeats() > 0, "the heartbeat is heard");
  });

  it("tells of a stuck queue, a silent schedule, a part that is gone and errors, and of their end", async () => {
    const began = stack.notices().length;
    const fault = Date.now();
    docker("pause", stack.of("horizon").container);
    docker("pause", stack.of("scheduler").container);
    docker("stop", "--time", "1", stack.of("exporter", "monitoring-redis").container);
    stack.sql("RENAME TABLE `rows` TO gone");
    const job = { method: "POST", headers: { "content-type": "application/json" } };
    await fetch(`${stack.status.url}/api/jobs`, { ...job, body: JSON.stringify({ id: "stuck", seconds: 0 }) });
    let asking = true;
    const asks = (async () => {
      for (; asking; await sleep(500)) await fetch(`${stack.status.url}/api/rows/count`).catch(() => undefined);
    })();
    const faults = ["QueueStuck", "SchedulerSilent", "ScrapeDown", "ErrorRate"];
    await stack.tells(faults, "alarm", { since: began, fault, seconds: 600 });
    const { code, stdout } = await stack.clone.drydock(["alerts"]);
    assert.equal(code, 1);
    for (const name of faults) assert.match(stdout, new RegExp(name));

    docker("unpause", stack.of("horizon").container);
    docker("unpause", stack.of("scheduler").container);
    docker("start", stack.of("exporter", "monitoring-redis").container);
    stack.sql("RENAME TABLE gone TO `rows`");
    for (const name of faults) await stack.told(name, "over", { since: began });
    asking = false;
    await asks;
    // One message for each incident, and one for its end.
    for (const name of faults) assert.deepEqual(stack.kinds(name, began), ["alarm", "over"], name);
    // The same by mail.
    const subject = (word: string, name: string) => `Subject: [drydock ${stack.status.stack}] ${word}: ${name}\n`;
    const mailed = (...words: readonly [word: string, name: string]) =>
      stack.mails().filter(({ to, text }) => to === "ops@example.com" && text.includes(subject(...words)));
    for (const name of faults)
      for (const word of ["ALARM", "over"]) await until(`${word} ${name}`, () => mailed(word, name).length === 1);
    const [stuck] = mailed("ALARM", "QueueStuck");
    assert.match(stuck!.text, /What to do: .+\n\nSee: .*\.\/drydock/s);
  });

  it("tells by another way that mails are not taken, and by mail again once they are", async () => {
    const began = stack.notices().length;
    stack.takeMails(false);
    docker("stop", "--time", "1", stack.of("exporter", "monitoring-redis").container);
    await stack.tells(["AlertsNotSent"], "alarm", { since: began, seconds: 900 });
    assert.match(stack.notices().findLast(({ name }) => name === "AlertsNotSent")!.message!, /by email/);
    const before = stack.mails().length;
    stack.takeMails(true);
    docker("start", stack.of("exporter", "monitoring-redis").container);
    await until("a mail", () => stack.mails().length > before, 300);
    await stack.told("ScrapeDown", "over", { since: began });
  });

  it("tells that the site is down", async () => {
    const began = stack.notices().length;
    docker("pause", stack.of("proxy").container);
    await stack.tells(["SiteDown"], "alarm", { since: began, seconds: 180 });
    docker("unpause", stack.of("proxy").container);
    await stack.told("SiteDown", "over", { since: began, seconds: 240 });
  });

  it("is not noticed by visitors where it is gone, but by who is told", async () => {
    const began = stack.notices().length;
    const load = new Load(stack.status.url, { clients: 2, slowSeconds: 1 });
    docker("kill", stack.of("collector").container);
    docker("kill", stack.of("gate").container);
    await stack.told("ScrapeDown", "alarm", { since: began, seconds: 300 });
    docker("kill", stack.of("prometheus").container);
    await sleep(10_000);
    const { failed, total } = await load.stop();
    assert.equal(failed, 0, `of ${total}`);
    assert.ok(total > 100);
  });
});
