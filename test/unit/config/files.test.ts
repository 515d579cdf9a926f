import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { stale } from "../../../config/docs.ts";
import { settingsSchema } from "../../../config/schema.ts";
import { docOf } from "../../../config/walk.ts";
import { appKey, having, problemsOf, valid } from "../../support/config/fixtures.ts";

type Tree = { [key: string]: unknown };
const file = (name: string) => parse(readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8")) as Tree;
const configOf = (name: string) =>
  Object.fromEntries(
    Object.entries(file(name)["config"] as Tree).map(([key, value]) => [key.replace("drydock:", ""), value as Tree]),
  );
const keysOf = (tree: unknown, prefix = ""): string[] =>
  Object.entries(tree as Tree).flatMap(([key, value]) => [
    `${prefix}${key}`,
    ...(typeof value === "object" && !Array.isArray(value) ? keysOf(value, `${prefix}${key}.`) : []),
  ]);

describe("the project's files", () => {
  it(
    "declare in Pulumi.yaml the groups of the schema, in its order and words, all as objects or lists that may be " +
      "left out",
    () => {
      const declared = Object.entries(file("Pulumi.yaml")["config"] as Tree);
      assert.deepEqual(
        declared,
        Object.keys(settingsSchema.shape).map((group) => [
          group,
          group === "domains"
            ? {
                type: "array",
                items: { type: "object" },
                description: docOf(settingsSchema, [group]).description,
                default: [],
              }
            : { type: "object", description: docOf(settingsSchema, [group]).description, default: {} },
        ]),
      );
    },
  );

  it("have the same keys in the same order for staging and production", () => {
    assert.deepEqual(keysOf(configOf("Pulumi.staging.yaml")), keysOf(configOf("Pulumi.prod.yaml")));
  });

  it("differ between staging and production only where they must", () => {
    const [staging, prod] = [configOf("Pulumi.staging.yaml"), configOf("Pulumi.prod.yaml")];
    const at = (tree: unknown, path: string) =>
      path.split(".").reduce<unknown>((value, key) => (value as Tree)[key], tree);
    const differing = keysOf(prod).filter(
      (path) => typeof at(prod, path) !== "object" && at(prod, path) !== at(staging, path),
    );
    const may = /^docker\.host$|\.(image|replicas|memory|cpus|bufferPool|maxmemory)$|^env\.(APP_ENV|APP_URL)$/;
    assert.deepEqual(
      differing.filter((path) => !may.test(path)),
      [],
    );
  });

  for (const [stack, file] of [
    ["staging", "Pulumi.staging.yaml"],
    ["prod", "Pulumi.prod.yaml"],
  ] as const) {
    it(`lack nothing but the secrets for ${stack}`, () => {
      assert.deepEqual(
        problemsOf(configOf(file), stack).map(({ path }) => path),
        [
          "drydock:database.rootPassword",
          "drydock:backup.key",
          "drydock:backup.databasePassword",
          "drydock:backup.token",
          "drydock:env.APP_KEY",
          "drydock:env.DB_PASSWORD",
          "drydock:env.REDIS_PASSWORD",
        ],
      );
      const { env, database, backup } = valid();
      const secrets: [string, unknown][] = [
        ["database.rootPassword", database!["rootPassword"]],
        ...["key", "databasePassword", "token"].map((name): [string, unknown] => [`backup.${name}`, backup![name]]),
        ["env.APP_KEY", appKey],
        ["env.DB_PASSWORD", env!["DB_PASSWORD"]],
        ["env.REDIS_PASSWORD", env!["REDIS_PASSWORD"]],
      ];
      const complete = secrets.reduce((tree, [path, value]) => having(tree, path, value), configOf(file));
      assert.deepEqual(problemsOf(complete, stack), []);
    });
  }

  it("describe settings and variables as they are: run `npx tsx config/docs.ts`", () => {
    assert.deepEqual(stale(), []);
  });
});
