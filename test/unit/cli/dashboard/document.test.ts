import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { makeKeys } from "../../../../cli/dashboard/admission.ts";
import { exportOf, pageOf } from "../../../../cli/dashboard/document.ts";
import { pageFiles } from "../../../../cli/dashboard/files.ts";
import { backupsOf } from "../../../../cli/dashboard/sources/backups.ts";
import { releaseRows } from "../../../../cli/dashboard/sources/releases.ts";
import { told } from "../../../../cli/dashboard/sources/source.ts";
import type { Status } from "../../../../contracts/agent.ts";
import type { Entry } from "../../../../contracts/entry.ts";
import type { Release } from "../../../../records/release.ts";
import { NOW, sample, withTexts } from "../../../support/dashboard/sample.ts";

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

describe("the dashboard as one file", () => {
  let files: { script: string; style: string };
  before(async () => {
    files = await pageFiles();
  });
  const exported = (state = sample) => exportOf(state, { ...files, findings: [] });

  it("has its script, its styles and its state in it, and asks nobody for anything", () => {
    const text = exported();
    const [, policy = ""] = /<meta http-equiv="content-security-policy" content="([^"]*)">/.exec(text) ?? [];
    assert.match(policy, /^default-src 'none'; /);
    assert.doesNotMatch(policy, /self|http|unsafe|connect/);
    // Those that are in it run, and no others.
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(text) ?? [];
    const [, script = ""] = /<script>([^]*?)<\/script>/.exec(text) ?? [];
    assert.deepEqual([style, script], [files.style, files.script]);
    assert.ok(policy.includes(`script-src ${hash(script)};`) && policy.includes(`style-src ${hash(style)};`));
    assert.equal(text.match(/<script/g)!.length, 3);
    assert.doesNotMatch(text, /<(link|script|img)[^>]* (href|src)="(?!data:)/);
    const [, state = ""] = /<script type="application\/json" id="state">([^]*?)<\/script>/.exec(text) ?? [];
    assert.deepEqual(JSON.parse(state), sample);
    assert.match(text, /an export: this is how it was/);
  });

  it("ends no script by what is in its state", () => {
    const state = withTexts(sample, (was) => `</script><script>alert(1)</script><!--${was}`);
    const text = exported(state);
    assert.equal(text.match(/<script/g)!.length, 3);
    assert.ok(!text.includes("<!--"));
    const [, data = ""] = /id="state">([^]*?)<\/script>/.exec(text) ?? [];
    assert.deepEqual(JSON.parse(data), state);
  });

  it("has no secret in it, neither the token nor what stands beside what it shows", () => {
    const keys = makeKeys();
    const secret = "hunter2hunter2";
    const release = {
      ...{ sequence: 1, release: "a", image: "shop:1", id: "sha256:1", env: secret, settings: secret, by: "ops@host" },
      ...{ at: "2026-01-31T00:00:00Z", migrations: { contained: [secret], applied: {} }, secret },
    } as Release;
    const entry = {
      ...{ id: "20260131T020000Z-3f2a", type: "full", reason: "daily", stack: "shop", started: "2026-01-31T02:00:00Z" },
      ...{ finished: "2026-01-31T02:00:04Z", seconds: 4, verified: true, copies: ["local"], secret },
      database: {
        schema: secret,
        sums: { [secret]: { rows: 1, checksum: secret } },
        bytes: 1,
        added: 1,
        definers: [secret],
      },
    } as unknown as Entry;
    const status = {
      next: {},
      alarms: [],
      left: [secret],
      running: null,
      rpoSeconds: 1,
      rtoSeconds: 1,
    } as unknown as Status;
    const state = {
      ...sample,
      parts: {
        ...sample.parts,
        releases: told(releaseRows([release], [], "a")),
        backups: told(backupsOf([entry], status)),
      },
    };
    for (const text of [exported(state), pageOf(state, { ...files, findings: [] })]) {
      assert.ok(!text.includes(secret));
      assert.ok(!text.includes(keys.token) && !text.includes(keys.folder));
      assert.match(text, /20260131T020000Z-3f2a/);
    }
  });

  it("loads only files that are served, where it is served", () => {
    const text = pageOf(sample, { ...files, findings: [] });
    const loaded = [...text.matchAll(/ (?:href|src)="([^"#][^"]*)"/g)].map(([, address]) => address);
    assert.deepEqual(
      loaded.filter((one) => !one!.startsWith("data:")),
      ["page.js", "https://shop.example.com"],
    );
    assert.match(text, /<html lang="en">/);
    assert.equal(text.match(/<script/g)!.length, 2);
  });

  it("has a script that reaches for nothing elsewhere, and makes no markup", () => {
    assert.doesNotMatch(files.script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/);
    const addresses = [...files.script.matchAll(/https?:\/\/[\w./-]+/g)].map(([one]) => one);
    assert.deepEqual([...new Set(addresses)], ["http://www.w3.org/2000/svg"]);
    assert.doesNotMatch(files.script, /<\/script/);
    assert.doesNotMatch(files.style, /<\/style|@import|url\(/);
  });

  it("is as old as its state", () => assert.match(exported(), new RegExp(new Date(NOW).toISOString().slice(0, 16))));
});
