import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { groups, settingsSchema } from "../../../config/schema.ts";
import { secretPaths } from "../../../config/secrets.ts";
import { parseSettings } from "../../../config/settings.ts";
import { children, docOf } from "../../../config/walk.ts";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";
import { valid } from "../../support/config/fixtures.ts";

const search = { image: "getmeili/meilisearch:v1.15", health: ["true"], volume: "/meili_data", outbound: true };
/** What is called as the settings say. */
const OWN = { services: { search, scratch: { ...search, backup: false } }, worker: "reverb" };

/** Data that no backup has, and why. */
const LEFT: Readonly<Record<string, string>> = {
  "volumes-redis": "sessions, jobs and the cache are in no backup, as docs/backups.md says",
  "volumes-persistent-scratch": "app.persistent says so",
  "service-scratch-data": "services.scratch says so",
};

/** A component is a file; these are what else in the project has to know it: docs/architecture.md has all of them. */
describe("a component", function () {
  this.timeout(60_000);
  let resources: readonly Registered[];
  const containers = () => resources.filter(({ type }) => type === "docker:index/container:Container");
  const role = ({ inputs }: Registered): string =>
    inputs.labels.find(({ label }: { label: string }) => label === "drydock.role").value;
  before(async () => {
    ({ resources } = await runProgram(
      configuration({
        app: { persistent: { "public/uploads": {}, scratch: { backup: false } } },
        workers: { [OWN.worker]: { command: ["true"], http: { port: 8080, paths: ["/app"] } } },
        services: OWN.services,
        monitoring: { enabled: true, image: "monitoring:1.0" },
      }),
    ));
  });

  it("has its data in the backups, or a reason why not", () => {
    const data = resources.filter(({ type, protect }) => type === "docker:index/volume:Volume" && protect);
    const read = containers()
      .filter((one) => ["backup", "restore", "reader"].includes(role(one)))
      .flatMap(({ inputs }) => inputs.mounts.map(({ source }: { source: string }) => source));
    assert.ok(data.length >= 8, `only ${data.length} volumes with data`);
    assert.deepEqual(
      data.flatMap(({ name }) => (read.includes(`${name}-abcdef0`) ? [] : [name])).sort(),
      Object.keys(LEFT).sort(),
    );
  });

  it("has a name on the stack's networks that no worker or service of the user's can take", () => {
    const free = (name: string): boolean => {
      try {
        parseSettings({ ...valid(), services: { [name]: search } }, "local");
        return true;
      } catch {
        return false;
      }
    };
    const names = containers().flatMap(({ inputs }) =>
      inputs.networksAdvanced
        .filter(({ name }: { name: string }) => !name.startsWith("network-monitoring-"))
        .flatMap(({ aliases }: { aliases: string[] }) => aliases),
    );
    assert.ok(names.includes("database") && names.includes("restore"));
    assert.deepEqual([...new Set(names.filter(free))].sort(), [...Object.keys(OWN.services), OWN.worker].sort());
  });

  it("has an image that production wants by its digest", () => {
    const pulled = Object.keys(settingsSchema.shape).filter(
      (group) => group !== "edge" && children(settingsSchema, [group]).includes("image"),
    );
    assert.ok(pulled.includes("database") && pulled.includes("monitoring"), pulled.join());
    for (const group of pulled) {
      const config = { ...valid(), [group]: { ...(valid()[group] as object), image: "registry.test/one:1" } };
      assert.throws(
        () => parseSettings(config, "prod"),
        (error: Error) => error.message.includes(`drydock:${group}.image: is "registry.test/one:1", `),
        group,
      );
    }
  });

  it("has its group of settings in the list of those that are judged one by one", () => {
    assert.deepEqual(
      Object.keys(groups),
      Object.keys(settingsSchema.shape).filter((group) => group !== "env"),
    );
  });

  it("has each secret setting among those that no message may hold", () => {
    const secrets = (path: readonly string[]): string[] =>
      children(settingsSchema, path).flatMap((key) => {
        const one = [...path, key];
        return [...(docOf(settingsSchema, one).secret === true ? [one.join(".")] : []), ...secrets(one)];
      });
    const known = new Set(secretPaths({}).map((one) => one.join(".")));
    assert.ok(known.size > 10);
    assert.deepEqual(secrets([]).sort(), [...known].sort());
  });
});
