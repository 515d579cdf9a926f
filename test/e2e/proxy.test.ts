import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { docker } from "../support/clone.ts";
import { ProxyRig } from "../support/proxyRig.ts";

/** What the proxy does with requests: real nginx and real PHP-FPM, no stack. */
describe("the proxy's site", function () {
  this.timeout(120_000);
  const rig = new ProxyRig();
  const who = async (...headers: readonly (readonly [string, string])[]) =>
    JSON.parse((await rig.ask("/who", { headers })).body) as Record<string, string>;
  const switched = (...args: Parameters<ProxyRig["switch"]>) => {
    const { code, stderr } = rig.switch(...args);
    assert.equal(code, 0, stderr);
  };

  before(() => {
    rig.start();
    rig.inVolume(
      "public",
      "mkdir -p releases/0123456789ab/build/assets hashed && ln -s /var/www/html/storage/app/public " +
        "releases/0123456789ab/storage",
    );
    rig.inVolume(
      "storage",
      "mkdir -p public private && echo stored > public/note.txt && echo private > private/secret.txt",
    );
    switched();
  });
  after(() => rig.remove());

  describe("who the visitor is", () => {
    const lies = [
      ["X-Forwarded-For", "6.6.6.6"],
      ["X-Forwarded-Host", "evil.example"],
      ["X-Forwarded-Port", "444"],
      ["X-Forwarded-Proto", "https"],
      ["X-Forwarded-Prefix", "/evil"],
      ["Forwarded", "for=6.6.6.6;host=evil.example;proto=https"],
      ["Client-IP", "6.6.6.6"],
      ["X-Real-IP", "6.6.6.6"],
      ["X-Original-URL", "/evil"],
      ["CF-Connecting-IP", "6.6.6.6"],
      ["X-Forwarded-Host", "evil2.example"],
      ["Proxy", "http://evil.example"],
    ] as const;

    it("is not what he says himself", async () => {
      const seen = await who(...lies);
      assert.ok(!/evil|6\.6\.6\.6|444/.test(JSON.stringify(seen)), JSON.stringify(seen));
      assert.equal(seen.HTTP_X_FORWARDED_FOR, seen.REMOTE_ADDR);
      assert.equal(seen.HTTP_X_FORWARDED_PROTO, "http");
      for (const name of [
        "HTTPS",
        "HTTP_FORWARDED",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PORT",
        "HTTP_X_FORWARDED_PREFIX",
        "HTTP_CLIENT_IP",
        "HTTP_PROXY",
      ]) {
        assert.ok(!(name in seen), `${name}: ${seen[name]}`);
      }
    });

    it("is what a proxy on the host says, where 127.0.0.1 is trusted", async () => {
      switched({ proxy: { image: "nginx:1.30", trustedProxies: ["127.0.0.1/32"], hosts: ["shop.example.com"] } });
      const tells = [
        ["X-Forwarded-For", "6.6.6.6, 203.0.113.9"],
        ["X-Forwarded-Host", "shop.example.com"],
        ["X-Forwarded-Port", "8443"],
        ["X-Forwarded-Prefix", "/shop"],
      ] as const;
      for (const proto of [
        [["X-Forwarded-Proto", "https"]],
        [["X-Forwarded-Proto", "HTTPS,http"]],
        [
          ["X-Forwarded-Proto", "https"],
          ["X-Forwarded-Proto", "http"],
        ],
      ] as const) {
        const seen = await who(...tells, ...proto);
        assert.deepEqual(
          [
            seen.REMOTE_ADDR,
            seen.HTTPS,
            seen.REQUEST_SCHEME,
            seen.HTTP_X_FORWARDED_FOR,
            seen.HTTP_HOST,
            seen.SERVER_NAME,
            seen.HTTP_X_FORWARDED_PORT,
            seen.HTTP_X_FORWARDED_PREFIX,
          ],
          ["203.0.113.9", "on", "https", "203.0.113.9", "shop.example.com", "shop.example.com", "8443", "/shop"],
        );
      }
      assert.equal((await who(["X-Forwarded-Proto", "http,https"])).HTTPS, undefined);
      // A replica is no proxy, and comes from elsewhere.
      const inside = docker(
        "exec",
        rig.replicas[0]!,
        "php",
        "-n",
        "-r",
        'echo file_get_contents("http://proxy:8080/who", false, stream_context_create(["http" => ["header" => ' +
          '"Host: 127.0.0.1\\r\\nX-Forwarded-For: 6.6.6.6\\r\\nX-Forwarded-Proto: https"]]));',
      );
      assert.ok(!/6\.6\.6\.6|"HTTPS"/.test(inside), inside);
      switched();
    });
  });

  describe("the names that it is served under", () => {
    const status = async (host: string, path = "/who") => (await rig.ask(path, { headers: [["Host", host]] })).status;

    it("are those of APP_URL and of this machine, while the stack is local", async () => {
      for (const host of ["127.0.0.1", "127.0.0.1:12345", "localhost", "LOCALHOST:8080", "[::1]:8080"])
        assert.equal(await status(host), 200, host);
      for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.", "127.0.0.1:8080@evil", "1127.0.0.1"])
        assert.ok([400, 421].includes(await status(host)), host);
      const refused = await rig.ask("/", { headers: [["Host", "evil.example"]] });
      assert.deepEqual(
        [refused.status, refused.body, refused.headers["content-type"]],
        [421, "This site is not served under that name.\n", "text/plain"],
      );
    });

    it("are those of APP_URL and proxy.hosts alone, elsewhere", async () => {
      const env = { APP_ENV: "staging", APP_URL: "https://shop.example.com" };
      switched({
        env,
        proxy: {
          image: "nginx:1.30",
          hosts: ["www.example.com", "*.tenants.example.com", "b\u00fccher.example", "api.example.com:8443"],
        },
      });
      const served = [
        "shop.example.com",
        "Shop.Example.COM:443",
        "shop.example.com:8080",
        "www.example.com",
        "a.tenants.example.com",
        "a.b.tenants.example.com",
        "xn--bcher-kva.example",
        "api.example.com:8443",
      ];
      for (const host of served) assert.equal(await status(host), 200, host);
      for (const host of [
        "localhost",
        "127.0.0.1",
        "example.com",
        "tenants.example.com",
        "shop.example.com:444",
        "shop-example.com",
        "api.example.com",
        "shop.example.com.evil.example",
      ]) {
        assert.equal(await status(host), 421, host);
      }
      // A load balancer asks by the address; what it asked for never reaches PHP.
      assert.equal(await status("10.0.0.7", "/up"), 200);
      switched({ env, proxy: { image: "nginx:1.30", hosts: ["*"] } });
      assert.equal(await status("customer.example"), 200);
      switched();
    });

    it("are the new ones as soon as the switch has ended, within a release, too", async () => {
      const env = { APP_ENV: "staging", APP_URL: "https://shop.example.com" };
      for (let i = 0; i < 8; i++) {
        const [host, before] = [`s${i}.example.com`, `s${i - 1}.example.com`];
        switched({ env, proxy: { image: "nginx:1.30", hosts: [host] } });
        const answers = await Promise.all([...Array(8).fill(host), ...Array(8).fill(before)].map((one) => status(one)));
        assert.deepEqual(answers, [...Array(8).fill(200), ...Array(8).fill(421)]);
      }
      switched();
    });
  });

  describe("a replica that fails", () => {
    const count = async (of: string) => Number((await rig.ask(`/count?of=${of}`)).body);

    it("has what it was doing done by no other: a slow request runs once, as does one that breaks off", async () => {
      switched({ proxy: { image: "nginx:1.30", timeout: 1 } });
      const slow = await rig.ask("/slow?of=slow&seconds=3");
      assert.deepEqual([slow.status, await count("slow")], [504, 1]);
      const broken = await rig.ask("/slow?of=broken&seconds=0&die=1");
      assert.deepEqual([broken.status, await count("broken")], [502, 1]);
      // Neither sets a replica aside for the others' requests.
      await Promise.all(["a", "b", "c"].map((n) => rig.ask(`/slow?of=${n}&seconds=2`)));
      const answers = await Promise.all(Array.from({ length: 12 }, () => rig.ask("/up")));
      assert.deepEqual(
        answers.map(({ status }) => status),
        answers.map(() => 200),
      );
      switched();
    });

    it("has no POST done by another either: one that is late, one that breaks off, one cut in its answer", async () => {
      switched({ proxy: { image: "nginx:1.30", timeout: 1 } });
      const post = async (of: string, how: string) =>
        await rig.ask(`/slow?of=${of}&${how}`, { method: "POST", body: Buffer.alloc(20_000, "x") }).then(
          ({ status }) => status,
          ({ code }: NodeJS.ErrnoException) => code,
        );
      for (const [name, how, outcome] of [
        ["late", "seconds=3", 504],
        ["broken", "seconds=0&die=1", 502],
        ["half", "seconds=0&half=1", "ECONNRESET"],
      ] as const) {
        const names = Array.from({ length: 6 }, (_, index) => `post-${name}-${index}`);
        const outcomes = await Promise.all(names.map((of) => post(of, how)));
        const counts = await Promise.all(names.map(count));
        assert.deepEqual({ outcomes, counts }, { outcomes: names.map(() => outcome), counts: names.map(() => 1) });
      }
      switched();
    });

    it("is not noticed by who comes next, a POST neither, whether one replica is left or one is away", async () => {
      for (const away of [rig.replicas.slice(0, 1), rig.replicas.slice(0, 2)]) {
        docker("stop", "--time", "0", ...away);
        const bodies = await Promise.all(
          Array.from({ length: 12 }, (_, index) =>
            rig.ask("/body", { method: "POST", body: Buffer.alloc(index * 9000, "x") }),
          ),
        );
        assert.deepEqual(
          bodies.map(({ status, body }) => [status, Number(body)]),
          bodies.map((_, index) => [200, index * 9000]),
        );
        docker("start", ...away);
      }
      docker("stop", "--time", "0", ...rig.replicas);
      const none = await rig.ask("/up");
      assert.ok([502, 504].includes(none.status), String(none.status));
      docker("start", ...rig.replicas);
      await rig.until("/up", 200);
    });
  });

  it("lets a stream last longer than a page may take", async () => {
    switched({ proxy: { image: "nginx:1.30", timeout: 2 } });
    assert.equal((await rig.ask("/stream?parts=5")).body, "part\n".repeat(5));
    switched();
  });

  it("passes a header of 32 KiB", async () => {
    const { status, headers } = await rig.ask(`/header?bytes=${32 * 1024}`);
    assert.deepEqual([status, headers["x-long"]?.length], [200, 32 * 1024]);
  });

  it("gives each file its type, and a year to those alone that have a hash in their name", async () => {
    const types: Record<string, string> = {
      "pdf.worker.mjs": "text/javascript",
      "app.js.map": "application/json",
      "site.webmanifest": "application/manifest+json",
      "a.wasm": "application/wasm",
      "a.woff2": "font/woff2",
      "a.avif": "image/avif",
      "a.unknown": "application/octet-stream",
      "A.SVG": "image/svg+xml",
    };
    const names = [
      "sw.js",
      "manifest.json",
      "service-worker.js",
      "assets/app-BxY3k2_a.js",
      "assets/app-document.js",
      "app.4a3b2c1d5e6f.css",
      "assets/app-BxY3k2_a.js.map",
    ];
    const release = "releases/0123456789ab";
    rig.inVolume(
      "public",
      `cd ${release}; for f in ${Object.keys(types).join(" ")}; do head -c 2000 /dev/zero > $f; done; cd build; ` +
        `for f in ${names.join(" ")}; do echo x > $f; done; mkdir -p /volume/hashed/build/assets; ` +
        "echo earlier > /volume/hashed/build/assets/old-Ab3dEf9h.js",
    );
    for (const [name, type] of Object.entries(types))
      assert.equal((await rig.ask(`/${name}`)).headers["content-type"], type, name);
    const zipped = async (name: string) =>
      (await rig.ask(`/${name}`, { headers: [["Accept-Encoding", "gzip"]] })).headers["content-encoding"];
    assert.deepEqual(
      [await zipped("pdf.worker.mjs"), await zipped("a.wasm"), await zipped("a.woff2")],
      ["gzip", "gzip", undefined],
    );
    const smaller = (name: string, encodings: string) =>
      rig.ask(`/${name}`, { headers: [["Accept-Encoding", encodings]] });
    const both = await smaller("pdf.worker.mjs", "gzip, br");
    assert.deepEqual([both.headers["content-encoding"], both.headers.vary], ["br", "Accept-Encoding"]);
    assert.equal((await smaller("a.woff2", "br")).headers["content-encoding"], undefined);
    const whole = await rig.ask("/pdf.worker.mjs");
    const part = await rig.ask("/pdf.worker.mjs", { headers: [["Range", "bytes=10-19"]] });
    assert.deepEqual(
      [whole.headers["accept-ranges"], part.status, part.body.length, part.headers["content-range"]],
      ["bytes", 206, 10, "bytes 10-19/2000"],
    );
    const again = await rig.ask("/pdf.worker.mjs", { headers: [["If-None-Match", String(whole.headers.etag)]] });
    assert.equal(again.status, 304);
    const year = async (name: string) => (await rig.ask(`/build/${name}`)).headers["cache-control"];
    const kept: string[] = [];
    for (const name of names) if ((await year(name)) === "max-age=31536000") kept.push(name);
    assert.deepEqual(kept, ["assets/app-BxY3k2_a.js", "app.4a3b2c1d5e6f.css", "assets/app-BxY3k2_a.js.map"]);
    const earlier = await rig.ask("/build/assets/old-Ab3dEf9h.js");
    assert.deepEqual(
      [earlier.body, earlier.headers["cache-control"], earlier.headers["x-content-type-options"]],
      ["earlier\n", "max-age=31536000", "nosniff"],
    );
    assert.equal((await rig.ask("/build/assets/gone-Ab3dEf9h.js")).status, 404);
  });

  it("follows no link out of what is stored", async () => {
    assert.equal((await rig.ask("/storage/note.txt")).body, "stored\n");
    const links = {
      "avatar.json": "/var/lib/drydock/site.conf",
      environ: "/proc/self/environ",
      fd: "/proc/self/fd",
      passwd: "/etc/passwd",
      etc: "/etc",
      "private.txt": "../private/secret.txt",
      up: "..",
      self: "/proc/1/root",
    };
    rig.inVolume(
      "storage",
      Object.entries(links)
        .map(([name, target]) => `ln -sfn ${target} public/${name}`)
        .join("; "),
    );
    for (const path of [
      "avatar.json",
      "environ",
      "fd/1",
      "fd/12",
      "passwd",
      "etc/passwd",
      "private.txt",
      "up/private/secret.txt",
      "self/etc/passwd",
    ]) {
      const { status, body } = await rig.ask(`/storage/${path}`);
      assert.deepEqual([status, body], [404, `the application has no /storage/${path}`], path);
    }
  });

  it("serves what lies in the public folder with private permissions, and nothing besides", async () => {
    rig.inVolume(
      "storage",
      "umask 077; mkdir -p 'public/avatars/a b' && echo mine > 'public/avatars/a b/ü%20.txt' && echo shut > " +
        "public/shut.txt; chmod 0600 private/secret.txt; chmod 0700 private; mkdir public/out; " +
        "ln -s ../../private/secret.txt public/out/x",
    );
    for (let i = 0; i < 2; i++) {
      const { status, body, headers } = await rig.ask("/storage/avatars/a%20b/%C3%BC%2520.txt");
      assert.deepEqual([status, body, headers["content-type"]], [200, "mine\n", "text/plain"]);
      assert.equal((await rig.ask("/storage/shut.txt")).body, "shut\n");
    }
    for (const path of ["out/x", "../private/secret.txt", "%2e%2e/private/secret.txt", "avatars", "avatars/", "none"]) {
      assert.notEqual((await rig.ask(`/storage/${path}`)).status, 200, path);
    }
    assert.equal(rig.inVolume("storage", "stat -c %a private private/secret.txt"), "700\n600");
  });

  it("writes who asked for what, but for the checks", async () => {
    const mark = `/who?mark=${rig.id}`;
    const marked = () =>
      rig
        .log()
        .split("\n")
        .filter((line) => line.includes("mark="));
    await rig.ask("/up?mark=not-logged");
    await rig.ask(mark, { headers: [["User-Agent", 'drydock "test"']] });
    // nginx keeps lines back for up to a second, and the log of a container takes its time
    for (let tries = 0; tries < 50 && marked().length === 0; tries++) {
      await sleep(100);
    }
    await sleep(1_200);
    const lines = marked();
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(
      lines[0]!,
      new RegExp(
        `^\\d+\\.\\d+\\.\\d+\\.\\d+ - - \\[[^\\]]+\\] "GET ${mark.replace("?", "\\?")} HTTP/1.1" 200 \\d+ "-" ` +
          '"drydock \\\\x22test\\\\x22" "127.0.0.1:\\d+" \\d\\.\\d{3} "[\\d.]+:9000" "\\d\\.\\d{3}"$',
      ),
    );
  });
});
