// Judges the change from the server that has written the data to the one that is about to start. Part of
// database-check.sh. DATA, SERVER: what the two say of their versions; ENGINE; STACK. Prints same or upgrade; exits
// with 3 where it is refused.
import { shownVersion, transition, versionIn } from "../../lib/serverVersion.ts";

const { DATA = "", SERVER = "", ENGINE = "", STACK = "" } = process.env;
const server = versionIn(SERVER);
// What stands in the data may be a version alone; which engine's it is, its script knows.
const data = versionIn(DATA, DATA.startsWith("mysql ") ? "mysql" : DATA.startsWith("mariadb ") ? "mariadb" : undefined);
const fail = (what: string, remedy: string): never => {
  console.error(`database-check: ${what}; nothing was changed.\n${remedy}`);
  process.exit(3);
};
const set = (key: string, value: string) => `pulumi config set --path drydock:database.${key} ${value} -s ${STACK}`;

if (server === undefined)
  fail(
    `the image does not say the version of its server: ${SERVER}`,
    `name an image of a database's server: ${set("image", "IMAGE")}`,
  );
else if (server.engine !== ENGINE)
  fail(`the image has ${shownVersion(server)}, and drydock:database.engine is ${ENGINE}`, set("engine", server.engine));
else if (data === undefined) console.log("same");
else {
  const found = transition(data, server);
  if (found.kind === "refused")
    fail(
      found.why,
      `keep an image of ${shownVersion(data)}: ${set("image", "IMAGE")}\n` +
        "or move the rows: take the SQL of a backup (docker exec AGENT agent dump latest > database.sql), " +
        "and import it into a new stack of that image " +
        "(./drydock import dump database.sql)",
    );
  console.log(found.kind);
}
