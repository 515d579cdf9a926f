import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type Element, h, html, type Node } from "../../../../cli/dashboard/page/h.ts";
import { page, titleOf } from "../../../../cli/dashboard/page/page.ts";
import { type Findings, nothing, type Parts, type State } from "../../../../cli/dashboard/page/state.ts";
import { weeks } from "../../../../cli/dashboard/page/views/backups.ts";
import { marks } from "../../../../cli/dashboard/page/views/charts.ts";
import type { Reader } from "../../../../cli/dashboard/page/views/common.ts";
import { duration } from "../../../../cli/dashboard/page/views/graph.ts";
import { verdict } from "../../../../cli/dashboard/page/views/overview.ts";
import { bytes, inUnit, lasting, short, shortImage } from "../../../../cli/dashboard/page/words.ts";
import { many } from "../../../../lib/many.ts";
import { NOW, sample, withTexts } from "../../../support/dashboard/sample.ts";

const findings = (text: string): Findings => ({
  ...{ of: "drift", at: new Date(NOW).toISOString() },
  findings: [{ kind: "missing", name: text, what: text, remedy: text }],
});
const reader: Reader = { range: "hour", connection: "live", findings: { drift: findings("app-1") }, now: NOW };

/** All elements of a page, in its order. */
function elements(nodes: readonly Node[]): Element[] {
  return nodes.flatMap((node) => (typeof node === "string" ? [] : [node, ...elements(node.children)]));
}
const textOf = (node: Node): string => (typeof node === "string" ? node : node.children.map(textOf).join(""));
const shown = (state: State, how: Partial<Reader> = {}): string =>
  page(state, { ...reader, ...how })
    .map(textOf)
    .join("\n");
const part = (state: State, id: string): string =>
  textOf(elements(page(state, reader)).find(({ attributes }) => attributes["id"] === id)!);
const withParts = (parts: Partial<Parts>): State => ({ ...sample, parts: { ...sample.parts, ...parts } });

describe("HTML", () => {
  it("has texts and attributes as data, whatever is in them", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, value) => {
        const written = html(h("p", { title: value }, text));
        const [, attribute = "", content = ""] = /^<p title="([^"]*)">([^<]*)<\/p>$/s.exec(written) ?? [];
        const back = (one: string) =>
          one.replace(
            /&(amp|lt|gt|quot|#39);/g,
            (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name]!,
          );
        assert.deepEqual([back(attribute), back(content)], [value, text]);
      }),
    );
  });

  it("leaves out what is nothing, and joins texts as a browser does", () => {
    assert.equal(
      html(h("p", { hidden: true, title: undefined, lang: false }, "a", 1, null, ["b", undefined], "")),
      '<p hidden="">a1b</p>',
    );
    assert.deepEqual(h("p", null, "a", ["b", 2]).children, ["ab2"]);
    assert.equal(html(h("input", { value: 3 })), '<input value="3">');
  });

  it("shows what would turn a text's direction, or what can't be seen, and keeps lines", () => {
    assert.deepEqual(h("p", null, "a \u202eb\u001b[1m", ["\n\tc"]).children, ["a \\u202eb␛[1m\n\tc"]);
  });

  it("takes no data for a name", () => {
    for (const name of ['x onclick="', "a>b", "", "1"])
      assert.throws(() => html(h("p", { [name]: "" })), /is not a name/);
    assert.throws(() => html(h("p><script", null)), /is not a name/);
  });
});

