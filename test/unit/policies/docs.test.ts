import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue, ruleNamed } from "../../../policies/catalogue.ts";
import { policiesDocument } from "../../../policies/docs.ts";
import { explain } from "../../../policies/explain.ts";

const ROOT = join(import.meta.dirname, "../../..");
const drydock = (...args: readonly string[]) =>
  execFileSync(process.execPath, [join(ROOT, "start/cli.mjs"), ...args], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });

describe("policies: documents", () => {
  it("docs/policies.md is what the catalogue says (else: npx tsx policies/docs.ts)", () => {
    assert.equal(readFileSync(join(ROOT, "docs/policies.md"), "utf8"), policiesDocument());
  });

  it("half of the rules are 40 lines or shorter", () => {
    const lengths = readdirSync(join(ROOT, "policies/rules"))
      .flatMap((file) =>
        readFileSync(join(ROOT, `policies/rules/${file}`), "utf8")
          .split(/^(?=export const \w+ = (?:resource|stack)Rule)/m)
          .slice(1),
      )
      .map((text) => text.slice(0, text.search(/^\}\);$/m)).split("\n").length)
      .sort((a, b) => a - b);
    assert.equal(lengths.length, catalogue.length);
    assert.ok(lengths[Math.floor(lengths.length / 2)]! <= 40, lengths.join(" "));
  });

  it("a rule is explained: why, bad, good, remedy, parameters", () => {
    const text = explain(ruleNamed("db-connection-explicit")!);
    for (const part of [
      "why      without DB_CONNECTION Laravel silently took SQLite",
      "source   incident 2",
      'bad      envs: ["DB_HOST=database"]',
      "good ",
      "remedy ",
      'allowed (default ["mariadb","mysql","pgsql"])',
    ])
      assert.ok(text.includes(part), part);
  });

  it("./drydock policies lists every rule with level, scope and source; with --json for programs", () => {
    const rows = drydock("policies").split("\n");
    for (const { name } of catalogue)
      assert.ok(
        rows.some((row) => row.startsWith(`${name} `)),
        name,
      );
    const json = JSON.parse(drydock("policies", "--json")) as { name: string; level: string; source: string[] }[];
    assert.deepEqual(
      json.map(({ name }) => name),
      catalogue.map(({ name }) => name),
    );
    assert.deepEqual(json[0], {
      name: "no-compose-no-recreate",
      level: "mandatory",
      scope: "resource",
      family: "laravel",
      source: ["incident 1"],
      summary: "No command uses docker compose's --no-recreate.",
    });
  });

  it("./drydock policies explain refuses a name that is none, and proposes one", () => {
    assert.throws(
      () => drydock("policies", "explain", "memory"),
      (error: { status: number; stderr: string }) => {
        assert.equal(error.status, 2);
        assert.match(error.stderr, /no rule is called memory\n  remedy: .\/drydock policies explain memory-limit/);
        return true;
      },
    );
  });
});
