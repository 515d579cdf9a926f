import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "mocha";
import { docker } from "../support/clone.ts";
import { ProxyRig } from "../support/proxyRig.ts";

/**
 * The public files of releases: what an image has in public/, made ready by the step of a release and served by nginx.
 */
describe("public files", function () {
  this.timeout(240_000);
  const rig = new ProxyRig(undefined, 1);
  const images: string[] = [];
  /** An image with these files below the application's folder; a value that begins with -> is a link. */
  const image = (files: Record<string, string>): string => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-assets-"));
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, "app", path)), { recursive: true });
      if (content.startsWith("->")) symlinkSync(content.slice(2), join(folder, "app", path));
      else writeFileSync(join(folder, "app", path), content);
      if (!content.startsWith("->")) utimesSync(join(folder, "app", path), 1, 1);
    }
    writeFileSync(join(folder, "Dockerfile"), `FROM ${rig.php}\nCOPY app /var/www/html\n`);
    const name = `drydock/test-assets:${randomBytes(6).toString("hex")}`;
    execFileSync("docker", ["build", "--quiet", "--tag", name, folder], {
      env: { ...process.env, DOCKER_BUILDKIT: "0" },
      stdio: "ignore",
    });
    rmSync(folder, { recursive: true });
    images.push(name);
    return name;
  };
  const id = (n: number) => n.toString(16).padStart(12, "0");
  const assets = (n: number, files: Record<string, string>, days = "7") => {
    const done = rig.assets(image(files), id(n), days);
    assert.equal(done.code, 0, done.stderr);
    return done.stderr;
  };
  const release = (n: number, files: Record<string, string>, days?: string) => {
    const said = assets(n, files, days);
    const { code, stderr } = rig.switch(rig.kept, id(n));
    assert.equal(code, 0, stderr);
    return said;
  };
  const get = async (path: string) => {
    const { status, body } = await rig.ask(path);
    return status === 200 ? body : status;
  };

  before(() => rig.start());
  after(() => {
    rig.remove();
    docker("image", "rm", "--force", ...images);
  });

  it(
    "are those of the release that is served: removed ones go, a folder may become a file, " +
      "and a failed release changes nothing",
    async () => {
      release(1, {
        "public/robots.txt": "one",
        "public/sitemap.xml": "static",
        "public/docs": "a file",
        "public/img/a.svg": "<svg/>",
        "public/build/assets/app-Ab3dEf9h.js": "old",
        "public/index.php": "<?php",
      });
      assert.deepEqual(
        [await get("/robots.txt"), await get("/sitemap.xml"), await get("/docs"), await get("/img/a.svg")],
        ["one", "static", "a file", "<svg/>"],
      );
      // The step has run, and the release failed before its switch.
      assets(2, {
        "public/robots.txt": "two",
        "public/docs/x.css": "x",
        "public/img": "a file",
        "public/build/assets/app-Zz3dEf9h.js": "new",
      });
      assert.deepEqual(
        [await get("/robots.txt"), await get("/docs"), await get("/docs/x.css"), await get("/sitemap.xml")],
        ["one", "a file", 404, "static"],
      );
      release(3, {
        "public/robots.txt": "three",
        "public/docs/x.css": "x",
        "public/img": "a file",
        "public/build/assets/app-Zz3dEf9h.js": "new",
      });
      assert.deepEqual(
        [
          await get("/robots.txt"),
          await get("/docs"),
          await get("/docs/x.css"),
          await get("/sitemap.xml"),
          await get("/img"),
        ],
        ["three", 404, "x", 404, "a file"],
      );
      assert.deepEqual(
        [await get("/build/assets/app-Ab3dEf9h.js"), await get("/build/assets/app-Zz3dEf9h.js")],
        ["old", "new"],
      );
      assert.deepEqual(
        rig.inVolume("public", "ls releases").split("\n").sort(),
        [id(1), id(3)],
        "what was served, and what is",
      );
      // Back, as a rollback does.
      release(1, { "public/robots.txt": "one" });
      assert.deepEqual(
        [await get("/robots.txt"), await get("/docs/x.css"), await get("/sitemap.xml")],
        ["one", 404, 404],
      );
    },
  );

  it("with a hash in their name stay for some days after their release, and then go", async () => {
    const age = (days: number) =>
      rig.inVolume(
        "public",
        'php -n -r \'$t = json_decode(file_get_contents("hashed.json"), true); foreach ($t as &$n) ' +
          `{ $n -= ${days} * 86400; } file_put_contents("hashed.json", json_encode($t));'`,
      );
    release(4, { "public/build/assets/one-Ab3dEf9h.js": "1", "public/robots.txt": "x" });
    age(30);
    // Served until now: the days begin.
    release(5, { "public/build/assets/two-Ab3dEf9h.js": "2", "public/robots.txt": "x" });
    assert.deepEqual(
      [await get("/build/assets/one-Ab3dEf9h.js"), await get("/build/assets/two-Ab3dEf9h.js")],
      ["1", "2"],
    );
    age(6);
    release(6, { "public/robots.txt": "y" });
    assert.equal(await get("/build/assets/one-Ab3dEf9h.js"), "1");
    age(2);
    release(7, { "public/robots.txt": "z" });
    assert.deepEqual(
      [await get("/build/assets/one-Ab3dEf9h.js"), await get("/build/assets/two-Ab3dEf9h.js")],
      [404, "2"],
    );
    // The same content is there once.
    assert.equal(rig.inVolume("public", `stat -c %h hashed/build/assets/two-Ab3dEf9h.js`), "1");
  });

  it("may be links: into what is stored or is public they lead on, others are left out with a word", async () => {
    rig.inVolume("storage", "mkdir -p media public && echo stored > media/a.txt && echo note > public/b.txt");
    const said = release(8, {
      "public/media": "->../storage/app/media",
      "public/abs": "->/var/www/html/storage/app/media",
      "public/self": "->.",
      "public/up": "->..",
      "public/passwd": "->/etc/passwd",
      "public/etc": "->/etc",
      "public/env": "->../.env",
      "public/gone": "->nowhere",
      "public/latest": "->v2",
      "public/v2/x.txt": "v2",
      "public/v2/again": "->../v2",
      "public/pkg": "->../vendor/pkg/dist",
      "vendor/pkg/dist/p.css": "css",
      "public/deep/in": "->../../storage/app/media",
      ".env": "APP_KEY=x",
      "public/loop1": "->loop2",
      "public/loop2": "->loop1",
      "config/filesystems.php":
        "<?php return ['links' => [public_path('storage') => storage_path('app/public'), public_path('more') " +
        "=> storage_path('app/media'), public_path('out') => '/etc', public_path('a/b') " +
        "=> storage_path('app/media'), '/tmp/x' => storage_path('app')], 'x' => env('NONE', 'y')];",
    });
    assert.deepEqual(
      [
        await get("/media/a.txt"),
        await get("/abs/a.txt"),
        await get("/more/a.txt"),
        await get("/storage/b.txt"),
        await get("/latest/x.txt"),
        await get("/pkg/p.css"),
      ],
      ["stored\n", "stored\n", "stored\n", "note\n", "v2", "css"],
    );
    for (const path of [
      "self/v2/x.txt",
      "up/.env",
      "passwd",
      "etc/passwd",
      "env",
      "gone",
      "deep/in/a.txt",
      "out/passwd",
      "a/b/a.txt",
      "loop1",
    ])
      assert.equal(await get(`/${path}`), 404, path);
    const named = [...said.matchAll(/^assets: (?:public\/|the link )(\S+) /gm)].map(([, name]) => name).sort();
    assert.deepEqual(
      named,
      [
        "/tmp/x",
        "/var/www/html/public/a/b",
        "/var/www/html/public/out",
        "deep/in",
        "env",
        "etc",
        "gone",
        "latest/again",
        "loop1",
        "loop2",
        "passwd",
        "self",
        "up",
        "v2/again",
      ].sort(),
    );
  });

  it("leave a folder that is kept alone, and give it what the image has in it the first time", async () => {
    const files = { "public/uploads/default.png": "default", "public/robots.txt": "x" };
    release(9, files);
    assert.equal(await get("/uploads/default.png"), "default");
    rig.inVolume(
      "kept",
      "echo mine > 1.png; rm default.png; ln -s /etc/passwd passwd; umask 077; mkdir shut; echo shut > shut/a.txt",
    );
    release(10, files);
    assert.deepEqual(
      [
        await get("/uploads/default.png"),
        await get("/uploads/1.png"),
        await get("/uploads/passwd"),
        await get("/uploads/shut/a.txt"),
      ],
      [404, "mine\n", 404, "shut\n"],
    );
  });

  it("of a version that had them all in one folder go with the second release", async () => {
    rig.inVolume(
      "public",
      "mkdir -p build/assets && echo legacy > build/assets/old-Q1w2e3r4.js && echo flat > robots.txt",
    );
    release(11, { "public/robots.txt": "new" });
    assert.deepEqual([await get("/robots.txt"), await get("/build/assets/old-Q1w2e3r4.js")], ["new", "legacy\n"]);
    assert.deepEqual(rig.inVolume("public", "ls").split("\n").sort(), ["hashed", "hashed.json", "releases"]);
  });
});
