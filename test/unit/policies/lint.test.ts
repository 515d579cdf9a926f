import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lintDockerfile } from "../../../policies/lint/dockerfile.ts";
import { lint, ownDockerfiles } from "../../../policies/lint/report.ts";

const GOOD = `FROM php:8.4.1-fpm
RUN pecl install redis && docker-php-ext-enable redis
COPY src /var/www/html
USER 1000:1000
STOPSIGNAL SIGQUIT
CMD ["php-fpm", "-F"]
`;
const lines = (content: string) =>
  lintDockerfile("Dockerfile", content).map(
    ({ line, check, message }) => `${line} ${check}: ${message.split("\n")[0]}`,
  );

describe("policies: lint of Dockerfiles", () => {
  it("has nothing to say about a good one", () => assert.deepEqual(lines(GOOD), []));

  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      "config:cache at build (incident 10)",
      GOOD.replace("USER", "RUN php artisan config:cache\nUSER"),
      ["4 no-config-cache-at-build: builds Laravel's configuration cache into the image"],
    ],
    ["no STOPSIGNAL", GOOD.replace("STOPSIGNAL SIGQUIT\n", ""), ["5 stop-signal: runs php-fpm without a STOPSIGNAL"]],
    [
      "the wrong STOPSIGNAL",
      GOOD.replace("SIGQUIT", "SIGTERM"),
      ["5 stop-signal: stops php-fpm with another signal than SIGQUIT"],
    ],
    ["no USER (incident 9)", GOOD.replace("USER 1000:1000\n", ""), ["1 user: sets no USER"]],
    [
      "USER of another stage only",
      `FROM debian:13.1 AS build\nUSER 1000\n${GOOD.replace("USER 1000:1000\n", "")}`,
      ["3 user: sets no USER"],
    ],
    ["root", GOOD.replace("1000:1000", "root"), ["4 user: runs as root"]],
    [
      "secrets",
      GOOD.replace(
        "COPY src",
        "ENV DB_PASSWORD=x APP_NAME=y\nARG COMPOSER_TOKEN\nRUN curl https://bot:hunter2@example.com\nCOPY .env",
      ),
      [
        "3 no-secrets: ENV DB_PASSWORD is a secret by its name",
        "4 no-secrets: ARG COMPOSER_TOKEN is a secret by its name",
        "5 no-secrets: RUN has a URL with a password",
        "6 no-secrets: copies a .env file into the image",
      ],
    ],
    ["latest", GOOD.replace(":8.4.1-fpm", ":latest"), ["1 pinned-base: the base's tag is latest"]],
    [
      "no tag, by the default of an argument",
      "ARG BASE=debian\n" +
        `${GOOD.replace("php:8.4.1-fpm", "${BASE}").replace("RUN pecl", "RUN apt-get install php8.4-fpm && pecl")}`,
      ["2 pinned-base: the base has no tag"],
    ],
    [
      "predis only (incident 5)",
      GOOD.replace("pecl install redis && docker-php-ext-enable redis", "composer require predis/predis"),
      ["1 phpredis: has PHP, but not the extension redis"],
    ],
    [
      "a line that Docker would refuse",
      GOOD.replace("USER", "CPOY a b\nUSER"),
      ["4 syntax: Unknown instruction: CPOY"],
    ],
  ];
  for (const [title, content, expected] of cases)
    it(`finds ${title}`, () => assert.deepEqual(lines(content), expected));

  it("leaves a base to the build that gives it, and other stages to themselves", () => {
    assert.deepEqual(lines(`ARG BASE\nFROM \${BASE} AS base\nFROM base\nUSER 1000\n`), []);
    assert.deepEqual(lines(`FROM debian:13.1@sha256:${"a".repeat(64)}\nUSER 1000\n`), []);
  });

  it("takes a written reason, in the file or in the list, and nothing shorter", () => {
    const noUser = GOOD.replace("USER 1000:1000\n", "");
    assert.equal(
      lintDockerfile("Dockerfile", `# lint-allow user: nothing runs from this image\n${noUser}`)[0]?.reason,
      "nothing runs from this image",
    );
    assert.equal(lintDockerfile("Dockerfile", `# lint-allow user: yes\n${noUser}`)[0]?.reason, undefined);
    assert.equal(lintDockerfile("x/Dockerfile", noUser, { "x/Dockerfile": { user: "a base" } })[0]?.reason, "a base");
  });

  it("says what, why and the remedy, without the secret", () => {
    const [finding] = lintDockerfile("Dockerfile", GOOD.replace("COPY", "RUN DB_PASSWORD=hunter2 make\nCOPY"));
    assert.match(
      finding?.message ?? "",
      /RUN has the value of DB_PASSWORD\n  why: .*\n  remedy: RUN --mount=type=secret/,
    );
    assert.doesNotMatch(finding?.message ?? "", /hunter2/);
  });

  it("looks for .env in the context of an application", () => {
    const folder = mkdtempSync(join(tmpdir(), "lint-"));
    try {
      writeFileSync(join(folder, "artisan"), "");
      writeFileSync(join(folder, "Dockerfile"), GOOD.replace("COPY src /var/www/html", "COPY --chown=1000 . ."));
      assert.match(
        lint([join(folder, "Dockerfile")]).text,
        /no-secrets\] copies everything, and .dockerignore does not leave out .env/,
      );
      writeFileSync(join(folder, ".dockerignore"), "node_modules\n.env\n");
      assert.equal(lint([join(folder, "Dockerfile")]).failed, false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("passes this project's own Dockerfiles, or has a written reason", () => {
    assert.ok(ownDockerfiles().length >= 5);
    const { text, failed } = lint([]);
    assert.equal(failed, false, text);
  });

  it("says which file is missing", () =>
    assert.throws(() => lint(["nowhere/Dockerfile"]), /there is no file nowhere\/Dockerfile/));
});
