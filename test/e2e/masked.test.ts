import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";

const SECRET = "Tr0ub4dor";

/** An error as MariaDB gives it: its number, its words, and what is shown of them. */
const ERRORS: readonly (readonly [number: number, said: string, shown: string])[] = [
  [
    1062,
    `1062 Duplicate entry '${SECRET}' for key 'users_email_unique'`,
    "1062 Duplicate entry '…' for key 'users_email_unique'",
  ],
  [
    1062,
    `1062 Duplicate entry 'it's ${SECRET}' for key 'x'' for key 'users_email_unique'`,
    "1062 Duplicate entry '…' for key 'users_email_unique'",
  ],
  [
    1366,
    `1366 Incorrect integer value: '${SECRET}' for column \`shop\`.\`t\`.\`a\` at row 1`,
    "1366 Incorrect integer value: '…' for column `shop`.`t`.`a` at row 1",
  ],
  [1292, `1292 Truncated incorrect DOUBLE value: 'a'b ${SECRET}'`, "1292 Truncated incorrect DOUBLE value: '…'"],
  [
    1064,
    `1064 You have an error in your SQL syntax; check … near '${SECRET}', 'x')\nfrom t' at line 1`,
    "1064 You have an error in your SQL syntax; check … near '…' at line 1",
  ],
  [1644, `1644 the user "${SECRET}" is not allowed`, "1644 the user '…' is not allowed"],
  [
    7,
    `7 ERROR:  duplicate key value violates unique constraint "k"\nDETAIL:  Key (email)=(${SECRET}) already exists.`,
    "7 ERROR:  duplicate key value violates unique constraint '…'",
  ],
  [1146, "1146 Table 'shop.users' doesn't exist", "1146 Table 'shop.users' doesn't exist"],
  [1054, "1054 Unknown column 'nick' in 'field list'", "1054 Unknown column 'nick' in 'field list'"],
  [
    1451,
    "1451 Cannot delete or update a parent row: a foreign key constraint fails (`shop`.`b`, CONSTRAINT `c` …)",
    "1451 Cannot delete or update a parent row: a foreign key constraint fails (`shop`.`b`, CONSTRAINT `c` …)",
  ],
];

/** Statements, and what is shown of them. */
const BEGINNINGS: readonly (readonly [sql: string, shown: string])[] = [
  ["insert into `users` (`email`, `a`) values (?, ?)", "insert into `users` (`email`, `a`) values (?, ?)"],
  [`insert into \`t2\` values ('${SECRET}')`, "insert into `t2` values (…"],
  ["update t1 set pin = 4711", "update t1 set pin = …"],
  [`/* ${SECRET} */ select 1`, "…"],
  [`select a -- ${SECRET}`, "select a …"],
];

const PHP = `
require '/var/www/html/vendor/autoload.php';
use Illuminate\\Database\\QueryException;
[$errors, $beginnings] = json_decode($argv[1], true);
$driver = static function (int $number, string $said, bool $known = true): PDOException {
    $error = new PDOException("SQLSTATE[23000]: Integrity constraint violation: $said");
    if ($known) { $error->errorInfo = ['23000', $number, $said]; }
    return $error;
};
$query = static fn (string $sql, array $bindings, Throwable $why) => new QueryException('mariadb', $sql, $bindings,
  $why);
$answer = ['errors' => [], 'beginnings' => []];
foreach ($errors as [$number, $said]) {
    foreach ([true, false] as $known) {
        $error = drydock_masked($query('insert into t (a) values (?)', ['${SECRET}'], $driver($number, $said, $known)));
        $answer['errors'][] = [$error->getMessage(), $error->getPrevious()->getMessage()];
    }
}
foreach ($beginnings as [$sql]) {
    $answer['beginnings'][] = drydock_masked($query($sql, ['${SECRET}'], $driver(1213, 'x')))->getMessage();
}
$inner = $query("insert into t values ('${SECRET}')", [], $driver(1062,
  "1062 Duplicate entry '${SECRET}' for key 'k'"));
$answer['passed on'] = (string) drydock_masked(new RuntimeException('import: ' . $inner->getMessage(), 0, $inner));
$answer['unique'] = drydock_masked(new Illuminate\\Database\\UniqueConstraintViolationException('mariadb',
  'insert into t (a) values (?)', ['${SECRET}'], $driver(1062,
    "1062 Duplicate entry '${SECRET}' for key 'k'")))->getMessage();
function login(string $password): never { throw new DomainException('the migration says this itself'); }
try { login('${SECRET}'); } catch (Throwable $error) { $answer['own'] = (string) drydock_masked($error); }
echo json_encode($answer, JSON_THROW_ON_ERROR);
`;

describe("an error of the database that a migration ends with", function () {
  this.timeout(60_000);
  const run = () => {
    const images = execFileSync("docker", ["images", "--format", "{{.Repository}}:{{.Tag}}", "drydock/app"], {
      encoding: "utf8",
    });
    const [image] = images.split("\n");
    assert.ok(image, "no image drydock/app: `./drydock up` builds it");
    const said = execFileSync(
      "docker",
      [
        "run",
        "--rm",
        "--interactive",
        "--label",
        "drydock.test=masked",
        "--network",
        "none",
        "--entrypoint",
        "php",
        image,
        "--",
        JSON.stringify([ERRORS, BEGINNINGS]),
      ],
      { input: `${readFileSync("runtime/masked.php", "utf8")}\n${PHP}`, encoding: "utf8" },
    );
    return JSON.parse(said) as {
      errors: [string, string][];
      beginnings: string[];
      "passed on": string;
      unique: string;
      own: string;
    };
  };

  it("is shown without the values that server, statement and bindings have, but with the names", () => {
    const { errors, beginnings, ...other } = run();
    assert.deepEqual(
      errors,
      ERRORS.flatMap(([, , shown]) => {
        const driver = `SQLSTATE[23000]: Integrity constraint violation: ${shown}`;
        const both = [`${driver} (Connection: mariadb, SQL: insert into t (a) values (?))`, driver];
        return [both, both];
      }),
    );
    assert.deepEqual(
      beginnings,
      BEGINNINGS.map(
        ([, shown]) => `SQLSTATE[23000]: Integrity constraint violation: x (Connection: mariadb, SQL: ${shown})`,
      ),
    );
    assert.match(
      other.unique,
      /Duplicate entry '…' for key 'k' \(Connection: mariadb, SQL: insert into t \(a\) values \(\?\)\)$/,
    );
    assert.match(
      other["passed on"],
      new RegExp(
        String.raw`RuntimeException: import: SQLSTATE\[23000\][^\n]*Duplicate entry '…' for key 'k' ` +
          String.raw`\(Connection: mariadb, SQL: insert into t values \(…\)`,
      ),
    );
    assert.match(other.own, /the migration says this itself/);
    assert.ok(!JSON.stringify({ errors, beginnings, ...other }).includes(SECRET), JSON.stringify(other, null, 1));
  });
});
