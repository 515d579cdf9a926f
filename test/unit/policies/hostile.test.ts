import assert from "node:assert/strict";
import fc from "fast-check";
import { catalogue } from "../../../policies/catalogue.ts";
import { StackGuard } from "../../../policies/guard.ts";
import { analyze, type Res, unknown } from "../../support/policies/engine.ts";
import {
  app,
  bucketPolicy,
  CONTAINER,
  command,
  database,
  plainContainer,
  service,
  volume,
} from "../../support/policies/stack.ts";

/** Rules for one resource, which the guard asks as well. */
const rules = catalogue.filter(({ scope }) => scope === "resource");

/** The rules that refuse a resource in production. */
async function refusing(resource: Res): Promise<string[]> {
  const alone = { ...resource, stack: "prod", dependsOn: [], from: {} };
  const diagnostics = await analyze(rules, [alone]);
  return [
    ...new Set(
      diagnostics
        .filter(({ level, message }) => level !== "advisory" && !message.includes("undecided"))
        .map(({ policy }) => policy),
    ),
  ];
}

/** What the guard of production says, whose program forgot the pack. */
function guarded({ type, name, props, protect }: Res): string {
  try {
    new StackGuard({ stack: "prod", stage: "production" }).check({
      type,
      name,
      props,
      protect: protect ?? false,
      ...(type === CONTAINER ? { deleteBeforeReplace: false } : {}),
    });
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const tool = (props: Readonly<Record<string, unknown>>): Res => plainContainer("tool", { props, stack: "prod" });
const web = (spec: Readonly<Record<string, unknown>>): Res =>
  service("web", "proxy", { env: {}, healthcheck: { tests: ["CMD", "check"] }, ...spec }, { stack: "prod" });
const run = (create: string, props: Readonly<Record<string, unknown>> = {}): Res =>
  command("run", create, { props, stack: "prod" });
const both = (source: string) => [
  tool({ volumes: [{ hostPath: source, containerPath: "/x" }] }),
  web({ mounts: [{ type: "bind", source, target: "/x" }] }),
];

const KINDS: Readonly<Record<string, readonly (readonly [resource: Res, rule: string])[]>> = {
  "folders of the host": [
    ...[
      "/var",
      "/var/lib",
      "/home",
      "/mnt",
      "/opt",
      "/",
      "/run",
      "//run/docker.sock",
      "/srv/../var/lib/docker",
      "/proc/1/root",
    ].flatMap((path) => both(path).map((one) => [one, "no-sensitive-mount"] as const)),
    ...both("/srv/engine").map((one) => [one, "host-path-allowed"] as const),
    ...["/", "/etc", "/var/run"].map(
      (volumeName) => [tool({ volumes: [{ volumeName, containerPath: "/x" }] }), "no-sensitive-mount"] as const,
    ),
    [tool({ volumes: [{ fromContainer: "proxy" }] }), "host-path-allowed"],
    [tool({ mounts: [{ type: unknown, source: "/", target: "/x" }] }), "host-path-allowed"],
    [web({ mounts: [{ type: unknown, source: "/", target: "/x" }] }), "host-path-allowed"],
  ],
  "folders of the host as volumes": [
    [
      volume("data", { props: { driver: "local", driverOpts: { type: "none", o: "bind", device: "/" } } }),
      "volume-driver",
    ],
    [
      tool({
        mounts: [
          { type: "volume", target: "/x", volumeOptions: { driverOptions: { type: "none", o: "bind", device: "/" } } },
        ],
      }),
      "volume-driver",
    ],
    [
      web({
        mounts: [
          { type: "volume", target: "/x", volumeOptions: { driverName: "local", driverOptions: { device: "/" } } },
        ],
      }),
      "volume-driver",
    ],
    [volume("data", { props: { driver: "vieux/sshfs", driverOpts: { sshcmd: "x" } } }), "volume-driver"],
  ],
  rights: [
    ...["SYS_ADMIN", "CAP_SYS_ADMIN", "ALL", "sys_ptrace"].flatMap(
      (name) =>
        [
          [tool({ capabilities: { drops: ["ALL"], adds: [name] } }), "drop-capabilities"],
          [web({ capAdds: [name] }), "drop-capabilities"],
        ] as const,
    ),
    [tool({ capabilities: undefined }), "drop-capabilities"],
    [web({ capDrops: [] }), "drop-capabilities"],
    [tool({ devices: [{ hostPath: "/dev/sda" }] }), "no-devices"],
    [tool({ groupAdds: ["0"] }), "no-extra-groups"],
    [tool({ groupAdds: ["998"] }), "no-extra-groups"],
    [web({ groups: ["998"] }), "no-extra-groups"],
    [tool({ user: "1000:0" }), "no-extra-groups"],
    [tool({ runtime: "own" }), "runtime-allowed"],
    [tool({ ulimits: [{ name: "core", soft: -1, hard: -1 }] }), "no-core-dumps"],
    [tool({ memorySwap: -1 }), "no-core-dumps"],
    ...["networkMode", "pidMode", "ipcMode"].flatMap((key) =>
      ["host", "container:database"].map((mode) => [tool({ [key]: mode }), "no-host-namespaces"] as const),
    ),
    [tool({ securityOpts: ["no-new-privileges:true", "no-new-privileges:false"] }), "no-new-privileges"],
    [
      tool({ securityOpts: ["no-new-privileges:true", 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] }),
      "no-unconfined-profile",
    ],
    [tool({ privileged: unknown }), "no-privileged"],
    [tool({ user: unknown }), "non-root-uid"],
  ],
  commands: [
    ...[
      "docker run -v /:/host tool sh",
      "docker run --privileged --pid=host tool",
      "curl https://x.example.com | sh",
      "docker rm -f $(docker ps -aq)",
      "docker stop shop",
      "docker kill shop",
      "docker --context prod volume rm x",
      "rm -rf /var/lib/docker/volumes/",
      'rm -rf "${X:-/}"',
      'mariadb -e "DROP DATABASE shop"',
      "bash ./x.bash",
      "echo x | base64 -d | sh",
      "A=migrate:fresh; php artisan $A",
      'php artisan db:""wipe',
      "php art?san db:wipe",
      "make",
    ].map((line) => [run(line), "known-commands"] as const),
    [run("sh", { stdin: "docker compose down -v" }), "no-destructive-docker"],
    [run('sh -c "$CMD"', { environment: { CMD: "docker compose down -v" } }), "no-destructive-docker"],
    [run("import os", { interpreter: ["python3", "-c"] }), "known-commands"],
    [run("sh commands/switch.sh", { interpreter: ["/tmp/sh"] }), "known-commands"],
    [run("sh commands/switch.sh; docker ps"), "known-commands"],
    [run("sh commands/no-such-script.sh"), "known-commands"],
    [run("sh commands/switch.sh", { dir: "/tmp" }), "known-commands"],
    [{ ...run("sh commands/switch.sh"), type: "command:remote:Command" }, "known-commands"],
    [run("A=migrate:fresh; php artisan $A"), "no-destructive-artisan"],
    [run('php artisan db:""wipe'), "no-destructive-artisan"],
    [run("mysqladmin --password hunter2hunter2 status"), "no-password-argv"],
  ],
  "what Laravel says": [
    ...["prod", "Production", "staging"].map(
      (APP_ENV) => [app({ env: { APP_ENV, APP_DEBUG: "true" } }), "production-mode"] as const,
    ),
    [
      plainContainer("site", {
        props: {
          uploads: [
            {
              file: "/app/.env",
              content: 'E=production\nAPP_ENV="${E}"\nAPP_DEBUG=true\nAPP_URL=https://x\n',
              permissions: "0400",
            },
          ],
        },
      }),
      "production-mode",
    ],
    [app({ props: { labels: [{ label: "drydock.role", value: "apps" }] } }), "known-role"],
    [tool({ attach: true, healthcheck: undefined }), "healthcheck-required"],
    [
      app({ props: { labels: [{ label: "drydock.role", value: "migrate" }], healthcheck: undefined } }),
      "healthcheck-required",
    ],
    [tool({ envs: ["DB_PASSWORD=0123456789abcdef"] }), "no-secret-in-env"],
    [web({ env: { DB_PASSWORD: "0123456789abcdef" } }), "no-secret-in-env"],
    [tool({ uploads: [{ file: "/app/.env", content: "A=1", permissions: "" }] }), "secret-files-tight"],
    [
      tool({ uploads: [{ file: "/run/app.txt", content: "DB_PASSWORD=x", permissions: "0444" }] }),
      "secret-files-tight",
    ],
    ...[
      ["CMD", "true"],
      ["CMD-SHELL", ": http://127.0.0.1/up"],
    ].map((tests) => [app({ props: { healthcheck: { tests } } }), "healthcheck-required"] as const),
  ],
  data: [
    [{ ...plainContainer("x", { props: { image: "shop:1.4" } }), stack: "shop-prod" }, "image-pinned"],
    [database({ props: { mounts: [] } }), "database-persistent"],
    [volume("database-tmp", { protect: false }), "stateful-protected"],
    [tool({ image: "bitnami/postgresql:17", ports: [{ internal: 5432, external: 5432 }] }), "datastore-not-published"],
    [
      tool({
        image: "alpine/socat:1",
        command: ["TCP-LISTEN:80", "TCP:database:3306"],
        ports: [{ internal: 80, external: 8080 }],
      }),
      "datastore-not-published",
    ],
    [tool({ publishAllPorts: true }), "published-ports"],
    [
      bucketPolicy({
        props: { policy: JSON.stringify({ Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject" }] }) },
      }),
      "s3-no-public-policy",
    ],
  ],
};

describe("policies: ways around them, in production", function () {
  this.timeout(120_000);

  it("are none where nothing is wrong", async () => {
    for (const good of [tool({}), web({}), run("sh commands/switch.sh"), volume("data"), app({ stack: "prod" })]) {
      assert.deepEqual(await refusing(good), [], good.name);
      assert.equal(guarded({ ...good, protect: true }), "");
    }
  });

  for (const [kind, cases] of Object.entries(KINDS)) {
    it(`are refused by the pack, and by the guard: ${kind}`, async () => {
      for (const [resource, rule] of cases) {
        const subject = JSON.stringify(resource);
        assert.ok((await refusing(resource)).includes(rule), `${rule} says nothing of ${subject}`);
        // A secret of the SDK's own marks is nothing that a program has.
        if (!subject.includes(unknown))
          assert.ok(guarded(resource).includes(`[${rule}]`), `the guard says nothing of ${subject}`);
      }
    });
  }
});

/** Other spellings of a path that Linux reads as the same. */
const spelled = (path: string) =>
  fc
    .tuple(
      fc.array(fc.constantFrom("/", "/.", "/x/..", "/a/../b/.."), { maxLength: 3 }),
      fc.constantFrom("", "/", "/.", "//"),
    )
    .map(([detours, end]) => {
      const [first = "", ...rest] = path.split("/").filter((part) => part !== "");
      return `/${detours
        .map((detour) => detour.slice(1))
        .filter((detour) => detour !== "")
        .map((detour) => `${detour}/`)
        .join("")}${[first, ...rest].join("//")}${end}`.replace(/^\/\/+$/, "//");
    });
const SYSTEM = [
  "/",
  "/etc",
  "/var",
  "/var/lib",
  "/var/lib/docker",
  "/var/run/docker.sock",
  "/run",
  "/proc",
  "/sys",
  "/dev/sda",
  "/root",
  "/usr/bin",
  "/boot",
  "/home",
];
const hostPath = fc.constantFrom(...SYSTEM).chain(spelled);
const cased = (word: string) =>
  fc
    .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
    .map((upper) => [...word].map((letter, i) => (upper[i] ? letter.toUpperCase() : letter.toLowerCase())).join(""));
const capability = fc
  .constantFrom("SYS_ADMIN", "ALL", "SYS_PTRACE", "NET_ADMIN", "SYS_MODULE", "DAC_READ_SEARCH")
  .chain((name) => fc.tuple(fc.constantFrom("", "CAP_"), cased(name)).map((parts) => parts.join("")));
/** The address of every interface, in groups of which some are left out. */
const everywhere = fc.oneof(
  fc.constantFrom("0.0.0.0", "::", "[::]", "0", "::0", "::ffff:0.0.0.0", "0::0"),
  fc.array(fc.constantFrom("0", "00", "0000"), { minLength: 8, maxLength: 8 }).map((groups) => groups.join(":")),
);
const off = fc
  .tuple(fc.constantFrom("seccomp", "apparmor", "systempaths"), fc.constantFrom("=", ":"), cased("unconfined"))
  .map((parts) => parts.join(""));
const inline = fc
  .tuple(fc.constantFrom("SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "x"), fc.constantFrom("", " ", "\n"))
  .map(([action, space]) => `seccomp=${space}{${space}"defaultAction":${space}"${action}"}`);

describe("policies: other spellings of the same", function () {
  this.timeout(120_000);
  const holds = (arbitrary: fc.Arbitrary<Res>, expected: readonly string[]) =>
    fc.assert(
      fc.asyncProperty(arbitrary, async (resource) => {
        const found = await refusing(resource);
        assert.ok(
          expected.some((rule) => found.includes(rule)),
          JSON.stringify(resource.props),
        );
      }),
      { numRuns: Number(process.env["FAST_CHECK_RUNS"] ?? 60) },
    );

  it(
    "a folder of the host, as a mount of a container or a service, " +
      "as a volume's name or device, on a command line",
    () =>
      holds(
        fc
          .tuple(hostPath, fc.integer({ min: 0, max: 5 }))
          .map(
            ([path, how]) =>
              [
                ...both(path),
                tool({ volumes: [{ volumeName: path, containerPath: "/x" }] }),
                volume("data", { props: { driverOpts: { type: "none", o: "bind", device: path } } }),
                web({ mounts: [{ type: "volume", target: "/x", volumeOptions: { driverOptions: { device: path } } }] }),
                run(`docker run -v ${path}:/x tool`),
              ][how]!,
          ),
        ["no-sensitive-mount", "volume-driver", "docker-run-flags"],
      ),
  );

  it("a capability", () =>
    holds(
      fc
        .tuple(capability, fc.boolean())
        .map(([name, swarm]) =>
          swarm ? web({ capAdds: [name] }) : tool({ capabilities: { drops: ["ALL"], adds: [name] } }),
        ),
      ["drop-capabilities"],
    ));

  it("a profile that is switched off, wherever it stands among the others", () =>
    holds(
      fc
        .tuple(fc.oneof(off, inline), fc.boolean())
        .map(([option, first]) =>
          tool({ securityOpts: first ? [option, "no-new-privileges:true"] : ["no-new-privileges:true", option] }),
        ),
      ["no-unconfined-profile"],
    ));

  it("an end to no-new-privileges", () =>
    holds(
      fc
        .array(fc.constantFrom("no-new-privileges", "no-new-privileges:true", "label=type:x"), { maxLength: 3 })
        .map((before) => tool({ securityOpts: [...before, "no-new-privileges=false"] })),
      ["no-new-privileges"],
    ));

  it("every interface, where a second one wants the same port", async () => {
    const clash = catalogue.filter(({ name }) => name === "unique-ports-and-names" || name === "bound-interface");
    const published = (name: string, ip: string) =>
      plainContainer(name, { props: { ports: [{ internal: 80, external: 8080, ip }] } });
    await fc.assert(
      fc.asyncProperty(everywhere, async (ip) => {
        const said = (await analyze(clash, [published("a", "10.0.0.1"), published("b", ip)]))
          .map(({ policy }) => policy)
          .sort();
        assert.deepEqual(said, ["bound-interface", "unique-ports-and-names"], ip);
      }),
      { numRuns: 60 },
    );
  });

  it("root, and a group with the host's rights", () =>
    holds(
      fc
        .tuple(
          fc.constantFrom(
            "0",
            "00",
            "0x0",
            "root",
            " root",
            "0:0",
            "000:1000",
            "1000:0",
            "1000:00",
            "1000:root",
            "1000:docker",
          ),
          fc.boolean(),
        )
        .map(([user, swarm]) => (swarm ? web({ user }) : tool({ user }))),
      ["non-root-uid", "no-extra-groups"],
    ));
});
