import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";

type Connections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
interface Config {
  readonly database: { readonly redis: Connections };
  readonly cache: { readonly stores: Connections };
  readonly [name: string]: unknown;
}

/** Laravel's own configuration, as far as it is about Redis. */
const stock: Config = {
  database: { redis: { default: { host: "redis", database: "0" }, cache: { host: "redis", database: "1" } } },
  cache: {
    stores: { redis: { driver: "redis", connection: "cache", lock_connection: "default" }, file: { driver: "file" } },
  },
  queue: { connections: { redis: { driver: "redis", connection: "default" }, sync: { driver: "sync" } } },
  session: { driver: "redis", connection: null },
};

describe("the servers that the parts of a configuration use", function () {
  this.timeout(60_000);
  const ask = (config: Config, forgetful = "redis-cache") => {
    const script =
      readFileSync("runtime/stores.php", "utf8") +
      `
      $config = drydock_stores(json_decode('${JSON.stringify(config)}', true), 'redis', '${forgetful}');
      echo json_encode([$config, (object) drydock_forgotten($config, 'redis', '${forgetful}')]);`;
    const said = execFileSync("docker", ["run", "--rm", "-i", "--network", "none", imageTags().php, "php", "--"], {
      input: script,
      encoding: "utf8",
    });
    return JSON.parse(said) as [Config, Record<string, string>];
  };
  const using = (store: Record<string, unknown>, redis: Connections = stock.database.redis): Config => ({
    ...stock,
    database: { redis },
    cache: { stores: { redis: { driver: "redis", ...store } } },
  });

  it("are two: the stores of the cache use a connection of their own, and their locks stay", () => {
    const [{ database, cache, ...rest }, forgotten] = ask(stock);
    assert.deepEqual(database.redis, {
      ...stock.database.redis,
      "cache-forgetful": { host: "redis-cache", database: "1" },
    });
    assert.deepEqual(cache.stores, {
      ...stock.cache.stores,
      redis: { driver: "redis", connection: "cache-forgetful", lock_connection: "default" },
    });
    assert.deepEqual([rest, forgotten], [{ queue: stock["queue"], session: stock["session"] }, {}]);
  });

  it("are two also where cache and jobs share a connection: both stay as they were but for the server", () => {
    const [{ database, cache }] = ask(using({}));
    assert.deepEqual(cache.stores["redis"], {
      driver: "redis",
      connection: "default-forgetful",
      lock_connection: "default",
    });
    assert.deepEqual(database.redis["default"], { host: "redis", database: "0" });
  });

  it("stay where the application points elsewhere, and where there is one server", () => {
    for (const cache of [{ host: "other" }, { host: "redis", url: "redis://other" }]) {
      const config = using({ connection: "cache" }, { ...stock.database.redis, cache });
      assert.deepEqual(ask(config)[0], config);
    }
    assert.deepEqual(ask(stock, "redis"), [stock, {}]);
  });

  it("are refused where jobs, sessions or locks use the one that forgets", () => {
    const redis = { ...stock.database.redis, cache: { host: "redis-cache", database: "1" } };
    const [{ cache }, none] = ask(using({ connection: "cache" }, redis));
    assert.deepEqual([cache.stores["redis"]?.["lock_connection"], none], ["default", {}]);
    const wrong = {
      ...using({ connection: "cache", lock_connection: "cache" }, redis),
      horizon: { use: "cache" },
      queue: { connections: { fast: { driver: "redis", connection: "cache" } } },
      session: { driver: "redis", connection: "cache" },
    };
    assert.deepEqual(ask(wrong)[1], {
      "queue.connections.fast.connection": "cache",
      "session.connection": "cache",
      "horizon.use": "cache",
      "cache.stores.redis.lock_connection": "cache",
    });
  });
});
