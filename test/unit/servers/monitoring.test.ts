import assert from "node:assert/strict";
import { parse } from "yaml";
import { ALERTS } from "../../../alerts/alerts.ts";
import { parseSettings } from "../../../config/settings.ts";
import { collectorSchema } from "../../../contracts/monitoring.ts";
import { alertmanagerConfiguration, alertmanagerSecrets } from "../../../servers/monitoring/alertmanager.ts";
import { collectorSettings } from "../../../servers/monitoring/collector.ts";
import { FILES, monitorPassword } from "../../../servers/monitoring/exporters.ts";
import { prometheusCommands, prometheusConfiguration } from "../../../servers/monitoring/prometheus.ts";
import { asJson, having, valid } from "../../support/config/fixtures.ts";

const settingsOf = (group: string, value: unknown) => parseSettings(asJson(having(valid(), group, value)), "local");

describe("what Alertmanager is told", () => {
  const { monitoring } = settingsOf("monitoring", {});
  const told = {
    email: { to: "a@example.com", from: "b@example.com", host: "mx", port: 465, security: "tls", username: "u" },
    telegram: { chat: "-100", token: "1:abc" },
    slack: "https://hooks.example.com/secret",
  } as never;

  it("sends one message for all series of an alert, to those who are named, and none for what the agent sends", () => {
    const { route, receivers } = parse(alertmanagerConfiguration(told, monitoring));
    assert.deepEqual(route.group_by, ["alertname"]);
    assert.deepEqual(Object.keys(receivers[0]).sort(), ["email_configs", "name", "slack_configs", "telegram_configs"]);
    assert.deepEqual(
      route.routes.map(({ receiver, matchers }: never) => [receiver, matchers]),
      [
        ["nobody", ["alertname = Watchdog"]],
        ["nobody", ["told = elsewhere"]],
      ],
    );
  });

  it("sends a message as text to a webhook, whatever a queue is called", () => {
    const { receivers } = parse(alertmanagerConfiguration({ webhook: "x" } as never, monitoring));
    // Alertmanager reads what this makes as YAML; `: ` would make an object of it.
    assert.equal(
      receivers[0].webhook_configs[0].payload.message,
      "{{ range $index, $one := .Alerts }}{{ if $index }}\n{{ end }}" +
        '{{ reReplaceAll ":[ \\t\\r\\n]" ":\\u00a0" $one.Annotations.summary }}{{ end }}',
    );
  });

  it("has its secrets in files, and none of them in its configuration", () => {
    assert.deepEqual(alertmanagerSecrets(told, monitoring), {
      "/run/drydock/slack": "https://hooks.example.com/secret",
      "/run/drydock/telegram": "1:abc",
    });
    assert.doesNotMatch(alertmanagerConfiguration(told, monitoring), /secret|1:abc/);
  });

  it("encrypts mail as the settings say", () => {
    const mail = (security: string) =>
      parse(alertmanagerConfiguration({ email: { ...(told as any).email, security } } as never, monitoring))
        .receivers[0].email_configs[0];
    const of = (security: string) => [mail(security).require_tls, mail(security).force_implicit_tls];
    assert.deepEqual(
      [of("tls"), of("starttls"), of("none")],
      [
        [false, true],
        [true, false],
        [false, false],
      ],
    );
  });

  it("calls the heartbeat as long as the watchdog is raised, and does not say when that ends", () => {
    const beats = { ...monitoring, heartbeat: "https://alive.example.com/x" };
    const { route, receivers } = parse(alertmanagerConfiguration({} as never, beats));
    assert.equal(route.routes[0].receiver, "heartbeat");
    assert.equal(receivers.at(-1).webhook_configs[0].send_resolved, false);
    // At the fifth look after the last call, one each minute, a whole five minutes would not be over by a hair.
    assert.equal(route.group_interval, "1m");
    assert.equal(route.routes[0].repeat_interval, "4m30s");
  });

  it("names alerts that there are", () => {
    const { inhibit_rules } = parse(alertmanagerConfiguration({} as never, monitoring));
    const named = inhibit_rules.flatMap(({ source_matchers, target_matchers }: never) =>
      [...(source_matchers as string[]), ...(target_matchers as string[])].flatMap((one) =>
        /"(.*)"/.exec(one)![1]!.split("|"),
      ),
    );
    assert.deepEqual(
      named.filter((name: string) => !ALERTS.includes(name)),
      [],
    );
  });
});

