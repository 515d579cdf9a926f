/**
 * Backups against what is usual, side by side in one run: `mariadb-dump | gzip` with a compressed archive of the files,
 * and `mariadb < dump.sql`. No container is limited to a part of the processors, neither for the one nor for the other.
 * A backup is timed from its beginning until all of it is stored; then it is restored to prove it, which is told apart.
 * A full one is made into an empty repository each time. Deploys a stack of its own with generated rows and files, and
 * takes it away. npx tsx bench/backup.ts [--only full|next|restore] [--megabytes 1024] [--files 10000] [--runs 3]
 * [--json]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Status as BackupStatus } from "../contracts/agent.ts";
import type { Entry } from "../contracts/entry.ts";
import { Clone, docker, type Result } from "../test/support/clone.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    megabytes: { type: "string", default: "1024" },
    files: { type: "string", default: "10000" },
    runs: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const [megabytes, files, runs] = [values.megabytes, values.files, values.runs].map(Number) as [number, number, number];
if (![megabytes, files, runs].every((number) => Number.isInteger(number) && number >= 1)) {
  console.error("--megabytes, --files and --runs: whole numbers from 1");
  process.exit(2);
}
const parts = ["full", "next", "restore"];
if (values.only !== undefined && !parts.includes(values.only)) {
  console.error(`--only: ${parts.join(", ")}`);
  process.exit(2);
}
const wanted = (part: string): boolean => values.only === undefined || values.only === part;
const say = (text: string) => process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

const samples: Record<string, number[]> = {};
const note = (what: string, value: number, unit = "s") => {
  (samples[`${what} [${unit}]`] ??= []).push(value);
  say(`${what}: ${unit === "s" ? value.toFixed(1) : Math.round(value)} ${unit}`);
};
const clone = new Clone();
const checked = ({ code, stdout, stderr }: Result): string => {
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  return stdout;
};
const last = <T>(stdout: string): T => JSON.parse(stdout.trim().split("\n").at(-1)!) as T;
async function timed<T>(work: () => Promise<T> | T): Promise<[T, number]> {
  const began = performance.now();
  const result = await work();
  return [result, (performance.now() - began) / 1000];
}

try {
  say("deploying");
  checked(await clone.drydock(["up"]));
  const { services } = await clone.status();
  const container = (role: string) => services.find((service) => service.role === role)!.container;
  const inDatabase = (script: string) =>
    docker("exec", container("database"), "sh", "-c", `export MYSQL_PWD=$(cat /run/drydock/root-password); ${script}`);
  const sql = (statement: string) => inDatabase(`mariadb -uroot -N laravel -e "${statement}"`);

  for (const { container: name } of services) docker("update", "--cpus", String(availableParallelism()), name);

  say(`generating ${megabytes} MB of rows and ${files} files`);
  sql(
    "CREATE TABLE bulk (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), body TEXT, amount DECIMAL(10,2), " +
      "made DATETIME, KEY (name))",
  );
  const words = Array.from(
    { length: 12 },
    () => "MD5(RAND()), ' order of customer ', FLOOR(RAND() * 1e6), ' shipped to '",
  ).join(", ");
  for (let left = megabytes; left > 0; left -= 16) {
    const rows = Math.round((Math.min(16, left) * 2 ** 20) / 900);
    sql(
      `INSERT INTO bulk (name, body, amount, made) SELECT MD5(RAND()), CONCAT(${words}), RAND() * 1000, NOW() ` +
        `FROM seq_1_to_${rows}`,
    );
  }
  const app = (script: string) => docker("exec", container("app"), "sh", "-c", script);
  app(
    `cd storage/app && mkdir -p bulk && php -r 'for ($i = 0; $i < ${files}; $i++) { $d = "bulk/" . ($i % 100); ` +
      'is_dir($d) || mkdir($d); file_put_contents("$d/$i.txt", random_bytes(6000) . ' +
      'str_repeat("line $i of text\\n", 400)); }\'',
  );

  // What is compared with: as spatie/laravel-backup does it, with the tools that are in the images.
  const usual = async (round: string) => {
    const [, dump] = await timed(() =>
      inDatabase("mariadb-dump -uroot --single-transaction --quick laravel | gzip > /tmp/usual.sql.gz"),
    );
    const [, archive] = await timed(() => app("tar -czf /tmp/usual.tar.gz -C storage/app ."));
    note(`${round}: dump | gzip and archive`, dump + archive);
    note(
      `${round}: dump | gzip and archive`,
      Number(inDatabase("stat -c %s /tmp/usual.sql.gz")) +
        Number(app("stat -c %s /tmp/usual.tar.gz; rm /tmp/usual.tar.gz")),
      "bytes",
    );
  };
  const agent = (...args: string[]) =>
    last<{ backup: Entry }>(docker("exec", container("backup"), "agent", ...args, "--json")).backup;
  const ours = async (round: string, type: string) => {
    const [backup, whole] = await timed(() => agent("run", "--type", type));
    note(`${round}: drydock`, backup.seconds);
    note(`${round}: drydock, until it is proven too`, whole);
    note(`${round}: drydock`, (backup.database?.added ?? 0) + (backup.files?.added ?? 0), "bytes");
  };
  /** All of the log so far is in the repository, and so is the repository itself: the agent has nothing else to do. */
  const settled = async () => {
    const [file, position] = sql("SHOW MASTER STATUS").split("\t");
    for (const end = Date.now() + 240_000; ; await new Promise((wake) => setTimeout(wake, 1_000))) {
      const made = docker("exec", container("backup"), "sh", "-c", "test ! -e /backups/repository/config || echo made");
      const {
        binlog: { position: reached },
      } = last<BackupStatus>(docker("exec", container("backup"), "agent", "status", "--json"));
      if (
        made === "made" &&
        reached !== null &&
        (reached.file > file! || (reached.file === file && reached.position >= Number(position)))
      )
        return;
      if (Date.now() > end) throw new Error("the agent does not catch up with the log");
    }
  };
  /** No backup and no repository, as the agent has it on its first day. */
  const forget = async () => {
    docker("exec", container("backup"), "sh", "-c", "rm -rf /backups/backups /backups/repository");
    docker("restart", container("backup"));
    await settled();
  };

  await settled();
  for (let run = 0; wanted("full") && run < runs; run++) {
    await usual("full");
    await forget();
    await ours("full", "full");
  }
  // An increment begins with a backup that was proven.
  if (values.only === "next") agent("run", "--type", "full");
  for (let run = 0; wanted("next") && run < runs; run++) {
    const change = (part: number) => {
      sql(
        `UPDATE bulk SET amount = RAND() * 1000 WHERE id BETWEEN (SELECT FLOOR(MAX(id) * ${part / 100}) ` +
          `FROM (SELECT id FROM bulk) AS b) AND (SELECT FLOOR(MAX(id) * ${(part + 1) / 100}) ` +
          "FROM (SELECT id FROM bulk) AS c)",
      );
      app(`cd storage/app/bulk && for file in ${part}/*; do echo changed >> $file; done`);
    };
    change(2 * run);
    await usual("next after 1 %");
    await ours("next after 1 %", "incremental");
    change(2 * run + 1);
    await ours("next after 1 %, all of it read again", "full");
  }

  const { backup } = last<{ backup: Entry }>(checked(await clone.drydock(["backup", "run", "--json"])));
  note("RTO, measured by the proof", backup.verification!.seconds);
  if (values.only === "restore")
    inDatabase("mariadb-dump -uroot --single-transaction --quick laravel | gzip > /tmp/usual.sql.gz");
  if (wanted("restore")) inDatabase("gzip -dc /tmp/usual.sql.gz > /tmp/usual.sql");
  for (let run = 0; wanted("restore") && run < runs; run++) {
    const [, slow] = await timed(() =>
      inDatabase("mariadb -uroot -e 'CREATE OR REPLACE DATABASE usual' && mariadb -uroot usual < /tmp/usual.sql"),
    );
    note("restore: mariadb < dump.sql", slow);
    for (const [name, flags, left] of [
      ["drydock --physical", [], true],
      ["drydock --physical, from the repository", [], false],
      ["drydock --physical --compare", ["--compare"], true],
    ] as const) {
      // The gigabyte that was loaded is in the log as well.
      await settled();
      // What the proof has left is there, or not.
      const aside = (script: string) =>
        left || docker("exec", container("restore"), "sh", "-c", `cd /restore && ${script}`);
      aside("mkdir aside && mv kept-* aside");
      const [result, whole] = await timed(() =>
        clone.drydock([
          "backup",
          "restore",
          backup.id,
          "--db",
          "--physical",
          ...flags,
          "--yes",
          "--no-backup",
          "--json",
        ]),
      );
      aside("mv aside/* . && rmdir aside");
      note(`restore: ${name}, until it is live`, last<{ seconds: number }>(checked(result)).seconds);
      note(`restore: ${name}, the whole command`, whole);
      note(`restore: ${name}, of it preparing`, Number(/^. prepared.* in ([\d.]+) s/m.exec(result.stderr)?.[1]));
      note(`restore: ${name}, of it the database was away`, Number(/away for ([\d.]+) s/.exec(result.stderr)?.[1]));
    }
    checked(await clone.drydock(["backup", "restore", "--forget-previous", "--yes"]));
  }
  const status = last<BackupStatus>((await clone.drydock(["backup", "status", "--json"])).stdout);
  note("RPO, measured", status.rpoSeconds ?? NaN);
} finally {
  await clone.drydock(["backup", "restore", "--forget-previous", "--yes"]);
  await clone.remove();
}

