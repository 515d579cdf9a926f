import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { BackupHost } from "../../cli/backup/agent.ts";
import { filesPlaces } from "../../cli/backup/places.ts";
import { Progress } from "../../cli/backup/progress.ts";
import { filesBeside, inFiles, swapFiles } from "../../cli/backup/restoreFiles.ts";
import { ensureImages } from "../../cli/setup/images.ts";
import { dockerFor } from "../../cli/shared/docker.ts";
import { readerOf } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { Rig } from "../support/backup/rig.ts";
import { docker } from "../support/clone.ts";
import { NAMES } from "../support/hostile/names.ts";
import { Moto } from "../support/moto.ts";

const FOLDER = "folder public/uploads";
const SERVICE = "service search";

/** Folders of the application beside storage/app, and volumes of services. */
describe("a backup of folders and services", function () {
  this.timeout(900_000);
  const rig = new Rig();
  rig.addVolumes();
  const host = {
    docker: dockerFor(process.env.DOCKER_HOST),
    agent: rig.name("agent"),
    session: { stack: "rig" },
    deployed: {
      outputs: {
        services: [
          { name: "backup-service-search", role: "reader", container: rig.name("reader") },
          { name: "service-search", role: "service", container: rig.name("none") },
        ],
      },
    },
  } as unknown as BackupHost;
  let first: Entry;

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    await rig.start();
    rig.sql("CREATE TABLE kept (id INT PRIMARY KEY); INSERT INTO kept VALUES (1)");
    rig.storage("mkdir app; echo stored > app/a");
    await rig.until("the reader", () => docker("exec", rig.name("reader"), "healthy", "9181"));
  });
  after(() => rig.stop());

  /** Makes files under names of any bytes. */
  const make = (volume: "folder" | "service"): void => {
    const names = NAMES.filter(
      (name) => !/[/\0]/.test(name) && name !== "." && name !== ".." && Buffer.byteLength(name) <= 255,
    ).map((name) => Buffer.from(name));
    const more = [Buffer.from("caf\xe9", "latin1"), Buffer.alloc(255, 0xff), Buffer.from("-rf")];
    const list = JSON.stringify([...names, ...more].map((name) => name.toString("base64")));
    const script =
      `for (const name of ${list}) require("node:fs").writeFileSync(Buffer.concat([Buffer.from("./"), ` +
      'Buffer.from(name, "base64")]), name)';
    rig.storage(
      `mkdir -p .drydock odd && cd odd && node -e '${script}'
      truncate -s 5M sparse; printf end >> sparse; printf 1 > setuid; chmod 4750 setuid; printf 2 > own; chmod 600 own;
      : > nothing
      mkdir -m 700 closed; echo in > closed/file; mkdir hollow; chmod 711 hollow; ln -s /etc/passwd outside;
      ln -s nowhere dangling; ln -s . round
      touch -d '1999-01-02 03:04:05' nothing`,
      volume,
    );
  };
  const picture = (volume: "folder" | "service"): readonly string[] => {
    const all = `find . -mindepth 1 ! -path './.drydock-*'`;
    return rig
      .storage(
        `${all} ! -type d -printf '%y %m %s %U:%G %l %p\\0' | tr '\\0\\n' '\\n@' | sort; ` +
          `${all} -type d -printf '%y %m %U:%G %p\\0' | tr '\\0\\n' '\\n@' | sort; ` +
          `${all} -type f -exec sha256sum -z {} + | tr '\\0\\n' '\\n@' | sort`,
        volume,
      )
      .split("\n");
  };

  it("has both, proven, whatever the names in them are, and gives them back byte for byte", async () => {
    make("folder");
    make("service");
    const before = [picture("folder"), picture("service")];
    first = await rig.backup("full");
    assert.deepEqual(
      [first.verified, first.missing, Object.keys(first.volumes!)],
      [true, undefined, [FOLDER, SERVICE]],
    );
    const [folder, service] = [first.volumes![FOLDER]!, first.volumes![SERVICE]!];
    assert.ok(folder.count > 60 && folder.count === service.count, `${folder.count} and ${service.count} files`);
    assert.equal(first.verification!.files, first.files!.count + folder.count + service.count);

    const places = await filesPlaces(host);
    assert.deepEqual(
      places.map(({ title, service }) => [title, service]),
      [
        ["the files", undefined],
        [FOLDER, undefined],
        [SERVICE, rig.name("none")],
      ],
    );
    for (const [volume, place] of [
      ["folder", places[1]!],
      ["service", places[2]!],
    ] as const) {
      rig.storage("rm -rf odd; mkdir odd; echo other > odd/other", volume);
      await filesBeside(host, place, first, new Progress());
      assert.equal(rig.storage("cat odd/other", volume), "other", "nothing that is live has been touched");
      const kept = await swapFiles(host, place);
      assert.deepEqual(picture(volume), before[volume === "folder" ? 0 : 1], volume);
      assert.equal(rig.storage(`cat ${kept}/odd/other`, volume), "other");
      // Back, and forward again.
      await inFiles(host, place, "undo", kept);
      assert.equal(rig.storage("cat odd/other; ls -A", volume), "other\n.drydock\nodd");
      await filesBeside(host, place, first, new Progress());
      await swapFiles(host, place);
      assert.deepEqual(picture(volume), before[volume === "folder" ? 0 : 1], volume);
    }
  });

  it("stores only what is new, and nothing of what restores have kept", async () => {
    const entry = await rig.backup("files");
    assert.deepEqual([entry.database, entry.verified], [undefined, true]);
    for (const title of [FOLDER, SERVICE]) {
      const { count, added } = entry.volumes![title]!;
      assert.deepEqual([title, count], [title, first.volumes![title]!.count]);
      assert.ok(added < 200_000, `${title}: ${added} bytes`);
    }
    assert.equal((await rig.backup("db")).volumes, undefined);
  });

  it("says what it is that it holds, how much, and gives it as tar", async () => {
    const shown = (await rig.agent("show", first.id)).last.backup as Entry;
    assert.deepEqual(shown.volumes, first.volumes);
    const { restoreBytes } = (await rig.agent("stats")).last;
    assert.ok(restoreBytes > 2 * first.volumes![SERVICE]!.bytes, String(restoreBytes));
    const health = (await rig.agent("health")).last;
    assert.deepEqual(
      health.checks.find((one: { name: string }) => one.name === SERVICE),
      { name: SERVICE, ok: true, message: "its volume can be read" },
    );
    for (const args of [
      ["--folder", "public/uploads"],
      ["--service", "search"],
    ]) {
      const tar = execFileSync("docker", ["exec", rig.name("agent"), "agent", "files", "latest", ...args], {
        maxBuffer: 64 << 20,
        stdio: ["ignore", "pipe", "ignore"],
      });
      const listed = execFileSync("tar", ["--list"], { input: tar }).toString();
      assert.match(listed, /^(\.\/)?odd\/own$/m, args.join(" "));
    }
    const none = await rig.agent("files", first.id, "--service", "other");
    assert.deepEqual([none.code, none.last.message], [3, `backup ${first.id} holds no service other`]);
  });

  it("names what can't be read, and has the rest", async () => {
    rig.storage("chmod 0 odd/own", "folder");
    rig.storage("chmod 0 odd/own odd/closed", "service");
    const entry = await rig.backup("files");
    assert.equal(entry.verified, true);
    assert.deepEqual(entry.missing, [
      `${FOLDER}: odd/own can't be read: EACCES`,
      `${SERVICE}: odd/closed can't be read: EACCES`,
      `${SERVICE}: odd/own can't be read: EACCES`,
    ]);
    assert.equal(entry.volumes![SERVICE]!.count, first.volumes![SERVICE]!.count - 2);
    rig.storage("chmod 600 odd/own", "folder");
    rig.storage("chmod 600 odd/own; chmod 700 odd/closed", "service");
  });

  it("is proven although a service writes to its files all the time", async () => {
    const writer = rig.name("look");
    const busy = "mkdir -p busy; while :; do date +%s%N >> busy/log; head -c 300000 /dev/urandom > busy/data; done";
    docker(
      ...["run", "--detach", "--init", "--name", writer, "--user", "998:997", "--entrypoint", "bash", "--mount"],
      ...[`type=volume,source=${rig.name("service")},target=/storage`, rig.images.backup, "-c", `cd /storage; ${busy}`],
    );
    try {
      await rig.until("its first files", () => rig.storage("test -s busy/data", "service") === "");
      const entry = await rig.backup("files");
      assert.deepEqual([entry.verified, entry.missing], [true, undefined]);
      assert.ok(entry.volumes![SERVICE]!.count >= first.volumes![SERVICE]!.count + 1);
    } finally {
      rig.remove("look");
      rig.storage("rm -r busy", "service");
    }
  });

  it("has the rest, and says so, where a service's volume can't be reached or comes to an end in between", async () => {
    docker("stop", "--time", "0", rig.name("reader"));
    const gone = await rig.agent("run", "--type", "files");
    assert.equal(gone.code, 1);
    assert.match(gone.last.message, new RegExp(`was made without ${SERVICE}: `));
    const { backups } = (await rig.agent("list")).last as { backups: Entry[] };
    assert.deepEqual([Object.keys(backups[0]!.volumes!), backups[0]!.verified], [[FOLDER], true]);
    assert.match(backups[0]!.missing!.join(), new RegExp(`^${SERVICE}: `));
    assert.equal(
      (await rig.agent("health")).last.checks.find(({ name }: { name: string }) => name === SERVICE).ok,
      false,
    );
    docker("start", rig.name("reader"));
    await rig.until("the reader", () => docker("exec", rig.name("reader"), "healthy", "9181"));

    // A reader that breaks off, and one that is somebody else's.
    const token = "wrong".repeat(8);
    const said = rig.shell(
      `for t in ${token} "$(cat /run/drydock/restore-token)"; do node -e ` +
        `'fetch("http://${readerOf({ name: "search" })}:9181/volume/x?info", ` +
        '{ headers: { authorization: "Bearer " + process.argv[1] } }).then(async (r) => console.log(r.status, ' +
        'await r.text()))\' "$t"; done',
    );
    assert.match(said, /^401 .*token is wrong.*\n500 .*there was no such copy/);
  });

  it("is kept as long as its schedule says although later backups lack a volume", async () => {
    const { removed, kept } = (
      await rig.agent("cleanup", "--dry-run", "--now", new Date(Date.now() + 40 * 86_400_000).toISOString())
    ).last;
    const all = (await rig.agent("list")).last.backups as Entry[];
    const newest = all.find(({ verified, volumes }) => verified && volumes?.[SERVICE] !== undefined)!;
    assert.ok(kept.includes(newest.id), `${newest.id} of ${kept.join(" ")}; ${removed.length} would go`);
    assert.notEqual(newest.id, all[0]!.id);
  });

  it("is in S3 as well, and comes from there alone", async () => {
    const moto = await Moto.start();
    try {
      await rig.copyTo(moto);
      await rig.startAgent();
      const entry = await rig.backup("files");
      assert.deepEqual(entry.copies, ["local", "s3"]);
      rig.repository("rm -rf repository backups binlogs");
      await rig.startAgent();
      assert.equal((await rig.agent("adopt")).code, 0);
      const { backup } = (await rig.agent("verify", entry.id)).last as { backup: Entry };
      assert.deepEqual([backup.verified, backup.copies, backup.volumes], [true, ["s3"], entry.volumes]);
      const before = picture("service");
      rig.storage("rm -r odd", "service");
      const place = (await filesPlaces(host))[2]!;
      await filesBeside(host, place, backup, new Progress());
      await swapFiles(host, place);
      assert.deepEqual(picture("service"), before);
    } finally {
      moto.remove();
    }
  });
});