describe("what Prometheus is told", () => {
  const { monitoring } = settingsOf("monitoring", { interval: 30, off: ["Slow"], alerts: { queueAge: 60 } });

  it("asks what there is, each Redis server by its name", () => {
    const jobs = (targets: object) =>
      parse(prometheusConfiguration("shop", monitoring, targets as never)).scrape_configs.map(
        ({ job_name }: { job_name: string }) => job_name,
      );
    const own = ["prometheus", "alertmanager", "collector", "host"];
    assert.deepEqual(jobs({ database: false, redis: [], backup: false }), own);
    assert.deepEqual(jobs({ database: true, redis: ["redis"], backup: true }), [...own, "database", "backup", "redis"]);
  });

  it("has the settings' numbers in its rules, without those that are not wanted", () => {
    const { start: command } = prometheusCommands(
      "shop",
      monitoring,
      { database: true, redis: ["redis"], backup: true },
      26,
    );
    assert.match(command, /drydock_queue_oldest_seconds\) > 60\n/);
    assert.match(command, /drydock_backup_age_seconds > 93600\n/);
    assert.doesNotMatch(command, /alert: Slow\n/);
    assert.match(command, /--storage\.tsdb\.retention\.time=15d --storage\.tsdb\.retention\.size=1024MB/);
    // The shell of its container reads it: what Prometheus writes with a dollar sign stays as it is.
    assert.match(command, /<<'END'/);
  });
});

describe("what the collector is told", () => {
  it("is the stack's: roles, queues of its workers, the site", () => {
    const workers = {
      mails: { command: ["php", "artisan", "queue:work", "--queue=mail,default"] },
      reverb: { command: ["php", "artisan", "reverb:start"] },
    };
    const settings = collectorSettings("shop", "https://shop.example.com/x", settingsOf("workers", workers));
    assert.deepEqual(collectorSchema.parse(settings), settings);
    assert.deepEqual(settings.fpm?.queues, ["mail", "default"]);
    assert.deepEqual(settings.site, { host: "shop.example.com", path: "/up" });
    assert.ok(settings.roles.includes("worker") && settings.roles.includes("horizon"));
  });

  it("knows the queues of a worker as artisan does, and those of a shell's command", () => {
    const queues = (...command: string[]) =>
      collectorSettings("shop", "https://shop.example.com", settingsOf("workers", { one: { command } })).fpm?.queues;
    const artisan = ["php", "artisan", "queue:work"];
    assert.deepEqual(queues(...artisan, "--queue", "mail,default", "--tries=3"), ["mail", "default"]);
    assert.deepEqual(queues(...artisan, "--queue"), []);
    assert.deepEqual(queues(...artisan, "--queue=a b: c\nd,"), ["a b: c\nd"]);
    assert.deepEqual(queues("sh", "-c", "sleep 1; exec php artisan queue:work --queue=mail,sms --tries=3"), [
      "mail",
      "sms",
    ]);
    assert.deepEqual(queues("sh", "-c", "php artisan queue:work redis --queue 'a b'; x"), ["a b"]);
    assert.deepEqual(queues("sh", "-c", 'php artisan queue:work --queue="$QUEUE"'), []);
  });

  it("is asked nothing of Laravel where replicas serve HTTP by themselves", () => {
    const app = { ...valid()["app"], server: "http" };
    assert.equal(collectorSettings("shop", "http://localhost", settingsOf("app", app)).fpm, undefined);
  });
});

describe("the accounts that measure", () => {
  it("have a password that follows from root's, and tells nothing of it", () => {
    const password = monitorPassword("root's");
    assert.match(password, /^[0-9a-f]{40}$/);
    assert.notEqual(password, monitorPassword("another"));
    assert.doesNotMatch(FILES.database.content("root's"), /root's/);
    assert.match(FILES.database.content("root's"), new RegExp(`user="drydock_monitor"\npassword="${password}"`));
  });

  it("ask each Redis server with Laravel's", () => {
    assert.deepEqual(JSON.parse(FILES.redis.content(["redis", "redis-cache"], "p")), {
      "redis://redis:6379": "p",
      "redis://redis-cache:6379": "p",
    });
  });
});
