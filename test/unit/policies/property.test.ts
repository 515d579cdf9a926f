import assert from "node:assert/strict";
import fc from "fast-check";
import { catalogue } from "../../../policies/catalogue.ts";
import {
  ACLS,
  BUCKETS,
  ENCRYPTION,
  LIFECYCLE,
  OWNERSHIP,
  POLICY,
  PUBLIC_ACCESS,
  VERSIONING,
} from "../../../policies/helpers/s3.ts";
import { analyze, type Res, remediate, secret, unknown, unknownList } from "../../support/policies/engine.ts";
import { fixtures } from "../../support/policies/fixtures/index.ts";
import { app, CONTAINER, database, redis, SERVICE, service } from "../../support/policies/stack.ts";

/** Stands in every value that could be a secret; no message may hold it. */
const MARK = "s3cr3tM4rk";
const TYPES = [
  CONTAINER,
  SERVICE,
  "docker:index/volume:Volume",
  "docker:index/network:Network",
  "docker:index/image:Image",
  "docker:index/remoteImage:RemoteImage",
  "command:local:Command",
  "command:remote:Command",
  ...BUCKETS,
  ...ACLS,
  OWNERSHIP,
  PUBLIC_ACCESS,
  POLICY,
  ...LIFECYCLE,
  ...VERSIONING,
  ...ENCRYPTION,
];
const KEYS = [
  "name",
  "image",
  "imageName",
  "envs",
  "env",
  "uploads",
  "labels",
  "mounts",
  "volumes",
  "tmpfs",
  "ports",
  "networksAdvanced",
  "healthcheck",
  "command",
  "entrypoints",
  "user",
  "memory",
  "cpus",
  "capabilities",
  "securityOpts",
  "restart",
  "wait",
  "readOnly",
  "privileged",
  "networkMode",
  "create",
  "update",
  "delete",
  "triggers",
  "environment",
  "stdin",
  "dir",
  "build",
  "taskSpec",
  "endpointSpec",
  "updateConfig",
  "mode",
  "bucket",
  "policy",
  "rules",
  "rule",
  "acl",
  "versioningConfiguration",
  "forceDestroy",
  "devices",
  "__proto__x",
  "constructor",
];
const INNER = [
  "file",
  "content",
  "contentBase64",
  "permissions",
  "source",
  "target",
  "type",
  "hostPath",
  "containerPath",
  "volumeName",
  "readOnly",
  "internal",
  "external",
  "ip",
  "name",
  "aliases",
  "tests",
  "label",
  "value",
  "drops",
  "adds",
  "containerSpec",
  "context",
  "args",
  "API_TOKEN",
  "DB_PASSWORD",
  "expiration",
  "days",
  "status",
  "Statement",
  "objectOwnership",
  "bindOptions",
  "propagation",
];
const WORDS = [
  `APP_KEY=${MARK}`,
  `DB_PASSWORD=${MARK}`,
  `REDIS_PASSWORD=${MARK}`,
  `DATABASE_URL=mysql://a:${MARK}@b/c`,
  `DB_HOST=${MARK}`,
  "DB_HOST=localhost",
  "APP_ENV=production",
  MARK,
  `/srv/${MARK}/.env`,
  "/etc",
  "./relative",
  `http://localhost/${MARK}`,
  `docker run -e API_TOKEN=${MARK} x`,
  `mysqldump -p${MARK}`,
  "php artisan migrate:fresh",
  "docker compose down --no-recreate",
  "",
  "root",
  "drydock.role",
  "app",
  "redis",
  "scheduler",
  `${MARK}:latest`,
  "volume",
  "bind",
  "tmpfs",
  "/var/www/html",
  `requirepass ${MARK}\nsave ""`,
  `A="${MARK}\n`,
  "\u0000",
  "$(",
  "[",
  "*",
  `{"Statement":[{"Effect":"${MARK}"`,
];

const leaf = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 1, arbitrary: fc.string() },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.constant(unknown),
      fc.constant(unknownList),
    ),
  },
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...INNER), tie("any"), { maxKeys: 5 }),
    tie("any").map((inner) => secret(inner)),
  ),
})).any;
const props = fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 12 });
const resource: fc.Arbitrary<Res> = fc
  .record({
    type: fc.constantFrom(...TYPES),
    name: fc.constantFrom("app", "db", "redis", "cron", "x"),
    props,
    protect: fc.boolean(),
    stack: fc.constantFrom("prod", "pr-1", "local"),
  })
  .map((one) => one as Res);
/** Good resources with one property replaced by nonsense: deeper than pure chance gets. */
const bent: fc.Arbitrary<Res> = fc
  .tuple(
    fc.constantFrom(
      app(),
      database(),
      redis(),
      service("web", "app"),
      ...Object.values(fixtures).flatMap(({ fail }) => fail.flatMap(({ stack }) => stack)),
    ),
    fc.constantFrom(...KEYS),
    value,
  )
  .map(([good, key, nonsense]) => ({ type: good.type, name: good.name, props: { ...good.props, [key]: nonsense } }));

const SLOWEST = 2000;

describe("policies: any resource at all", function () {
  this.timeout(120_000);

  it("crashes no rule, hangs none, and no message holds a value", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(resource, bent), { minLength: 1, maxLength: 3 }), async (list) => {
        const resources = list.map((one, i) => ({ ...one, name: `${one.name}-${i}` }));
        const started = performance.now();
        const diagnostics = await analyze(catalogue, resources);
        assert.ok(performance.now() - started < SLOWEST, "a rule takes its time");
        for (const { message } of diagnostics) assert.ok(!message.includes(MARK), message);
      }),
      { numRuns: Number(process.env["FAST_CHECK_RUNS"] ?? 150) },
    );
  });

  it("crashes no repair, and a repair leaves nothing to repair", async () => {
    const repairs = catalogue.filter(({ level }) => level === "remediate");
    await fc.assert(
      fc.asyncProperty(fc.oneof(resource, bent), async (one) => {
        const fixed = await remediate(repairs, one);
        if (fixed !== undefined)
          assert.equal(await remediate(repairs, { ...one, props: fixed as Res["props"] }), undefined);
      }),
      { numRuns: Number(process.env["FAST_CHECK_RUNS"] ?? 300) },
    );
  });

  it("takes a long line in linear time", async () => {
    for (const word of [
      " ",
      "a",
      "-",
      "\\",
      "docker ",
      "x=",
      "artisan ",
      "rm -",
      "://",
      '"',
      "mysql -",
      "curl ",
      "/",
      "http://a",
      "http://[",
      "docker compose ",
      "rm -r ",
      "\n",
      "your",
      "docker login",
      'A="',
      "-p$(",
      "mysql",
      "${",
    ]) {
      const started = performance.now();
      await analyze(catalogue, [
        { type: "command:local:Command", name: "c", props: { create: word.repeat(20_000) } },
        app({
          props: { command: [word.repeat(20_000)], envs: [`A=${word.repeat(20_000)}`] },
          file: { B: word.repeat(20_000) },
        }),
      ]);
      assert.ok(
        performance.now() - started < SLOWEST,
        `${JSON.stringify(word)}: ${Math.round(performance.now() - started)} ms`,
      );
    }
  });
});
