import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs, { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { Keeper, type Makers } from "../../../certificates/keeper.ts";
import { placeholder } from "../../../certificates/openssl.ts";
import { reasonOf } from "../../../certificates/run.ts";
import type { KeeperSettings } from "../../../contracts/certificates.ts";
import { Alarms } from "../../../lib/alarms.ts";

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const settings: KeeperSettings = {
  stack: "edge",
  ca: "https://ca.test/directory",
  challenge: "http-01",
  preflight: true,
  resolvers: [],
  hstsAfter: 7,
};

describe("the keeper of the certificates", () => {
  let root: string;
  let now: number;
  let log: string[];
  let sent: string[];
  /** By name, what the authority is asked for and how often. */
  let asked: string[];
  let kept: Map<string, string>;
  let fails: Set<string>;
  const folders = () => ({
    state: join(root, "state"),
    certificates: join(root, "certs"),
    accounts: join(root, "accounts"),
  });
  const live = (name: string) => readFileSync(join(root, "certs", "live", `${name.replace("*", "_")}.pem`), "utf8");

  /** A certificate of 90 days from now on; the tests' clock is the machine's. */
  function signed(name: string, days = 90): string {
    const file = join(root, "made");
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", String(days)],
        ...[
          "-subj",
          "/CN=Test authority",
          "-addext",
          `subjectAltName=DNS:${name}`,
          "-keyout",
          `${file}.key`,
          "-out",
          `${file}.pem`,
        ],
      ],
      { stdio: "ignore" },
    );
    return readFileSync(`${file}.pem`, "utf8") + readFileSync(`${file}.key`, "utf8");
  }

  function keeper(more: Partial<Makers> = {}, own: Partial<KeeperSettings> = {}): Keeper {
    const alarms = new Alarms({
      stack: "edge",
      path: join(root, "accounts", "alarms.json"),
      ways: [{ name: "list", send: async ({ kind, name, message }) => void sent.push(`${kind} ${name}: ${message}`) }],
      log: (_, line) => void log.push(line),
    });
    return new Keeper(
      { ...settings, ...own },
      folders(),
      {
        rehearse: async (name) => {
          if (own.staging !== undefined) asked.push(`rehearse ${name}`);
        },
        obtain: async (name) => {
          asked.push(name);
          if (fails.has(name)) throw new Error("the authority says no");
          if (!kept.has(name)) kept.set(name, signed(name));
          return kept.get(name)!;
        },
        kept: (name) => kept.get(name),
        placeholder: (name) => placeholder(join(root, "scratch"), name),
        local: async (name) => signed(name),
        preflight: async () => undefined,
        now: () => now,
        log: (_, line) => void log.push(line),
        ...more,
      },
      alarms,
    );
  }

  function want(stack: string, ...names: string[]): void {
    mkdirSync(join(root, "state", "wanted"), { recursive: true });
    writeFileSync(join(root, "state", "wanted", `${stack}.json`), JSON.stringify({ stack, names }));
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-keeper-"));
    [now, log, sent, asked, kept, fails] = [Date.now(), [], [], [], new Map(), new Set()];
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("gets a certificate for each name, in one file with its key", async () => {
    want("prod", "shop.example.com", "*.example.com");
    const one = keeper();
    await one.look();
    for (const name of ["shop.example.com", "*.example.com"])
      assert.match(live(name), /BEGIN CERTIFICATE[^]*PRIVATE KEY/);
    assert.deepEqual(
      one.status().map(({ kind }) => kind),
      ["authority", "authority"],
    );
    await one.look();
    assert.deepEqual(asked.sort(), ["*.example.com", "shop.example.com"]);
  });

  /** Runs `work` while the disk takes only so many bytes of a write, or none: then it is full. */
  async function onDisk(takes: (bytes: number) => number, work: () => Promise<void>): Promise<void> {
    const original = fs.writeSync;
    const limited = (file: number, content: string | Uint8Array, at = 0): number => {
      const bytes = Buffer.from(content).subarray(at);
      const length = takes(bytes.length);
      if (length === 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      return original(file, bytes, 0, length);
    };
    Object.assign(fs, { writeSync: limited });
    syncBuiltinESMExports();
    try {
      await work();
    } finally {
      Object.assign(fs, { writeSync: original });
      syncBuiltinESMExports();
    }
  }

  it("puts a certificate there whole, where the disk takes it in pieces", async () => {
    want("prod", "shop.example.com");
    await onDisk(
      (bytes) => Math.ceil(bytes / 2),
      () => keeper().look(),
    );
    assert.equal(live("shop.example.com"), kept.get("shop.example.com"));
  });

  it("says that the volume is full, serves the last certificate, and goes on when there is room again", async () => {
    want("prod", "shop.example.com");
    const one = keeper();
    await one.look();
    const before = live("shop.example.com");
    want("prod", "shop.example.com", "new.example.com");
    await onDisk(
      () => 0,
      async () => {
        await one.look();
        await one.look();
      },
    );
    assert.equal(live("shop.example.com"), before);
    assert.deepEqual(
      sent.map((line) => line.replace(/:.*/, "")),
      ["alarm volume"],
    );
    assert.match(sent[0]!, /ENOSPC/);
    now += 2 * HOUR;
    await one.look();
    assert.match(live("new.example.com"), /BEGIN CERTIFICATE/);
    await one.look();
    assert.match(sent.at(-1)!, /^over volume/);
  });

  it("stops for no name that fails, and asks for it again after an hour, six hours and a day", async () => {
    want("prod", "bad.example.com", "good.example.com");
    fails.add("bad.example.com");
    const one = keeper();
    const times: number[] = [];
    for (const end = now + 3 * DAY; now < end; now += 30 * MINUTE) {
      const before = asked.filter((name) => name === "bad.example.com").length;
      await one.look();
      if (asked.filter((name) => name === "bad.example.com").length > before) times.push(now);
    }
    assert.deepEqual(
      times.map((time) => Math.round((time - times[0]!) / HOUR)),
      [0, 1, 7, 31, 55],
    );
    assert.match(live("good.example.com"), /Test|CERTIFICATE/);
    const [bad, good] = one.status();
    assert.equal(bad!.kind, "placeholder");
    assert.equal(bad!.problem, "the authority says no");
    assert.equal(good!.kind, "authority");
  });

  it("asks for four names at a time, and takes in a name that comes while they are waited for", async () => {
    const names = Array.from({ length: 9 }, (_, index) => `site-${index + 1}.example.com`);
    want("prod", ...names);
    const open = new Map<string, () => void>();
    let [most, over] = [0, false];
    const one = keeper({
      obtain: async (name) => {
        asked.push(name);
        await new Promise<void>((resolve) => {
          open.set(name, resolve);
          most = Math.max(most, open.size);
        });
        open.delete(name);
        return signed(name);
      },
    });
    const look = one.look().finally(() => (over = true));
    const until = async (what: () => boolean) => {
      for (const end = Date.now() + 10_000; !what(); await new Promise((done) => setTimeout(done, 20)))
        assert.ok(Date.now() < end, JSON.stringify({ asked, open: [...open.keys()] }));
    };
    await until(() => open.size === 4);
    // The first is slow; the others are not kept by it.
    for (const name of names.slice(1)) {
      await until(() => open.has(name));
      open.get(name)!();
    }
    await until(() => open.size === 1 && existsSync(join(root, "certs", "live", "site-9.example.com.pem")));
    want("staging", "new.example.com");
    await until(() => existsSync(join(root, "certs", "live", "new.example.com.pem")) && open.has("new.example.com"));
    assert.equal(over, false);
    for (const resolve of open.values()) resolve();
    await look;
    assert.deepEqual([most, asked.length, new Set(asked).size], [4, 10, 10]);
    assert.equal(
      one.status().every(({ kind }) => kind === "authority"),
      true,
    );
  });

  it("says what is wrong while a name is waited for, however long that takes", async () => {
    want("prod", "slow.example.com");
    let answer = () => {};
    const one = keeper({
      obtain: async (name) => {
        await new Promise<void>((resolve) => (answer = resolve));
        return signed(name);
      },
    });
    await onDisk(
      () => 0,
      async () => {
        const look = one.look();
        for (const end = Date.now() + 10_000; sent.length === 0; await new Promise((done) => setTimeout(done, 20)))
          assert.ok(Date.now() < end, "nothing was said");
        assert.match(sent[0]!, /^alarm volume: .*ENOSPC/);
        answer();
        await look;
      },
    );
  });

  it("asks nobody for a name that doesn't lead here, and does as soon as it does", async () => {
    want("prod", "shop.example.com");
    let problem: string | undefined = "no name server knows shop.example.com";
    const one = keeper({ preflight: async () => problem });
    await one.look();
    now += 31_000;
    await one.look();
    assert.deepEqual(asked, []);
    assert.equal(one.status()[0]!.problem, problem);
    problem = undefined;
    now += 31_000;
    await one.look();
    assert.deepEqual(asked, ["shop.example.com"]);
    assert.equal(one.status()[0]!.problem, undefined);
  });

  it("tries the authority for trials first, and only that one where it says no", async () => {
    want("prod", "shop.example.com");
    let refuses = true;
    const one = keeper(
      {
        rehearse: async (name) => {
          asked.push(`rehearse ${name}`);
          if (refuses) throw new Error("no");
        },
      },
      { staging: "https://staging.test/" },
    );
    await one.look();
    now += 2 * MINUTE;
    refuses = false;
    await one.look();
    assert.deepEqual(asked, ["rehearse shop.example.com", "rehearse shop.example.com", "shop.example.com"]);
  });

  it("says once that a name has no certificate, after ten minutes, and once that it has", async () => {
    want("prod", "shop.example.com");
    fails.add("shop.example.com");
    const one = keeper();
    await one.look();
    assert.deepEqual(sent, []);
    for (let i = 0; i < 3; i++) {
      now += 11 * MINUTE;
      await one.look();
    }
    assert.equal(sent.length, 1);
    assert.match(sent[0]!, /^alarm shop\.example\.com: .*browsers warn of the site: the authority says no$/);
    fails.clear();
    now += HOUR;
    await one.look();
    assert.match(sent[1]!, /^over shop\.example\.com/);
    assert.equal(sent.length, 2);
  });

  it(
    "keeps the last good certificate while the authority is away, " +
      "says so when it ends soon, and recovers by itself",
    async () => {
      want("prod", "shop.example.com");
      const one = keeper();
      await one.look();
      const first = live("shop.example.com");
      fails.add("shop.example.com");
      // From one third on lego would renew; the alarm comes when a fifth is left.
      const begin = now;
      let tries = asked.length;
      for (now = begin + 61 * DAY; now < begin + 74 * DAY; now += 6 * HOUR) await one.look();
      assert.equal(live("shop.example.com"), first);
      assert.equal(sent.filter((line) => line.startsWith("alarm")).length, 1);
      tries = asked.length - tries;
      assert.ok(tries < 20, `${tries} tries in 13 days`);
      fails.clear();
      kept.clear();
      now += DAY;
      await one.look();
      assert.notEqual(live("shop.example.com"), first);
    },
  );

  it("puts the last certificate back where somebody wrote rubbish over it", async () => {
    want("prod", "shop.example.com");
    const one = keeper();
    await one.look();
    const good = live("shop.example.com");
    for (const rubbish of [
      "rubbish",
      "",
      signed("other.example.com"),
      good.replace(
        /-----BEGIN CERT[^]*?-----END CERTIFICATE-----/,
        signed("shop.example.com").match(/-----BEGIN CERT[^]*?-----END CERTIFICATE-----/)![0],
      ),
    ]) {
      writeFileSync(join(root, "certs", "live", "shop.example.com.pem"), rubbish);
      await one.look();
      assert.equal(live("shop.example.com"), good);
    }
    assert.equal(asked.length, 1);
  });

  it("serves a certificate of the user's own, and says when it ends soon", async () => {
    want("prod", "shop.example.com");
    const own = signed("shop.example.com", 10);
    mkdirSync(join(root, "state", "own"), { recursive: true });
    writeFileSync(join(root, "state", "own", "shop.example.com.pem"), own);
    const one = keeper();
    await one.look();
    assert.equal(live("shop.example.com"), own);
    assert.deepEqual(asked, []);
    assert.match(sent[0]!, /is your own and ends on/);
    assert.equal(one.status()[0]!.kind, "own");
  });

  it(
    "has browsers use nothing but https when a real certificate has been there for a week, " +
      "and never for one of its own authority",
    async () => {
      want("prod", "shop.example.com");
      const proven = () => existsSync(join(root, "certs", "proven", "shop.example.com"));
      const one = keeper();
      await one.look();
      assert.equal(proven(), false);
      now += 8 * DAY;
      await one.look();
      assert.equal(proven(), true);
      const local = keeper({}, { ca: "local" });
      await local.look();
      assert.equal(proven(), false);
    },
  );

  it("forgets a name that no stack wants any more, and is told nothing by a file that can't be read", async () => {
    want("prod", "shop.example.com");
    want("other", "other.example.com");
    const one = keeper();
    await one.look();
    rmSync(join(root, "state", "wanted", "other.json"));
    writeFileSync(join(root, "state", "wanted", "broken.json"), "{");
    await one.look();
    assert.equal(existsSync(join(root, "certs", "live", "other.example.com.pem")), false);
    assert.match(live("shop.example.com"), /CERTIFICATE/);
    for (const name of ["../../etc/passwd", "a b", "--server", "x"]) want("evil", name);
    assert.deepEqual([...one.wanted().keys()], ["shop.example.com"]);
  });
});

describe("what a program says of its failure", () => {
  it("is the line that tells why", () => {
    assert.equal(
      reasonOf("2026/01/01 10:00:00 [INFO] x\n2026/01/01 10:00:01 Could not obtain certificates: acme: error 429\n"),
      "Could not obtain certificates: acme: error 429",
    );
    assert.equal(reasonOf(""), undefined);
  });
});