describe("the dashboard's page", () => {
  it("has no markup from names, images, messages or commands", () => {
    const hostile = (was: string) => `"'><img src=x onerror=alert(1)><script>alert(2)</script>&lt;b&gt;${was}`;
    const state = withTexts(sample, hostile);
    const how = {
      ...reader,
      findings: {
        drift: findings(hostile("a")),
        doctor: { ...findings(hostile("b")), problem: { what: hostile("c"), remedy: hostile("d") } },
      },
    };
    const nodes = page(state, how);
    const written = nodes.map(html).join("");
    assert.ok(written.includes("&lt;img src=x onerror=alert(1)&gt;"), "it is shown as it is");
    assert.doesNotMatch(written, /<(img|script|b)\b/);
    // The same elements as with harmless names, but for the address, which is no link any more.
    const tags = (all: readonly Element[]) =>
      elements(all)
        .map(({ tag }) => tag)
        .filter((tag) => tag !== "a");
    const drawn = (state: State) => tags(page(state, how));
    assert.deepEqual(drawn(state), drawn(withTexts(sample, (was) => was)));
    for (const { attributes } of elements(nodes))
      for (const name of Object.keys(attributes)) assert.doesNotMatch(name, /^on|^style$|^srcdoc$/);
  });

  it("links only what is an address of the web", () => {
    const linked = (url: string) =>
      elements(page(withParts({ containers: { value: { ...sample.parts.containers.value!, url } } }), reader))
        .filter(({ tag }) => tag === "a")
        .map(({ attributes }) => attributes["href"])
        .filter((href) => !href!.startsWith("#"));
    assert.deepEqual(linked("https://shop.example.com"), ["https://shop.example.com"]);
    for (const url of ["javascript:alert(1)", "data:text/html,x", " https://x", ""])
      assert.deepEqual(linked(url), [], url);
  });

  it("says what is the case, part by part", () => {
    assert.match(part(sample, "containers"), /horizonhorizon✓running✗unhealthy/);
    assert.match(part(sample, "containers"), /4, over and over/);
    assert.match(part(sample, "alerts"), /✗critical QueueStuck since 2026-01-31 11:50/);
    assert.match(part(sample, "alerts"), /1 alert raised if it lasts: DiskFillsUp/);
    assert.match(part(sample, "release"), /up runs by ops@host since 2026-01-31 11:59/);
    assert.match(part(sample, "release"), /about 121 requests of visitors since it began: ✗1 failed/);
    assert.match(part(sample, "release"), /migrate▶runs11:59:3030 s2026_01_01_add_index/);
    assert.match(part(sample, "release"), /public assets○waits––waits for migrate/);
    assert.match(part(sample, "releases"), /2111111111111 ✓servesimage: a → b/);
    assert.match(part(sample, "queues"), /failed jobs: !2.*default31–12 s/);
    assert.match(part(sample, "backups"), /RPO12 s: this much would be lost now/);
    assert.match(part(sample, "certificates"), /shop.example.comauthority2026-03-31 00:00 ✓58 days left✓nothing/);
    assert.match(part(sample, "certificates"), /✗nonetsits|✗noneits certificate is not there yet/);
    assert.match(part(sample, "checks"), /missing app-1: app-1/);
    assert.match(part(sample, "alarms"), /Redis is nearly full!a restore by ops@host/);
  });

  it("has each number of a chart in words and in a table", () => {
    assert.match(
      part(sample, "requests"),
      /How long they take in the last hour: p50 20 ms, from 20 ms to 20 ms; p99 300 ms/,
    );
    assert.match(part(sample, "requests"), /1 release: 2 at 11:30/);
    const tables = elements(page(sample, reader))
      .filter(({ tag }) => tag === "table")
      .map(textOf);
    assert.ok(tables.some((text) => text.startsWith("How long they takeTime (UTC)p50p99")));
  });

  it("works where nothing is known yet, and where parts are missing or can't be asked", () => {
    assert.match(shown(nothing("shop", "")), /asking …/);
    const remedy = "./drydock up";
    const absent = { absent: { what: "stack shop is not measured", remedy } };
    const without = withParts({ charts: absent, queues: absent, alerts: absent, meanwhile: absent, backups: absent });
    for (const id of ["requests", "queues", "alerts", "backups"])
      assert.match(part(without, id), /stack shop is not measured\.\/drydock up$/, id);
    assert.match(part(without, "release"), /requests meanwhile are not counted: stack shop is not measured/);
    assert.match(part(without, "containers"), /horizon/);
    const gone = withParts({
      containers: { ...sample.parts.containers, problem: { what: "Docker is gone" } },
      backups: { problem: { what: "no agent" } },
    });
    assert.match(part(gone, "containers"), /can't be toldDocker is gone.*as it was at 2026-01-31 12:00.*horizon/);
    assert.match(part(gone, "backups"), /can't be toldno agent/);
  });

  it("says when a release is over, and claims no step where none is seen", () => {
    const over = withParts({
      activity: {
        value: {
          steps: sample.parts.activity.value!.steps,
          from: "events",
          releases: [],
          ended: "2026-01-31T12:00:00Z",
        },
      },
    });
    assert.match(part(over, "release"), /the last change was over at 2026-01-31 12:00/);
    const none = withParts({ activity: { value: { steps: [], from: "nothing", releases: [] } } });
    assert.match(part(none, "release"), /none: nothing changes the stack/);
    const change = { verb: "up", by: "ci@host", since: "2026-01-31T11:59:00Z", certain: false };
    const unseen = withParts({ activity: { value: { change, steps: [], from: "host", releases: [] } } });
    assert.match(part(unseen, "release"), /its end was not recorded.*its steps can't be seen from here/);
  });

  it("says in one line whether it is well", () => {
    const said = (parts: Partial<Parts>) => {
      const { mood, says } = verdict({ ...nothing("", "").parts, ...parts });
      return `${mood}: ${says}`;
    };
    const well = { ...sample.parts.containers.value!, services: sample.parts.containers.value!.services.slice(0, 2) };
    const { alarms: _, restore: __, unfinished: ___, ...plain } = well;
    assert.equal(said({}), "calm: asking …");
    assert.equal(said({ containers: { problem: { what: "Docker is gone" } } }), "calm: Docker is gone");
    assert.equal(said({ containers: { value: plain } }), "good: all 2 containers healthy");
    assert.equal(
      said({ containers: { value: { ...plain, alarms: ["Redis is nearly full"] } } }),
      "warn: Redis is nearly full",
    );
    assert.equal(said({ containers: { value: { ...plain, services: [] } } }), "bad: nothing runs");
    assert.match(
      said({ containers: { value: { ...well, alarms: [], services: sample.parts.containers.value!.services } } }),
      /^bad: 1 of 3 containers not healthy: horizon/,
    );
    assert.equal(said({ containers: { value: plain }, alerts: sample.parts.alerts }), "bad: 1 alert raised");
    assert.match(
      said({ containers: { value: { ...plain, unfinished: well.unfinished! } } }),
      /^warn: the last deployment has not gone/,
    );
    assert.equal(titleOf(sample), "✗ shop – Drydock");
  });

  it("can be read by those who don't see it: landmarks, headings, names, words beside colours", () => {
    const all = elements(page(sample, reader));
    const of = (tag: string) => all.filter((one) => one.tag === tag);
    assert.deepEqual(
      ["header", "nav", "main", "h1"].map((tag) => of(tag).length),
      [1, 1, 1, 1],
    );
    const ids = all.flatMap(({ attributes }) => attributes["id"] ?? []);
    assert.equal(new Set(ids).size, ids.length);
    for (const { attributes } of of("section")) assert.ok(ids.includes(attributes["aria-labelledby"]!));
    for (const { attributes } of of("a").filter((one) => one.attributes["href"]!.startsWith("#")))
      assert.ok(ids.includes(attributes["href"]!.slice(1)), attributes["href"]);
    for (const one of of("button")) assert.notEqual(textOf(one), "");
    for (const one of of("th")) assert.match(one.attributes["scope"] ?? "", /^(col|row)$/);
    for (const table of of("table")) assert.equal((table.children[0] as Element).tag, "caption");
    assert.equal(of("svg")[0]!.attributes["role"], "img");
    assert.notEqual(of("svg")[0]!.attributes["aria-label"], "");
    const levels = all.filter(({ tag }) => /^h\d$/.test(tag)).map(({ tag }) => Number(tag.slice(1)));
    for (const [index, level] of levels.entries()) assert.ok(level <= (levels[index - 1] ?? 0) + 1, `h${level}`);
    // A badge is a sign, hidden from those who hear it, and a word.
    for (const one of all.filter(({ attributes }) => attributes["class"]?.startsWith("badge")))
      assert.ok(one.children.length >= 2 && textOf(one.children[1]!) !== "", textOf(one));
  });

  it("has no button in a file, but those for the range", () => {
    const buttons = elements(page(sample, { ...reader, connection: "file" })).filter(({ tag }) => tag === "button");
    assert.deepEqual(buttons.map(textOf), ["hour", "day", "week"]);
    assert.match(shown(sample, { connection: "file" }), /an export: this is how it was/);
  });
});

describe("what the dashboard draws", () => {
  it("is a calendar of whole weeks up to today", () => {
    const days = weeks(NOW);
    assert.deepEqual(
      days.map((week) => week[0]),
      ["2025-12-29", "2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"],
    );
    assert.deepEqual([days[0]!.length, days[4]!.at(-1)], [7, "2026-01-31"]);
    assert.deepEqual(weeks(Date.parse("2026-02-02T00:00:00Z"), 1), [["2026-02-02"]]);
    const text = part(sample, "backups");
    assert.match(text, /31✓1 verified\+29\.3 KiB/);
    assert.match(text, /30✗1 of 1 not verified\+19\.5 KiB/);
    assert.match(text, /29none/);
  });

  it("marks the releases of the time that is shown, oldest first", () => {
    const all = sample.parts.charts.value!.hour!;
    assert.deepEqual(marks(all, sample.parts.releases.value!), [
      { sequence: 2, release: "111111111111", at: NOW / 1000 - 1_800 },
    ]);
    assert.deepEqual(marks({ ...all, charts: [] }, []), []);
  });

  it("counts how long a step runs", () => {
    const since = new Date(NOW - 5_000).toISOString();
    assert.equal(duration({ id: "switch", status: "running", since }, NOW), 5);
    assert.equal(duration({ id: "switch", status: "done", since, seconds: 2 }, NOW), 2);
    assert.equal(duration({ id: "switch", status: "waiting" }, NOW), undefined);
  });

  it("says numbers as people read them", () => {
    assert.deepEqual([0, 0.0123, 0.5, 2.34, 12, 600, 7_200, 900_000].map(lasting), [
      "0 ms",
      "12 ms",
      "500 ms",
      "2.3 s",
      "12 s",
      "10 min",
      "2 h",
      "10 days",
    ]);
    assert.deepEqual([0, 1023, 1536, 3 * 2 ** 30].map(bytes), ["0 B", "1023 B", "1.5 KiB", "3.0 GiB"]);
    assert.deepEqual(
      [short(0.12345), short(123.4), many(1, "job"), many(2, "job")],
      ["0.123", "123", "1 job", "2 jobs"],
    );
    assert.deepEqual([inUnit(0.25, "seconds"), inUnit(2, "per second"), inUnit(7, "number")], ["250 ms", "2/s", "7"]);
    assert.equal(shortImage(`a/b@sha256:${"0".repeat(64)}`), `a/b@sha256:${"0".repeat(12)}…`);
  });
});
