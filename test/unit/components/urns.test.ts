import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";

/**
 * Every resource of a large stack as the version before LaravelStack registered it: the types of its parents and its
 * own, and its name. Stacks have them in their state, so the list is never written anew.
 */
const recorded: readonly string[] = JSON.parse(readFileSync(new URL("urns.json", import.meta.url), "utf8"));

const NEW = ["drydock:index:LaravelStack", "drydock:index:Infrastructure", "drydock:index:Release"];

/** What that version did not have. */
const SINCE = ["backup-service-search", "redis-check", "redis-cache-check", "proxy-check"];

describe("the stacks of earlier versions", function () {
  this.timeout(60_000);
  let resources: readonly Registered[];
  before(async () => {
    ({ resources } = await runProgram(
      configuration({
        app: { persistent: { "public/uploads": {} } },
        workers: {
          mail: { command: ["php", "artisan", "queue:work"] },
          reverb: { command: ["php", "artisan", "reverb:start"], http: { port: 8080, paths: ["/app"] } },
        },
        services: { search: { image: "getmeili/meilisearch:v1.12", health: ["true"], volume: "/meili_data" } },
        bucket: {
          name: "shop-backups",
          region: "eu-central-1",
          lockDays: 14,
          replica: { name: "shop-copy", region: "eu-west-1" },
        },
      }),
    ));
  });

  it("keep every resource: each has an alias that says what it was called", () => {
    const known = resources.filter(
      ({ type, name }) => !NEW.includes(type) && !SINCE.includes(name) && !type.startsWith("pulumi:pulumi:"),
    );
    // AWS's provider has no parent, now as before.
    const names = known.flatMap(({ aliases, type, name }) => (aliases.length > 0 ? aliases : [`${type}::${name}`]));
    assert.deepEqual(names.sort(), [...recorded].sort());
  });
});
