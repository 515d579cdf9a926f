import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { lastWords } from "../../../offline/docker/words.ts";

const frames = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, n) => `#${n} /var/www/html/vendor/laravel/framework/src/Illuminate/Pipeline.php(${n}): Closure->handle()`,
  );

describe("what a failed container said last", () => {
  it("is the error, not the end of its stack trace", () => {
    const error =
      "[2026-11-29 00:00:00] production.ERROR: Please provide a valid cache path. " +
      '{"exception":"[object] (InvalidArgumentException(code: 0): Please provide a valid cache path. ' +
      "at /var/www/html/View.php:75)";
    const said = lastWords(
      [...Array.from({ length: 3 }, () => [error, "[stacktrace]", ...frames(50), '"}', ""]).flat()].join("\n"),
    );
    assert.equal(said, [error, error, error].join("\n"));
    assert.equal(
      lastWords(
        `PHP Fatal error:  Uncaught RuntimeException: no key in /x.php:3\nStack trace:\n${frames(20).join("\n")}\n` +
          "#20 {main}\n  thrown in /x.php on line 3\n",
      ),
      "PHP Fatal error:  Uncaught RuntimeException: no key in /x.php:3",
    );
  });

  it("begins with the first error where that is further up, and is the last lines otherwise", () => {
    const lines = [
      "started",
      "docker-php-entrypoint: 9: exec: frankenphp: Operation not permitted",
      ...Array.from({ length: 40 }, (_, n) => `retry ${n}`),
    ];
    assert.deepEqual(lastWords(lines.join("\n")).split("\n"), [lines[1], "…", ...lines.slice(-13)]);
    assert.deepEqual(lastWords(Array.from({ length: 40 }, (_, n) => `line ${n}`).join("\n")).split("\n").length, 15);
    assert.equal(lastWords(""), "");
  });
});
