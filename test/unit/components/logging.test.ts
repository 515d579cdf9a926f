import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { logging } from "../../../components/logging.ts";
import { logs } from "../../../config/schema/release.ts";

const of = (ship?: string) => logging({ stack: "prod", logs: logs.parse(ship === undefined ? {} : { ship }) });

describe("how containers log", () => {
  it("goes into files that are rotated", () => {
    assert.deepEqual(of(), { logDriver: "json-file", logOpts: { "max-size": "10m", "max-file": "3" } });
  });

  it("goes to a collector besides, which nothing waits for, and which is told whose line it is", () => {
    const common = { mode: "non-blocking", "max-buffer-size": "4m" };
    const labels = "drydock.stack,drydock.role,drydock.release";
    const syslog = { "syslog-format": "rfc5424micro", tag: '{{truncate (printf "prod/%s" .Name) 32}}' };
    const fluentd = { "fluentd-async": "true", "fluentd-sub-second-precision": "true", tag: "drydock.prod.{{.Name}}" };
    for (const [ship, driver, options] of [
      ["syslog://127.0.0.1:514", "syslog", { "syslog-address": "udp://127.0.0.1:514", ...syslog }],
      ["syslog://[::1]:514", "syslog", { "syslog-address": "udp://[::1]:514", ...syslog }],
      [
        "gelf://10.0.0.7:12201",
        "gelf",
        { "gelf-address": "udp://10.0.0.7:12201", labels, tag: "drydock/prod/{{.Name}}" },
      ],
      ["fluentd://logs.test:24224", "fluentd", { "fluentd-address": "logs.test:24224", labels, ...fluentd }],
    ] as const)
      assert.deepEqual(of(ship), { logDriver: driver, logOpts: { ...common, ...options } });
  });

  for (const ship of [
    ...["syslog://logs.test:514", "gelf://logs.test:12201", "syslog+tcp://127.0.0.1:514", "tcp://127.0.0.1:514"],
    ...["syslog://127.0.0.1", "syslog://127.0.0.1:0", "syslog://127.0.0.1:70000", "syslog://[127.0.0.1:514"],
    ...["journald", "unixgram:///dev/log", "fluentd://logs.test:24224/tag", "fluentd://logs test:1", "", "loki://x:1"],
  ])
    it(`lets no container depend on ${JSON.stringify(ship)}`, () => {
      assert.equal(logs.safeParse({ ship }).success, false);
    });
});
