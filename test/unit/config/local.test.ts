import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type ConfigValue, generateLocal } from "../../../config/local.ts";
import { having, problemsOf } from "../../support/config/fixtures.ts";

const images = {
  php: "drydock/php:1",
  proxy: "drydock/proxy:1",
  database: "drydock/database:1",
  redis: "drydock/redis:1",
  backup: "drydock/backup:1",
};
const treeOf = (values: readonly ConfigValue[]) =>
  values.reduce((tree, { path, value }) => having(tree, path.replace("drydock:", ""), value), {});

describe("generateLocal", () => {
  it("makes a configuration in which nothing is wrong", () => {
    for (let run = 0; run < 20; run++) assert.deepEqual(problemsOf(treeOf(generateLocal({ port: 18080, images }))), []);
  });

  it("makes these values, the secrets anew each time", () => {
    let call = 0;
    const values = generateLocal({ port: 18080, images, random: (bytes) => Buffer.alloc(bytes, ++call) });
    assert.deepEqual(
      values.map(({ path, value, secret }) => `${path}=${value}${secret ? " secret" : ""}`),
      [
        "drydock:app.build.args.BASE=drydock/php:1",
        "drydock:app.build.context=examples/laravel",
        "drydock:database.image=drydock/database:1",
        `drydock:database.rootPassword=${"01".repeat(24)} secret`,
        "drydock:redis.image=drydock/redis:1",
        "drydock:proxy.image=drydock/proxy:1",
        "drydock:proxy.port=18080",
        "drydock:backup.image=drydock/backup:1",
        `drydock:backup.key=${"02".repeat(24)} secret`,
        `drydock:backup.databasePassword=${"03".repeat(24)} secret`,
        `drydock:backup.token=${"04".repeat(24)} secret`,
        "drydock:env.APP_ENV=local",
        `drydock:env.APP_KEY=base64:${Buffer.alloc(32, 5).toString("base64")} secret`,
        "drydock:env.DB_CONNECTION=mariadb",
        "drydock:env.DB_DATABASE=laravel",
        "drydock:env.DB_USERNAME=laravel",
        `drydock:env.DB_PASSWORD=${"06".repeat(24)} secret`,
        `drydock:env.REDIS_PASSWORD=${"07".repeat(24)} secret`,
      ],
    );
  });

  it("leaves what is there alone", () => {
    const all = generateLocal({ port: 18080, images }).map(({ path }) => path);
    const missing = generateLocal({
      port: 18080,
      images,
      existing: all.filter((path) => path !== "drydock:env.APP_KEY"),
    });
    assert.deepEqual(
      missing.map(({ path }) => path),
      ["drydock:env.APP_KEY"],
    );
  });

  it("does not build the example where there is an image, or a folder to build", () => {
    for (const existing of ["drydock:app.image", "drydock:app.build.context"])
      assert.deepEqual(
        generateLocal({ port: 18080, images, existing: [existing] }).filter(({ path }) =>
          path.startsWith("drydock:app"),
        ),
        [],
      );
  });
});
