import assert from "node:assert/strict";
import { join } from "node:path";
import { generateLocal } from "../../../config/local.ts";
import { PACK, Project } from "../../support/policies/project.ts";

const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("hex");
const secrets = () => ({
  "drydock:env.APP_KEY": `base64:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`,
  "drydock:env.DB_PASSWORD": random(),
  "drydock:env.REDIS_PASSWORD": random(),
  "drydock:database.rootPassword": random(),
  "drydock:backup.key": random(),
  "drydock:backup.databasePassword": random(),
  "drydock:backup.token": random(),
});

describe("policies under the real engine: Drydock's own stacks", function () {
  this.timeout(300_000);

  for (const stack of ["local", "staging", "prod"]) {
    it(`${stack} has no violation, mandatory or advisory, that has no written reason`, async () => {
      const project = await Project.ofClone(stack);
      try {
        if (stack === "local") {
          const images = {
            php: "drydock/php:0123456789ab",
            proxy: "drydock/proxy:0123456789ab",
            database: "drydock/database:0123456789ab",
            redis: "drydock/redis:0123456789ab",
            backup: "drydock/backup:0123456789ab",
          };
          for (const secret of [true, false]) {
            const values = generateLocal({ port: 8080, images }).filter((value) => value.secret === secret);
            await project.config(
              Object.fromEntries(values.map(({ path, value }) => [path, String(value)])),
              ...(secret ? ["--secret"] : []),
            );
          }
        } else await project.config(secrets(), "--secret");
        // Neither a file of the policies nor a rule knows of these.
        await project.config({
          "drydock:app.uid": "33",
          "drydock:app.gid": "33",
          "drydock:app.healthPath": "/status",
          "drydock:proxy.gid": "82",
        });
        const result = await project.check({ config: join(PACK, "config", `${stack}.json`) });
        const unexplained = result.violations.filter(
          ({ message }) => !message.includes("Excluded by the stack's policy configuration: "),
        );
        assert.deepEqual(unexplained, []);
        assert.equal(result.code, 0, result.output);
      } finally {
        project.remove();
      }
    });
  }
});
