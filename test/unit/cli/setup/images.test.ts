import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeReadable } from "../../../../cli/setup/images.ts";
import { findMirror, parseAptConfig, readAptAccess, writeAptFiles } from "../../../../cli/setup/images-apt.ts";
import { registryAnswers } from "../../../../cli/setup/images-base.ts";
import { contentHash, IMAGES, IMAGES_DIR, imageTags } from "../../../../cli/setup/images-tags.ts";

describe("setting up images", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-images-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe("tags", () => {
    const changed = (change: () => void): readonly string[] => {
      const before = imageTags(folder);
      change();
      const after = imageTags(folder);
      return IMAGES.filter((name) => before[name] !== after[name]);
    };
    beforeEach(() => cpSync(IMAGES_DIR, folder, { recursive: true }));

    it("name the image, its series and its content", () => {
      const tags = imageTags();
      assert.deepEqual(Object.keys(tags), [
        "base",
        "php",
        "proxy",
        "database",
        "redis",
        "backup",
        "certificates",
        "monitoring",
      ]);
      assert.match(tags.base, /^drydock\/base:forky-[0-9a-f]{12}$/);
      assert.match(tags.php, /^drydock\/php:8\.4-[0-9a-f]{12}$/);
      assert.match(tags.proxy, /^drydock\/proxy:1\.30-[0-9a-f]{12}$/);
      assert.match(tags.database, /^drydock\/database:11\.8-[0-9a-f]{12}$/);
      assert.match(tags.redis, /^drydock\/redis:8\.0-[0-9a-f]{12}$/);
      assert.match(tags.backup, /^drydock\/backup:1-[0-9a-f]{12}$/);
    });

    it("are the same in another clone, whatever its files' times are", () => {
      utimesSync(join(folder, "php/Dockerfile"), 1, 1);
      assert.deepEqual(imageTags(folder), imageTags());
    });

    it("change with the content of the image's own folder only", () => {
      assert.deepEqual(
        changed(() => writeFileSync(join(folder, "redis/Dockerfile"), "FROM scratch\n")),
        ["redis"],
      );
    });

    it("all change with the base", () => {
      assert.deepEqual(
        changed(() => writeFileSync(join(folder, "base/build.sh"), "exit\n")),
        [...IMAGES],
      );
    });

    it("change with a run bit and with a file's name", () => {
      assert.deepEqual(
        changed(() => chmodSync(join(folder, "database/docker-entrypoint.sh"), 0o644)),
        ["database"],
      );
      assert.deepEqual(
        changed(() => cpSync(join(folder, "proxy/nginx.conf"), join(folder, "proxy/other.conf"))),
        ["proxy"],
      );
    });

    it("don't confuse the end of one file with the beginning of the next", () => {
      writeFileSync(join(folder, "a"), "xb\0-\x001\0y");
      const one = contentHash(folder);
      writeFileSync(join(folder, "a"), "x");
      writeFileSync(join(folder, "b"), "y");
      assert.notEqual(one, contentHash(folder));
    });
  });

  describe("the base from Debian's packages", () => {
    /** build.sh with a debootstrap that only says what it was asked for. */
    const build = (keyring: string) => {
      const said = join(folder, "debootstrap.log");
      writeFileSync(join(folder, "debootstrap"), `#!/bin/sh\nprintf '%s\\n' "$@" > ${said}\nexit 7\n`, { mode: 0o755 });
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, DRYDOCK_DEBIAN_KEYRING: keyring };
      const out = join(folder, "base.tar");
      const { status, stderr } = spawnSync(
        join(IMAGES_DIR, "base", "build.sh"),
        ["http://mirror.example/debian", out],
        { env, encoding: "utf8" },
      );
      return { status, stderr, asked: existsSync(said) ? readFileSync(said, "utf8").trim().split("\n") : undefined };
    };

    it("is verified with Debian's keys, and debootstrap fails where it can't be", () => {
      const keyring = join(folder, "keys.gpg");
      writeFileSync(keyring, "keys");
      const { status, asked } = build(keyring);
      assert.equal(status, 7);
      assert.deepEqual(asked?.slice(0, 2), ["--force-check-gpg", `--keyring=${keyring}`]);
    });

    it("is not started without them", () => {
      const { status, stderr, asked } = build(join(folder, "missing.gpg"));
      assert.deepEqual([status, asked], [1, undefined]);
      assert.match(stderr, /Debian's keys are not here \(.*missing\.gpg\), .*: apt-get install debian-archive-keyring/);
    });
  });

  describe("the Dockerfiles", () => {
    for (const name of IMAGES.filter((image) => image !== "base")) {
      const lines = readFileSync(join(IMAGES_DIR, name, "Dockerfile"), "utf8").split("\n");
      it(`${name}: stands on the base, runs unprivileged, and asks no registry for its syntax`, () => {
        assert.deepEqual(
          lines.filter((line) => /^(FROM|ARG BASE)/.test(line)),
          ["ARG BASE", "FROM ${BASE}"],
        );
        assert.match(
          lines.findLast((line) => line.startsWith("USER ")) ?? "",
          /^USER (\d+:\d+|\$\{APP_UID\}:\$\{APP_GID\})$/,
        );
        assert.deepEqual(
          lines.filter((line) => /^#\s*syntax\s*=|:latest|^HEALTHCHECK/.test(line)),
          [],
        );
      });
    }
  });

  describe("apt's access to Debian", () => {
    it("keeps what a fetch needs, and proxies apart: they may hold passwords", () => {
      const dump = [
        'Acquire "";',
        'Acquire::Check-Valid-Until "false";',
        'Acquire::http::Proxy "http://me:secret@proxy:3128";',
        'Acquire::https::Proxy "DIRECT";',
        'Acquire::http::Timeout "20";',
        'Acquire::Languages "none";',
        'Acquire::IndexTargets::deb::Packages::MetaKey "x";',
        'DPkg::Post-Invoke:: "rm -rf x";',
        'Acquire::Retries "";',
      ].join("\n");
      assert.deepEqual(parseAptConfig(dump), {
        conf: ['Acquire::Check-Valid-Until "false";', 'Acquire::http::Timeout "20";'],
        buildArgs: { http_proxy: "http://me:secret@proxy:3128" },
      });
    });

    it("brings nothing that switches checks off, in whatever spelling, nor a program or a file of this machine", () => {
      const dump = [
        'Acquire::AllowInsecureRepositories "true";',
        'Acquire::AllowWeakRepositories "1";',
        'Acquire::AllowDowngradeToInsecureRepositories "yes";',
        'Acquire::https::Verify-Peer "false";',
        'Acquire::https::verify-host "false";',
        'Acquire::https::mirror.example::Verify-Peer "false";',
        'Acquire::https::CaInfo "/etc/ssl/own.pem";',
        'Acquire::https::SslCert "/root/client.pem";',
        'Acquire::http::Proxy-Auto-Detect "/usr/bin/proxy";',
        'Acquire::https::ProxyAutoDetect "/usr/bin/proxy";',
        'APT::Get::AllowUnauthenticated "true";',
        'Acquire::http::Pipeline-Depth "0";',
      ].join("\n");
      assert.deepEqual(parseAptConfig(dump).conf, ['Acquire::http::Pipeline-Depth "0";']);
    });

    it("finds the mirror in both formats and passes foreign archives and security over", () => {
      assert.equal(
        findMirror([
          "Types: deb\nURIs: http://mirror.example/debian-security\n",
          "# deb http://old/debian x\nURIs: https://mirror.example/debian/\nSuites: bookworm",
        ]),
        "https://mirror.example/debian",
      );
      assert.equal(
        findMirror(["deb [arch=amd64 signed-by=/k.gpg] http://ftp.example/debian bookworm main\n"]),
        "http://ftp.example/debian",
      );
      assert.equal(findMirror(["deb https://packages.example/apt stable main"]), undefined);
    });

    it("is refused, with the remedy, when no mirror is named", async () => {
      writeFileSync(join(folder, "sources.list"), "deb https://packages.example/apt stable main\n");
      await assert.rejects(
        readAptAccess(folder),
        (error: Error & { remedy?: string }) =>
          /no mirror/.test(error.message) && /DRYDOCK_DEBIAN_MIRROR=/.test(error.remedy ?? ""),
      );
    });

    it("is what Debian's own image names where this machine is no Debian, and is asked for only then", async () => {
      writeFileSync(join(folder, "sources.list"), "deb http://archive.example/ubuntu noble main\n");
      const image = async (): Promise<string> => "Types: deb\nURIs: http://debian.example/debian\nSuites: forky\n";
      assert.equal((await readAptAccess(folder, image)).mirror, "http://debian.example/debian");
      writeFileSync(join(folder, "sources.list"), "deb http://own.example/debian bookworm main\n");
      const unasked = async (): Promise<string> => {
        throw new Error("it was asked");
      };
      assert.equal((await readAptAccess(folder, unasked)).mirror, "http://own.example/debian");
    });

    it("is refused when the mirror has a password", async () => {
      writeFileSync(join(folder, "sources.list"), "deb http://me:secret@mirror.example/debian bookworm main\n");
      await assert.rejects(
        readAptAccess(folder),
        (error: Error) => /password/.test(error.message) && !error.message.includes("secret"),
      );
    });

    it("is written for the build step alone", () => {
      writeAptFiles(folder, {
        mirror: "http://mirror.example/debian",
        conf: ['Acquire::Retries "3";'],
        buildArgs: { http_proxy: "http://me:secret@proxy" },
      });
      assert.equal(readFileSync(join(folder, "apt.list"), "utf8"), "deb http://mirror.example/debian forky main\n");
      assert.equal(
        readFileSync(join(folder, "apt.conf"), "utf8"),
        'Acquire::Retries "3";\nDir::Etc::sourcelist "/build/apt.list";\nDir::Etc::sourceparts "-";\n',
      );
    });
  });

  it("makes a build's files readable for the image's user, whatever the clone's umask was", () => {
    mkdirSync(join(folder, "conf.d"), { mode: 0o700 });
    writeFileSync(join(folder, "conf.d/nginx.conf"), "", { mode: 0o600 });
    writeFileSync(join(folder, "entry.sh"), "", { mode: 0o700 });
    makeReadable(folder);
    assert.deepEqual(
      ["conf.d", "conf.d/nginx.conf", "entry.sh"].map((file) => statSync(join(folder, file)).mode & 0o777),
      [0o755, 0o644, 0o755],
    );
  });

  it("takes any answer of a registry for an answer, and silence for none", async () => {
    const server = createServer((_, response) => response.writeHead(401).end()).listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/`;
    assert.equal(await registryAnswers(url), true);
    await new Promise((closed) => server.close(closed));
    assert.equal(await registryAnswers(url, 500), false);
  });
});
