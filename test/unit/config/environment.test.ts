import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { catalogue } from "../../../config/environment.ts";
import { environmentHash } from "../../../config/resolve.ts";
import { parseConfiguration } from "../../../config/settings.ts";
import { appKey, asJson, having, problemsOf, production, valid } from "./fixtures.ts";

const environmentOf = (raw: ReturnType<typeof valid>, stack = "local") => parseConfiguration(asJson(raw), stack).environment;

describe("environment", () => {
  it("has every plain variable in the catalogue's order, with its default", () => {
    assert.deepEqual(Object.entries(environmentOf(valid()).plain).map(([name, value]) => `${name}=${value}`), [
      "APP_NAME=Laravel",
      "APP_ENV=local",
      "APP_DEBUG=false",
      "APP_URL=http://127.0.0.1:8080",
      "LOG_CHANNEL=stderr",
      "LOG_LEVEL=info",
      "DB_CONNECTION=mariadb",
      "DB_HOST=database",
      "DB_PORT=3306",
      "DB_DATABASE=shop",
      "DB_USERNAME=shop",
      "REDIS_CLIENT=phpredis",
      "REDIS_HOST=redis",
      "REDIS_PORT=6379",
      "QUEUE_CONNECTION=redis",
      "CACHE_STORE=redis",
      "CACHE_DRIVER=redis",
      "SESSION_DRIVER=redis",
      "SESSION_COOKIE=laravel-session",
      "CACHE_PREFIX=laravel-cache-",
      "REDIS_PREFIX=laravel-database-",
      "HORIZON_PREFIX=laravel_horizon:",
      "BROADCAST_CONNECTION=log",
      "FILESYSTEM_DISK=public",
      "RESET_OPCACHE=false",
      "MAIL_MAILER=log",
    ]);
  });

  it("keeps secrets and the user's own variables out of the plain ones, whatever the order in the file", () => {
    const raw = having(having(valid(), "env.ZEBRA", "z"), "env.APPLE", 'a "quoted" $value');
    const { secret } = environmentOf({ ...raw, env: Object.fromEntries(Object.entries(raw["env"]!).reverse()) });
    assert.deepEqual(Object.keys(secret), ["APP_KEY", "DB_PASSWORD", "REDIS_PASSWORD", "APPLE", "ZEBRA"]);
    assert.equal(secret["APPLE"], 'a "quoted" $value');
  });

  it("has names for the cookie and in Redis that a new APP_NAME doesn't change", () => {
    const named = (name: string) => {
      const { plain } = environmentOf(having(valid(), "env.APP_NAME", name));
      return ["SESSION_COOKIE", "CACHE_PREFIX", "REDIS_PREFIX", "HORIZON_PREFIX"].map((variable) => plain[variable]);
    };
    assert.deepEqual(named("Shop"), named("Another shop"));
  });

  it("normalises booleans, and takes numbers and booleans as the texts they stand for", () => {
    const raw = having(having(having(valid(), "env.APP_DEBUG", "on"), "env.DB_PORT", 3306), "env.FEATURE", true);
    const { plain, secret } = environmentOf(raw);
    assert.deepEqual([plain["APP_DEBUG"], plain["DB_PORT"], secret["FEATURE"]], ["true", "3306", "true"]);
  });

  it("has the same cache in both of its variables", () => {
    const { plain } = environmentOf(having(valid(), "env.CACHE_DRIVER", "database"));
    assert.deepEqual([plain["CACHE_STORE"], plain["CACHE_DRIVER"]], ["database", "database"]);
  });

  it("takes the address from the proxy outside production", () => {
    const raw = { ...valid(), proxy: { ...valid()["proxy"], port: 9090, interface: "0.0.0.0" } };
    assert.equal(environmentOf(raw).plain["APP_URL"], "http://127.0.0.1:9090");
    assert.equal(environmentOf(having(raw, "proxy.interface", "::1")).plain["APP_URL"], "http://[::1]:9090");
  });

  it("has a hash that changes with any value and with nothing else", () => {
    const { hash } = environmentOf(valid());
    assert.match(hash, /^[0-9a-f]{64}$/);
    assert.equal(environmentOf({ ...valid(), logs: { maxSize: 20 } }).hash, hash);
    assert.notEqual(environmentOf(having(valid(), "env.LOG_LEVEL", "debug")).hash, hash);
    assert.notEqual(environmentOf(having(valid(), "env.OWN", "1")).hash, hash);
    assert.notEqual(environmentHash({ A: "1B=2" }), environmentHash({ A: "1", B: "2" }));
    assert.equal(environmentHash({ A: "1", B: "2" }), environmentHash({ B: "2", A: "1" }));
  });

  it("has no name twice in its catalogue, and a description for each", () => {
    assert.equal(new Set(catalogue.map(({ name }) => name)).size, catalogue.length);
    assert.deepEqual(catalogue.filter(({ description }) => description === "" || description.endsWith(".")), []);
  });

  const set = (name: string, value: string, stack = "local") => `pulumi config set --path drydock:env.${name} ${value} -s ${stack}`;
  const remove = (name: string) => `pulumi config rm --path drydock:env.${name} -s local`;
  const renew = (name: string, stack = "local") => `openssl rand -hex 24 | pulumi config set --secret --path drydock:env.${name} -s ${stack}`;
  const replace = (name: string) => `pulumi config set --secret --path drydock:env.${name} -s local`;
  const renewKey = `printf 'base64:%s' "$(openssl rand -base64 32)" | pulumi config set --secret --path drydock:env.APP_KEY -s local`;
  const sqlite = "mariadb or mysql: with sqlite each replica would have a database of its own, lost at the next release (known issue 2)";
  const loopback = "the service's name in the stack's network: localhost and 127.0.0.1 would be the container itself (known issue 11)";

  const bad: [name: string, value: unknown, message: string, remedy: string][] = [
    ["DB_CONNECTION", undefined, "is missing: Laravel's database driver; without it Laravel takes SQLite", set("DB_CONNECTION", "mariadb")],
    ["DB_CONNECTION", "sqlite", `is "sqlite", expected ${sqlite}`, set("DB_CONNECTION", "mariadb")],
    ["DB_HOST", "127.0.0.1", `is "127.0.0.1", expected database, ${loopback}`, set("DB_HOST", "database")],
    ["DB_HOST", "localhost", `is "localhost", expected database, ${loopback}`, set("DB_HOST", "database")],
    ["REDIS_HOST", "::1", `is "::1", expected redis, ${loopback}`, set("REDIS_HOST", "redis")],
    ["REDIS_CLIENT", "predis", 'is "predis", expected phpredis', set("REDIS_CLIENT", "phpredis")],
    ["DB_USERNAME", "root", 'is "root", but the application needs a user of its own', set("DB_USERNAME", "laravel")],
    ["SESSION_DRIVER", "file", 'is "file", expected one of redis, database, memcached, dynamodb, cookie, which all replicas share', set("SESSION_DRIVER", "redis")],
    ["APP_DEBUG", "maybe", 'is "maybe", expected true or false', set("APP_DEBUG", "false")],
    ["APP_ENV", "testing", 'is "testing", expected one of local, staging, production', set("APP_ENV", "local")],
    ["APP_URL", "shop.example.com", 'is "shop.example.com", expected an address that begins with http:// or https://', set("APP_URL", "https://shop.example.com")],
    ["APP_NAME", "two\nlines", 'is "two\\nlines", expected a text in one line', set("APP_NAME", "Laravel")],
    ["AWS_ENDPOINT", "https://user:pass@s3.example.com", "holds a user name or password, but it is a plain variable", remove("AWS_ENDPOINT")],
    ["APP_KEY", undefined, "is missing: Encrypts sessions, cookies and queued jobs; the same in all roles", renewKey],
    ["APP_KEY", "SomeRandomString", "is not valid: expected base64: and 32 random bytes in base64", renewKey],
    ["APP_KEY", `base64:${Buffer.alloc(16, "0123456789abcdef").toString("base64")}`, "is not valid: expected base64: and 32 random bytes in base64", renewKey],
    ["APP_KEY", `base64:${Buffer.alloc(32).toString("base64")}`, "is not valid: expected base64: and 32 random bytes in base64", renewKey],
    ["DB_PASSWORD", undefined, "is missing: That user's password, at least 32 characters", renew("DB_PASSWORD")],
    ["DB_PASSWORD", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0i", "is too short: expected at least 32 characters", renew("DB_PASSWORD")],
    ["DB_PASSWORD", "password", "is a well-known default", renew("DB_PASSWORD")],
    ["REDIS_PASSWORD", "ChangeMe-ChangeMe-ChangeMe-ChangeMe", "is a placeholder", renew("REDIS_PASSWORD")],
    ["REDIS_PASSWORD", "a".repeat(40), "has too few different characters", renew("REDIS_PASSWORD")],
    ["REDIS_PASSWORD", "aB3dE6gH9jK2mN5p".repeat(3), "only repeats a shorter text", renew("REDIS_PASSWORD")],
    ["REDIS_PASSWORD", `${"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0iX"} '`, "is not valid: expected at least 32 visible ASCII characters without quotes and backslashes", renew("REDIS_PASSWORD")],
    ["REDIS_PASSWORD", valid()["env"]!["DB_PASSWORD"], "repeats drydock:env.DB_PASSWORD: who learns one would have both", renew("REDIS_PASSWORD")],
    ["DB_PASSWORD", valid()["database"]!["rootPassword"], "repeats drydock:database.rootPassword: who learns one would have both", renew("DB_PASSWORD")],
    ["REPORTS_PASSWORD", valid()["env"]!["DB_PASSWORD"], "repeats drydock:env.DB_PASSWORD: who learns one would have both", replace("REPORTS_PASSWORD")],
    ["REPORTS_PASSWORD", "secret", "is a well-known default", replace("REPORTS_PASSWORD")],
    ["DRYDOCK_RELEASE", "1", "is not for you to set: names that begin with DRYDOCK_ are Drydock's own", remove("DRYDOCK_RELEASE")],
    ["MAIL_HSOT", "mail.example.com", "is unknown: is MAIL_HOST meant?", remove("MAIL_HSOT")],
    ["log_level", "debug", "is LOG_LEVEL in another case, and only one of them can be meant", remove("log_level")],
    ["Own-Name", "x", "is no name for a variable: expected capital letters, digits and underscores, not beginning with a digit", remove("Own-Name")],
    ["OWN", "a\0b", "holds a NUL character, which no environment can hold", remove("OWN")],
    ["OWN", "\ud800", "is not valid Unicode", remove("OWN")],
    ["OWN", 1.1, "is a number, expected a text in quotes: as a number it may have lost digits on its way", "pulumi config set --type string --path drydock:env.OWN VALUE -s local"],
    ["OWN", null, 'is empty (null), expected a text, "" if it shall be empty', "pulumi config set --type string --path drydock:env.OWN VALUE -s local"],
    ["OWN", { a: 1 }, "is an object, expected a text", "pulumi config set --type string --path drydock:env.OWN VALUE -s local"],
  ];
  for (const [name, value, message, remedy] of bad)
    it(`refuses ${name}: ${JSON.stringify(value)?.slice(0, 40)}`, () => {
      const raw = having(valid(), "env", value === undefined ? withoutKey(name) : { ...valid()["env"], [name]: value });
      assert.deepEqual(problemsOf(raw), [{ path: `drydock:env.${name}`, message, remedy }]);
    });

  it("keeps an odd name one word for the shell", () => {
    assert.deepEqual(problemsOf(having(valid(), "env.it's me", "x")).map(({ remedy }) => remedy), [`pulumi config rm --path 'drydock:env["it'\\''s me"]' -s local`]);
  });

  it("asks for all missing secrets of a stack with the commands that make them", () => {
    const raw = { ...production(), env: { APP_URL: "https://shop.example.com", DB_CONNECTION: "mariadb", DB_DATABASE: "shop", DB_USERNAME: "shop" } };
    assert.deepEqual(problemsOf(having(raw, "database.rootPassword", undefined), "prod").map(({ remedy }) => remedy), [
      "openssl rand -hex 24 | pulumi config set --secret --path drydock:database.rootPassword -s prod",
      `printf 'base64:%s' "$(openssl rand -base64 32)" | pulumi config set --secret --path drydock:env.APP_KEY -s prod`,
      renew("DB_PASSWORD", "prod"),
      renew("REDIS_PASSWORD", "prod"),
    ]);
  });

  it("points at a misspelt variable where one is missing", () => {
    const { DB_CONNECTION: _, ...env } = valid()["env"] as Record<string, string>;
    assert.deepEqual(problemsOf({ ...valid(), env: { ...env, DB_CONECTION: "mysql" } }).map(({ path, message }) => `${path}: ${message}`), [
      "drydock:env.DB_CONECTION: is unknown: is DB_CONNECTION meant?",
      "drydock:env.DB_CONNECTION: is missing (drydock:env.DB_CONECTION is set: is it meant?): Laravel's database driver; without it Laravel takes SQLite",
    ]);
  });

  it("refuses one name in two cases", () => {
    assert.deepEqual(problemsOf(having(valid(), "env.app_key", appKey)).map(({ path }) => path), ["drydock:env.app_key"]);
  });

  it("wants DB_CONNECTION to fit the database", () => {
    const mysql = having(valid(), "database.engine", "mysql");
    assert.deepEqual(problemsOf(mysql).map(({ message }) => message), ['is "mariadb", but drydock:database.engine is "mysql"']);
    assert.deepEqual(problemsOf(having(mysql, "env.DB_CONNECTION", "mysql")), []);
    assert.deepEqual(problemsOf(having(valid(), "env.DB_CONNECTION", "mysql")), []);
  });

  it("is strict in production", () => {
    const messages = (path: string, value: unknown, stack = "prod") => problemsOf(having(production(), path, value), stack).map((problem) => `${problem.path}: ${problem.message}`);
    assert.deepEqual(messages("env.APP_DEBUG", "yes"), ["drydock:env.APP_DEBUG: is true in production, where it would show secrets to visitors"]);
    assert.deepEqual(messages("env.APP_URL", "http://shop.example.com"), ['drydock:env.APP_URL: is "http://shop.example.com", but production is reached by https']);
    assert.deepEqual(messages("env.APP_URL", undefined), ["drydock:env.APP_URL: is missing: The address that visitors use"]);
    assert.deepEqual(messages("env.APP_ENV", "staging"), ['drydock:env.APP_ENV: is "staging", but the stack is called prod']);
    assert.deepEqual(messages("env.APP_DEBUG", "true", "anything"), ["drydock:env.APP_DEBUG: is true in production, where it would show secrets to visitors"]);
    assert.deepEqual(messages("env.APP_DEBUG", "true", "staging"), []);
  });

  it("wants what a disk or a mailer needs", () => {
    assert.deepEqual(problemsOf(having(valid(), "env.FILESYSTEM_DISK", "s3")).map(({ path, message }) => `${path}: ${message}`), [
      "drydock:env.AWS_DEFAULT_REGION: is missing: FILESYSTEM_DISK=s3 needs it",
      "drydock:env.AWS_BUCKET: is missing: FILESYSTEM_DISK=s3 needs it",
    ]);
    assert.deepEqual(problemsOf(having(valid(), "env.MAIL_MAILER", "smtp")).map(({ path }) => path), ["drydock:env.MAIL_HOST", "drydock:env.MAIL_FROM_ADDRESS"]);
  });
});

function withoutKey(name: string): Record<string, unknown> {
  const { [name]: _, ...others } = valid()["env"]!;
  return others;
}
