import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type HostConfig, looseEnds } from "../../../../cli/doctor/confinement.ts";

describe("how a container is kept in", () => {
  const good: HostConfig = {
    Memory: 2 ** 28,
    PidsLimit: 1024,
    Privileged: false,
    CapAdd: null,
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges:true"],
    Ulimits: [{ Name: "core", Hard: 0 }],
    Binds: null,
    NetworkMode: "network-app-1",
    PidMode: "",
    LogConfig: { Type: "json-file", Config: { "max-size": "10m" } },
  };

  it("finds nothing loose in what Drydock makes", () => {
    assert.deepEqual(looseEnds(good, "1000:1000"), []);
    assert.deepEqual(
      looseEnds(
        { ...good, CapAdd: ["NET_BIND_SERVICE"], SecurityOpt: ["no-new-privileges"], LogConfig: { Type: "local" } },
        "1000",
      ),
      [],
    );
  });

  const cases: readonly (readonly [what: string, host: Partial<HostConfig>, says: string])[] = [
    ["a privileged one", { Privileged: true }, "is privileged"],
    ["kept capabilities", { CapDrop: null }, "keeps Docker's capabilities"],
    ["other dropped ones", { CapDrop: ["NET_RAW"] }, "keeps Docker's capabilities"],
    ["an added capability", { CapAdd: ["SYS_ADMIN"] }, "has capabilities that were added"],
    ["one beside the allowed one", { CapAdd: ["NET_BIND_SERVICE", "SYS_PTRACE"] }, "has capabilities that were added"],
    ["new privileges", { SecurityOpt: [] }, "may gain privileges"],
    ["new privileges by a word", { SecurityOpt: ["no-new-privileges:false"] }, "may gain privileges"],
    [
      "no profile",
      { SecurityOpt: ["no-new-privileges:true", "seccomp=unconfined"] },
      "runs without a profile of the kernel",
    ],
    ["no limit of memory", { Memory: 0 }, "has no limit of memory"],
    ["no limit of processes", { PidsLimit: null }, "has no limit of processes"],
    ["one that is none", { PidsLimit: -1 }, "has no limit of processes"],
    ["core dumps", { Ulimits: null }, "may leave core dumps"],
    [
      "a limit of core dumps that is none",
      {
        Ulimits: [
          { Name: "core", Hard: -1 },
          { Name: "nofile", Hard: 0 },
        ],
      },
      "may leave core dumps",
    ],
    ["Docker's socket", { Binds: ["/var/run/docker.sock:/var/run/docker.sock"] }, "mounts a folder of the host"],
    ["the host's network", { NetworkMode: "host" }, "shares the host's namespaces"],
    ["the host's processes", { PidMode: "host" }, "shares the host's namespaces"],
    ["a log without an end", { LogConfig: { Type: "json-file", Config: {} } }, "has no limit of its log"],
  ];
  for (const [what, host, says] of cases) {
    it(`finds ${what}`, () => assert.deepEqual(looseEnds({ ...good, ...host }, "1000:1000"), [says]));
  }

  it("finds root, however it is written", () => {
    for (const user of ["", "0", "0:0", "root", "root:root", ":1000"])
      assert.deepEqual(looseEnds(good, user), ["runs as root"], user);
    for (const user of ["1000", "10:0", "www-data"]) assert.deepEqual(looseEnds(good, user), [], user);
  });
});
