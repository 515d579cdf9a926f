import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type ServerVersion, shownVersion, transition, versionIn } from "../../../lib/serverVersion.ts";

describe("a database server's version", () => {
  it("is read from what servers, and their files, say", () => {
    const read = (said: string, engine?: ServerVersion["engine"]) => {
      const found = versionIn(said, engine);
      return found === undefined ? undefined : [shownVersion(found), found.series.join(".")];
    };
    assert.deepEqual(read("mariadbd  Ver 11.8.9-MariaDB-2 from Debian for debian-linux-gnu on x86_64"), [
      "MariaDB 11.8.9",
      "11.8",
    ]);
    assert.deepEqual(read("mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)"), [
      "MySQL 8.4.3",
      "8.4",
    ]);
    assert.deepEqual(read("10.11.18-MariaDB-0+deb12u1-log"), ["MariaDB 10.11.18", "10.11"]);
    assert.deepEqual(read("mariadb 10.6.20-MariaDB"), ["MariaDB 10.6.20", "10.6"]);
    assert.deepEqual(read("mysql 9.1.0", "mysql"), ["MySQL 9.1.0", "9.1"]);
    assert.equal(read("mysqld: not found"), undefined);
  });

  const from = (data: string, server: string) => transition(versionIn(data)!, versionIn(server)!);

  it("goes up, of MariaDB by any step, of MySQL by each series with support of years", () => {
    for (const [data, server] of [
      ["10.6.20-MariaDB", "12.3.1-MariaDB"],
      ["10.11.1-MariaDB", "11.8.9-MariaDB"],
      ["8.0.40", "8.4.3"],
      ["8.4.3", "9.7.0"],
      ["8.1.0", "8.4.1"],
      ["9.0.1", "9.7.4"],
    ] as const)
      assert.deepEqual(from(data, server), { kind: "upgrade" }, `${data} ${server}`);
    for (const [data, server] of [
      ["11.8.2-MariaDB", "11.8.9-MariaDB"],
      ["8.4.5", "8.4.3"],
    ] as const)
      assert.deepEqual(from(data, server), { kind: "same" });
    assert.deepEqual(from("8.0.40", "9.1.0"), {
      kind: "refused",
      why: "MySQL 9.1.0 can't read what MySQL 8.0.40 has written: first an image of MySQL 8.4, and an `up` with it",
    });
    assert.deepEqual(from("5.6.51", "8.4.1"), {
      kind: "refused",
      why: "MySQL 8.4.1 can't read what MySQL 5.6.51 has written: first an image of MySQL 5.7, and an `up` with it",
    });
  });

  it("never goes down, nor to the other engine", () => {
    assert.match(JSON.stringify(from("11.8.9-MariaDB", "11.4.2-MariaDB")), /the older MariaDB 11\.4\.2 can't read it/);
    assert.match(JSON.stringify(from("9.1.0", "8.4.3")), /the older MySQL 8\.4\.3 can't read it/);
    assert.match(
      JSON.stringify(from("11.8.9-MariaDB", "8.4.3")),
      /written by MariaDB 11\.8\.9, and MySQL 8\.4\.3 can't read it/,
    );
  });
});
