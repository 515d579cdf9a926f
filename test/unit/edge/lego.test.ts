import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { Lego } from "../../../certificates/lego.ts";
import type { KeeperSettings } from "../../../contracts/certificates.ts";

const settings: KeeperSettings = {
  ...{ stack: "edge", ca: "https://ca.test/", staging: "https://trials.test/", challenge: "http-01", preflight: true },
  ...{ resolvers: [], hstsAfter: 7, eab: "kid-1" },
};

describe("lego, as the keeper calls it", () => {
  let root: string;
  const path = process.env.PATH;
  const called = () => readFileSync(join(root, "called"), "utf8").trim().split("\n");
  const lego = (more: Partial<KeeperSettings> = {}) =>
    new Lego(
      { ...settings, ...more },
      { state: root, certificates: join(root, "certs"), accounts: join(root, "accounts") },
      (name) => (name === "eab" ? "key" : "{}"),
    );
  /** A lego of this shell, which signs once `line` has gone well. */
  function program(line: string): void {
    const file = join(root, "bin", "lego");
    mkdirSync(join(root, "bin"), { recursive: true });
    writeFileSync(
      file,
      `#!/bin/sh
printf '%s eab=%s\\n' "$*" "\${LEGO_EAB_KID:-}" >> ${root}/called
folder=$2; server=$4
${line}
mkdir -p "$folder/accounts" "$folder/certificates"
echo chain > "$folder/certificates/shop.example.com.crt"; echo key > "$folder/certificates/shop.example.com.key"
`,
    );
    chmodSync(file, 0o755);
    process.env.PATH = `${join(root, "bin")}${delimiter}${path}`;
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-lego-"));
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(root, { recursive: true, force: true });
  });

  it("tells an account's key to its own authority alone", async () => {
    program(":");
    await lego().rehearse("shop.example.com");
    await lego().obtain("shop.example.com");
    const [trial, real] = called();
    assert.match(trial!, /--server https:\/\/trials\.test\/ .* run eab=$/);
    assert.doesNotMatch(trial!, /--eab/);
    assert.match(real!, /--server https:\/\/ca\.test\/ .* --eab run eab=kid-1$/);
  });

  it("gets another account where the authority has forgotten it, for a renewal too", async () => {
    program(":");
    await lego().obtain("shop.example.com");
    program('[ ! -e "$folder/accounts" ] || { echo "urn:ietf:params:acme:error:accountDoesNotExist"; exit 1; }');
    await lego().obtain("shop.example.com");
    const [, renewed, again] = called();
    assert.match(renewed!, / renew --dynamic --no-random-sleep eab/);
    assert.match(again!, / run eab/);
    const [folder] = readdirSync(join(root, "accounts"));
    assert.match(readdirSync(join(root, "accounts", folder!)).join(" "), /accounts accounts\.forgotten-\d+/);
  });

  it("makes one account for names that are asked for at the same time", async () => {
    const names = ["a", "b", "c"].map((one) => `${one}.example.com`);
    const all = async (one: Lego) => await Promise.allSettled(names.map((name) => one.obtain(name)));
    // Who comes while the first makes an account would make another.
    const twice = `[ ! -e ${root}/made ] || echo twice >> ${root}/called; : > ${root}/made; sleep 0.3`;
    program(`[ -e "$folder/accounts" ] || { ${twice}; }`);
    const one = lego();
    await all(one);
    assert.equal(called().length, 3);
    assert.ok(!called().includes("twice"));
    // It is forgotten: each says so, and it is put away once.
    program(`[ ! -e "$folder/accounts/old" ] || { sleep 0.2; echo "acme:error:accountDoesNotExist"; exit 1; }`);
    const [folder] = readdirSync(join(root, "accounts"));
    writeFileSync(join(root, "accounts", folder!, "accounts", "old"), "");
    await all(one);
    assert.equal(called().length, 9);
    const accounts = readdirSync(join(root, "accounts", folder!)).filter((name) => name.startsWith("accounts"));
    assert.equal(accounts.length, 2, accounts.join(" "));
  });

  it("makes an account where there is none, and asks nobody twice for another failure", async () => {
    program(
      `case "$*" in *renew*) echo "Account x is not registered. Use 'run' to register a new account."; exit 1; esac`,
    );
    await lego().obtain("shop.example.com");
    await lego().obtain("shop.example.com");
    assert.deepEqual(
      called().map((line) => / (run|renew) /.exec(line)![1]),
      ["run", "renew", "run"],
    );
    program('echo "acme: error: 429 too many"; exit 1');
    await assert.rejects(lego().obtain("shop.example.com"), /429/);
    assert.equal(called().length, 4);
  });

  it("waits for a zone's record as long as was set", async () => {
    program(":");
    await lego({ dns: "httpreq", dnsWait: 7 })
      .obtain("*.example.com")
      .catch(() => undefined);
    assert.match(called()[0]!, / --dns httpreq --dns\.propagation-wait 7s /);
  });
});
