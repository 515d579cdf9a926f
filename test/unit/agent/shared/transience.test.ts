import assert from "node:assert/strict";
import { AgentError } from "../../../../agent/shared/errors.ts";
import { execute } from "../../../../agent/shared/process.ts";
import { tryAgain } from "../../../../agent/shared/retry.ts";
import { isTransient } from "../../../../agent/shared/transience.ts";

const reporter = { log: () => undefined } as never;

describe("what is tried again", () => {
  for (const failure of [
    { program: "restic", code: 11, text: "unable to create lock in backend: repository is already locked" },
    { program: "mariadb", code: 1, text: "ERROR 2013 (HY000): Lost connection to server during query" },
    { program: "mariadb-dump", code: 3, text: "Got error: 1412: Table definition has changed" },
    { program: "restic", code: 1, text: "Stat: 503 Service Unavailable" },
    { program: "restic", code: 1, text: "server response unexpected: 500" },
    { text: "read tcp 10.0.0.1:443: connection reset by peer" },
    { text: "Fatal: unexpected EOF" },
  ])
    it(`is ${failure.text}`, () => assert.equal(isTransient(failure), true));

  for (const failure of [
    { program: "restic", code: 12, text: "wrong password or no key found; connection reset" },
    { program: "restic", code: 10, text: "repository does not exist: connection refused" },
    { program: "mariadb", code: 1, text: "ERROR 1045 (28000): Access denied for user" },
    { program: "mariadb-dump", code: 2, text: "Got error: 1146: Table 'shop.connection reset' doesn't exist" },
    { program: "restic", code: 1, text: "server response unexpected: 403 Forbidden" },
    // Numbers and words of the data's own names.
    { text: "error in table orders_500: a column is wrong" },
    { text: "line 502 of views.sql: syntax error" },
    { text: "file EOF.txt can't be read: permission denied" },
  ])
    it(`is not ${failure.text}`, () => assert.equal(isTransient(failure), false));

  it("is a lost connection, and not what is wrong or forbidden", () => {
    for (const text of [
      "Lost connection to server during query",
      "connect: Connection refused",
      "503 Service Unavailable",
      "ERROR 1412: Table definition has changed",
    ])
      assert.equal(isTransient({ text }), true, text);
    for (const text of ["Access denied for user", "403 Forbidden", "wrong password or no key found", "No such file"])
      assert.equal(isTransient({ text }), false, text);
    // Words of the network in what nobody can do again.
    for (const text of [
      "connection closed: access denied",
      "server shutdown: invalid configuration",
      "already locked: no such repository",
      "broken pipe after unknown column 'x'",
    ])
      assert.equal(isTransient({ text }), false, text);
  });

  it("by what a program says at its end", async () => {
    const failing = (line: string) =>
      execute("sh", ["-c", `echo '${line}' >&2; exit 1`]).catch((error: AgentError) => error.transient);
    assert.equal(await failing("ERROR 2003 (HY000): no server"), true);
    assert.equal(await failing("no room for table t503"), false);
  });

  it("three times at most, and what is permanent once", async () => {
    let tries = 0;
    const failing = (transient: boolean) => () => {
      tries++;
      throw new AgentError("x", { transient });
    };
    await assert.rejects(
      tryAgain({ reporter }, async () => failing(true)(), [0, 0]),
      AgentError,
    );
    assert.equal(tries, 3);
    tries = 0;
    await assert.rejects(
      tryAgain({ reporter }, async () => failing(false)(), [0, 0]),
      AgentError,
    );
    assert.equal(tries, 1);
    tries = 0;
    await assert.rejects(
      tryAgain({ reporter }, async () => {
        tries++;
        throw new Error("a mistake of our own");
      }, [0, 0]),
      /a mistake/,
    );
    assert.equal(tries, 1);
  });
});
