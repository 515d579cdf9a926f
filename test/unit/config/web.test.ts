import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { isAddressRange } from "../../../cli/maintenance/state.ts";
import { hostName } from "../../../config/hosts.ts";
import { parseConfiguration, parseSettings } from "../../../config/settings.ts";
import { webLimits } from "../../../config/webLimits.ts";
import { having, problemsOf, valid } from "../../support/config/fixtures.ts";

describe("settings of the proxy", () => {
  it("give a path limits of its own, which the application allows", () => {
    const settings = (proxy: object) => parseSettings({ ...valid(), proxy: { ...valid().proxy, ...proxy } }, "local");
    const { proxy } = settings({ paths: { "/import": { uploadLimit: 512, timeout: "600" }, "/a": {} } });
    assert.deepEqual(proxy.paths, { "/import": { uploadLimit: 512, timeout: 600 }, "/a": {} });
    assert.deepEqual(webLimits(proxy), { uploadLimit: 512, longestRequest: 600 });
    assert.deepEqual(webLimits({ ...proxy, longestRequest: 900, paths: {} }), { uploadLimit: 32, longestRequest: 900 });
    for (const path of ["/", "import", "/a b", "/../a", "/a;"])
      assert.equal(problemsOf(having(valid(), "proxy.paths", { [path]: { timeout: 5 } })).length, 1, path);
  });

  it("leave a worker's paths to it, and the health of the site where it is", () => {
    const worker = { command: ["php", "artisan", "reverb:start"], http: { port: 8080, paths: ["/app"] } };
    const wrong = (key: string, value: object) =>
      problemsOf(having({ ...valid(), workers: { reverb: worker } }, key, value)).map(
        ({ path, message }) => `${path}: ${message}`,
      );
    for (const path of ["/app", "/app/upload"])
      assert.match(wrong("proxy.paths", { [path]: { timeout: 5 } })[0]!, /is the worker reverb's, which has \/app/);
    assert.deepEqual(wrong("proxy.paths", { "/api": { timeout: 5 } }), []);
    assert.match(
      wrong("proxy.redirects", { "/up": "/" })[0]!,
      /proxy\.redirects\["\/up"\]: is drydock:app\.healthPath/,
    );
    assert.match(wrong("proxy.redirects", { "/drydock-maintenance.html": "/x" })[0]!, /page of maintenance mode/);
    assert.match(wrong("domains", [{ name: "a.example.com", redirects: { "/up": "/x" } }])[0]!, /healthPath/);
    assert.match(
      wrong("domains", [
        { name: "a.example.com", access: { open: ["/x"] }, paths: { "/x": { allow: ["10.0.0.1"] } } },
      ])[0]!,
      /domains\[0\]\.access\.open: has \/x, for which/,
    );
  });

  it("take a host as people write it, as requests carry it", () => {
    const names: Record<string, string | undefined> = {
      "Www.Example.COM": "www.example.com",
      "b\u00fccher.example": "xn--bcher-kva.example",
      "*.example.com": "*.example.com",
      "*": "*",
      "shop.example.com:8443": "shop.example.com:8443",
      "10.0.0.7": "10.0.0.7",
      "[::1]:80": "[::1]:80",
      "a_b.example": "a_b.example",
      intranet: "intranet",
      "": undefined,
      "https://shop.example.com": undefined,
      "shop.example.com/": undefined,
      "a b": undefined,
      "*.10.0.0.7": undefined,
      "a.*.example": undefined,
      "x:99999": undefined,
      "-a.example": undefined,
      "a..b": undefined,
      "user@host": undefined,
      "a;b": undefined,
      a$b: undefined,
      'a"b': undefined,
      "a\nb": undefined,
      "fe80::1%eth0": undefined,
    };
    for (const [given, name] of Object.entries(names)) assert.equal(hostName(given), name, JSON.stringify(given));
    assert.deepEqual(parseSettings(having(valid(), "proxy.hosts", '["Www.Example.com"]'), "local").proxy.hosts, [
      "www.example.com",
    ]);
    assert.match(
      problemsOf(having(valid(), "proxy.hosts", ["https://x"]))[0]!.message,
      /^is "https:\/\/x", expected the name of a host/,
    );
  });

  it("take single addresses as trusted proxies, and none with a zone", () => {
    assert.deepEqual(
      parseSettings(having(valid(), "proxy.trustedProxies", ["127.0.0.1", "::1", "10.0.0.0/8"]), "local").proxy
        .trustedProxies,
      ["127.0.0.1", "::1", "10.0.0.0/8"],
    );
    for (const zone of ["fe80::1%eth0/64", "fe80::1%eth0"]) {
      assert.equal(problemsOf(having(valid(), "proxy.trustedProxies", [zone])).length, 1, zone);
      assert.equal(isAddressRange(zone), false);
    }
    assert.equal(problemsOf(having(valid(), "proxy.interface", "fe80::1%eth0")).length, 1);
  });

  it("warn where Docker hides who the visitors are: over IPv6", () => {
    const warnings = (address: string) =>
      parseConfiguration(having(valid(), "proxy.interface", address), "local").warnings;
    for (const address of ["127.0.0.1", "0.0.0.0", "::1"]) assert.deepEqual(warnings(address), []);
    for (const address of ["::", "2001:db8::1"]) {
      const [one, ...others] = warnings(address);
      assert.deepEqual([one?.path, others], ["drydock:proxy.interface", []]);
      assert.match(
        one!.message,
        /all visitors have one address, the gateway's\..* drydock:proxy\.trustedProxies\[0\] 127\.0\.0\.1$/,
      );
      assert.equal(one!.remedy, "pulumi config set --path drydock:proxy.interface 127.0.0.1 -s local");
    }
  });

  it("trust this host only where visitors don't seem to be this host", () => {
    const trusting = (address: string) =>
      problemsOf(
        having(having(valid(), "proxy.trustedProxies", ["10.0.0.1", "127.0.0.1/32"]), "proxy.interface", address),
      );
    for (const address of ["127.0.0.1", "::1", "0.0.0.0", "192.0.2.7"])
      assert.deepEqual(trusting(address), [], address);
    const [problem] = trusting("::");
    assert.equal(problem?.path, "drydock:proxy.trustedProxies[1]");
    assert.match(problem.message, /^is 127\.0\.0\.1\/32, this host, but drydock:proxy\.interface is ::/);
  });

  it("let a request last at least as long as its answer may take to begin", () => {
    const problems = problemsOf(having(having(valid(), "proxy.timeout", 60), "proxy.longestRequest", 30));
    assert.deepEqual(
      problems.map(({ path, remedy }) => [path, remedy]),
      [["drydock:proxy.longestRequest", "pulumi config set --path drydock:proxy.longestRequest 60 -s local"]],
    );
    assert.equal(
      problemsOf(having(having(valid(), "app.server", "http"), "proxy.longestRequest", 300))[0]?.path,
      "drydock:proxy.longestRequest",
    );
  });
});

describe("folders that are kept", () => {
  const kept = (folders: Record<string, unknown>) => having(valid(), "app.persistent", folders);

  it("are served where they are public files, unless it is said otherwise", () => {
    const { app } = parseSettings(
      kept({
        "public/uploads": {},
        "storage/uploads": {},
        "public/secret": { visibility: "private" },
        "storage/covers": { visibility: "public", backup: false },
      }),
      "local",
    );
    assert.deepEqual(
      Object.values(app.persistent).map(({ backup }) => backup),
      [true, true, true, false],
    );
    assert.deepEqual(
      Object.entries(app.persistent).map(([path, { visibility }]) => [path, visibility]),
      [
        ["public/uploads", "public"],
        ["storage/uploads", "private"],
        ["public/secret", "private"],
        ["storage/covers", "public"],
      ],
    );
  });

  it("are none that a release makes, that are kept anyway, or that lie in one another", () => {
    const wrong = [
      "storage",
      "public",
      "storage/app",
      "storage/app/x",
      "storage/framework/views",
      "bootstrap/cache",
      "vendor",
      "public/storage",
      "../x",
      "a/../b",
      "/etc",
      "a b",
      "",
      "a//b",
      "public/x;y",
    ];
    for (const path of wrong) assert.equal(problemsOf(kept({ [path]: {} })).length, 1, path);
    assert.match(
      problemsOf(kept({ "public/a": {}, "public/a/b": {} }))[0]!.message,
      /is in public\/a, which is kept already/,
    );
  });
});

describe("settings of PHP", () => {
  const php = (settings: Record<string, unknown>) => having(valid(), "app.php", settings);

  it("are any of PHP's, as text or as a number", () => {
    const { app } = parseSettings(
      php({ memory_limit: "512M", max_execution_time: 30, "opcache.jit": "tracing", "opcache.enable_cli": true }),
      "local",
    );
    assert.deepEqual(app.php, {
      memory_limit: "512M",
      max_execution_time: "30",
      "opcache.jit": "tracing",
      "opcache.enable_cli": "true",
    });
  });

  it("warn where the processes of a replica may use far more memory than it has", () => {
    const warnings = (app: Record<string, unknown>) =>
      parseConfiguration({ ...valid(), app: { ...(valid()["app"] as object), ...app } }, "local").warnings;
    assert.deepEqual(warnings({}), []);
    assert.deepEqual(warnings({ php: { memory_limit: "134217728" } }), []);
    const [one, ...others] = warnings({ memory: 256 });
    assert.deepEqual(
      [one?.path, one?.remedy, others],
      ["drydock:app.memory", "pulumi config set --path drydock:app.memory 512 -s local", []],
    );
    assert.match(
      one!.message,
      /^is 256 MiB, and PHP-FPM's 8 processes may use 1024 MiB \(memory_limit 128M, PHP's own\): /,
    );
    assert.equal(
      warnings({ php: { memory_limit: "1G" } })[0]?.remedy,
      "pulumi config set --path drydock:app.memory 4096 -s local",
    );
    assert.equal(
      warnings({ php: { memory_limit: "-1" } })[0]?.remedy,
      "pulumi config set --path drydock:app.php.memory_limit 128M -s local",
    );
    assert.deepEqual(warnings({ memory: 128, server: "http" }), []);
  });

  it("are none that a release relies on, that another setting says, or that would be read in another way", () => {
    for (const name of [
      "display_errors",
      "Display_Errors",
      "upload_max_filesize",
      "post_max_size",
      "opcache.validate_timestamps",
      "a b",
      "x=y",
      "",
    ])
      assert.equal(problemsOf(php({ [name]: "1" })).length, 1, name);
    for (const value of ['a"b', "a\nmemory_limit=1", "${HOME}", "a\\"])
      assert.equal(problemsOf(php({ open_basedir: value })).length, 1, value);
  });
});