const medians = Object.fromEntries(Object.entries(samples).map(([what, numbers]) => [what, median(numbers)]));
const ratio = (name: string, slow: string, fast: string) =>
  medians[slow] === undefined || medians[fast] === undefined ? {} : { [name]: medians[slow] / medians[fast] };
const ratios = {
  ...ratio("full backup, times faster", "full: dump | gzip and archive [s]", "full: drydock [s]"),
  ...ratio("next backup, times faster", "next after 1 %: dump | gzip and archive [s]", "next after 1 %: drydock [s]"),
  ...ratio(
    "next backup, all read again, times faster",
    "next after 1 %: dump | gzip and archive [s]",
    "next after 1 %, all of it read again: drydock [s]",
  ),
  ...ratio(
    "next backup, bytes, times less",
    "next after 1 %: dump | gzip and archive [bytes]",
    "next after 1 %: drydock [bytes]",
  ),
  ...ratio(
    "restore, times faster",
    "restore: mariadb < dump.sql [s]",
    "restore: drydock --physical, until it is live [s]",
  ),
  ...ratio(
    "restore from the repository, times faster",
    "restore: mariadb < dump.sql [s]",
    "restore: drydock --physical, from the repository, until it is live [s]",
  ),
  ...ratio(
    "restore with everything compared, times faster",
    "restore: mariadb < dump.sql [s]",
    "restore: drydock --physical --compare, until it is live [s]",
  ),
};
if (values.json) console.log(JSON.stringify({ megabytes, files, runs, medians, ratios, samples }));
else {
  for (const [what, value] of Object.entries(medians))
    console.log(`${what.padEnd(74)} ${value.toFixed(1).padStart(14)}  (median of ${samples[what]!.length})`);
  for (const [what, value] of Object.entries(ratios))
    console.log(`${what.padEnd(74)} ${value.toFixed(2).padStart(14)}`);
}
