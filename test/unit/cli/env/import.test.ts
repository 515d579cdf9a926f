import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { describe as describePlan } from "../../../../cli/env/import.ts";
import { planImport } from "../../../../cli/env/plan.ts";
import { asSetting, readDotenv } from "../../../../config/dotenvFile.ts";

/** Laravel's own file as an application has it, with some of what such files collect. */
const FILE = `
APP_NAME="My Shop"
APP_ENV=local
APP_KEY=base64:${Buffer.from("0123456789abcdefghijklmnopqrstuv").toString("base64")}
APP_DEBUG=true
APP_URL=http://localhost

LOG_CHANNEL=stack
LOG_STACK=single
MEMCACHED_HOST=127.0.0.1
MAIL_HOST=localhost
SCOUT_HOST=search
DB_CONNECTION=mysql
DB_HOST=127.0.0.1
DB_DATABASE=my-shop
DB_USERNAME=shop
DB_PASSWORD=short
SESSION_DRIVER=file
REDIS_CLIENT=predis
MAIL_SCHEME=null
MAIL_FROM_NAME="\${APP_NAME}"
AWS_BUCKET=
export STRIPE_KEY=pk_live_1 # public
STRIPE_SECRET='sk_live_0123456789'
GREETING="two
lines"
PRICE="\\\${AMOUNT} euros"
BROKEN="no end \\q"
BARE
VITE_APP_NAME="\${APP_NAME}"
REPORT_TO="\${NOBODY}"
path.to=x
`;

const plan = (stack: string, present: readonly string[] = [], file = FILE) =>
  new Map(planImport(readDotenv(file), { stack, present: new Set(present) }).map((one) => [one.name, one]));

describe("the import of a .env file", () => {
  it("decides about each variable, and encrypts what is secret", () => {
    const planned = plan("prod");
    const of = (action: string) => [...planned.values()].filter((one) => one.action === action).map(({ name }) => name);
    assert.deepEqual(of("set"), [
      "APP_NAME",
      "LOG_CHANNEL",
      "LOG_STACK",
      "SCOUT_HOST",
      "DB_CONNECTION",
      "DB_DATABASE",
      "DB_USERNAME",
      "MAIL_FROM_NAME",
      "STRIPE_KEY",
      "GREETING",
      "PRICE",
      "VITE_APP_NAME",
    ]);
    assert.deepEqual(of("secret"), ["APP_KEY", "STRIPE_SECRET"]);
    assert.deepEqual(of("skip"), [
      "APP_ENV",
      "APP_DEBUG",
      "APP_URL",
      "MEMCACHED_HOST",
      "MAIL_HOST",
      "DB_HOST",
      "REDIS_CLIENT",
      "MAIL_SCHEME",
      "AWS_BUCKET",
      "BARE",
    ]);
    assert.deepEqual(of("refuse"), ["DB_PASSWORD", "SESSION_DRIVER", "BROKEN", "REPORT_TO", "path.to"]);
    assert.equal(
      planned.get("DB_HOST")?.why,
      "the database of the stack is `database` in its own network: Drydock sets it",
    );
    assert.equal(planned.get("DB_PASSWORD")?.why, "is too short: expected at least 32 characters");
    assert.match(planned.get("BROKEN")?.why ?? "", /backslash in double quotes/);
    assert.equal(planned.get("GREETING")?.value, "two\nlines");
    assert.equal(planned.get("PRICE")?.value, "\\${AMOUNT} euros");
    assert.equal(planned.get("MAIL_FROM_NAME")?.value, "${APP_NAME}");
  });

  it("leaves alone what a stack's own servers were made with", () => {
    const planned = plan("local", [
      "DB_CONNECTION",
      "DB_DATABASE",
      "DB_USERNAME",
      "DB_PASSWORD",
      "REDIS_PASSWORD",
      "APP_KEY",
    ]);
    for (const name of ["DB_CONNECTION", "DB_DATABASE", "DB_USERNAME", "DB_PASSWORD"])
      assert.equal(planned.get(name)?.action, "skip", name);
    assert.equal(planned.get("APP_KEY")?.action, "secret", "what is encrypted with it comes along");
    assert.equal(planned.get("APP_DEBUG")?.action, "set");
  });

  it("takes the last one of a name, and what the stack has as a reference", () => {
    assert.equal(plan("local", [], "A=1\nA=2\n").get("A")?.value, "2");
    assert.equal(plan("local", ["OTHER"], "A=${OTHER}\n").get("A")?.action, "set");
  });

  it("warns of what is hardly meant", () => {
    assert.match(plan("local", [], "MAIL_MAILER=smpt\n").get("MAIL_MAILER")?.warning ?? "", /is smtp meant\?/);
  });

  it("shows no value", () => {
    const shown = describePlan([...plan("prod").values()], { stack: "prod", written: true });
    for (const value of ["sk_live_0123456789", "short\n", "pk_live_1", "My Shop"])
      assert.ok(!shown.includes(value), value);
    assert.match(shown, /^Set \(12\):\n/);
    assert.match(shown, /\nNOT set \(5\):\n {2}DB_PASSWORD +is too short/);
    assert.match(shown, /\nSee what it changes: \.\/drydock preview -s prod\n$/);
  });

  it("keeps a literal dollar literal", () => {
    const [single, double] = readDotenv("A='${B}'\nC=\"\\${B} ${B} $x\"");
    assert.ok(single !== undefined && double !== undefined && !("why" in single) && !("why" in double));
    assert.deepEqual([asSetting(single), asSetting(double)], ["\\${B}", "\\${B} ${B} $x"]);
  });
});
