import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgeHost } from "../../../../cli/host/checks.ts";
import { type HostFacts, readFacts } from "../../../../cli/host/facts.ts";
import { scriptOf, tasksFor } from "../../../../cli/host/prepare.ts";
import type { Verdict } from "../../../../cli/host/verdict.ts";

const WANTED = { port: 8080, interface: "127.0.0.1" };
const HOST = "ssh://deploy@ship";

/** A host on which nothing is missing, as facts.sh says it; with these lines in place of its own. */
function said(changes: Record<string, string | undefined> = {}): string {
  const lines = {
    docker: "ready",
    clock: "1700000000",
    os: "debian",
    name: "Debian GNU/Linux 13 (trixie)",
    arch: "x86_64",
    user: "deploy",
    uid: "1000",
    sudo: "free",
    systemd: "yes",
    dockerd: "yes",
    client: "26.1.5",
    socket: "/var/run/docker.sock",
    api: "1.45",
    boot: "enabled",
    info: JSON.stringify({ ServerVersion: "26.1.5", Driver: "overlay2", CgroupVersion: "2", Warnings: null }),
    disk: `${100 << 20} ${50 << 20} /var`,
    filesystem: "ext4",
    owndisk: "yes",
    inodes: "6000000 5000000",
    memory: `${8 << 20} ${6 << 20}`,
    swap: String(2 << 20),
    synchronized: "yes",
    listening: "0.0.0.0:22 127.0.0.1:5000",
    open: "",
    ...changes,
  };
  return Object.entries(lines)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
const facts = (
  changes: Record<string, string | undefined> = {},
  began = 1_700_000_000_400,
  ended = 1_700_000_000_600,
): HostFacts => readFacts(HOST, said(changes), { began, ended });
const verdicts = (of: HostFacts, wanted = WANTED): Record<string, Verdict> =>
  Object.fromEntries(
    judgeHost(of, wanted)
      .filter(({ verdict }) => verdict !== "fine")
      .map(({ id, verdict }) => [id, verdict]),
  );
const detail = (of: HostFacts, id: string, wanted = WANTED): string =>
  judgeHost(of, wanted).find((one) => one.id === id)?.detail ?? "";

describe("what a Docker host lacks", () => {
  it("is nothing where all is there", () => assert.deepEqual(verdicts(facts()), {}));

  it("is named where it is another engine than it seems, or one of the user's own", () => {
    const podman = facts({ docker: "podman", client: "no", dockerd: undefined, info: undefined, api: undefined });
    const { docker, client } = verdicts(podman);
    assert.deepEqual([docker, client], ["broken", "unknown"]);
    assert.match(detail(podman, "docker"), /is Podman/);
    assert.deepEqual(tasksFor(podman, judgeHost(podman, WANTED)), []);
    const own = "/run/user/1000/docker.sock";
    const rootless = facts({ docker: "rootless", socket: own, info: undefined, api: undefined });
    assert.equal(
      judgeHost(rootless, WANTED).find(({ id }) => id === "docker")?.remedy,
      `say so: pulumi config set --path drydock:docker.host ${HOST}${own}`,
    );
    const info = JSON.stringify({ ServerVersion: "26.1.5", Driver: "overlay2", SecurityOptions: ["name=rootless"] });
    assert.deepEqual(verdicts(facts({ info, linger: "yes" })), {});
    assert.deepEqual(verdicts(facts({ info, linger: "no" })), { boot: "broken" });
    assert.match(detail(facts({ info, linger: "no" }), "boot"), /ends when its user logs out/);
  });

  it("is a shell that writes by itself, which costs time", () => {
    const { user, noise, ...rest } = readFacts(HOST, `Welcome!\na=b=c\n${said()}`, { began: 0, ended: 0 });
    assert.deepEqual([user.name, noise], ["deploy", "Welcome!"]);
    assert.equal(verdicts({ user, noise: noise ?? "", ...rest }).shell, "advice");
  });

  it("is read even where the login shell says more than it should", () => {
    const { user, docker } = readFacts(HOST, `Welcome!\na=b=c\n${said()}`, { began: 0, ended: 0 });
    assert.deepEqual([user.name, docker.info?.Driver], ["deploy", "overlay2"]);
  });

  const CASES: readonly (readonly [string, Record<string, string | undefined>, Record<string, Verdict>])[] = [
    [
      "no Docker",
      { dockerd: undefined, client: "no", docker: "absent", info: undefined, api: undefined, boot: undefined },
      {
        docker: "broken",
        version: "unknown",
        group: "unknown",
        client: "advice",
        boot: "unknown",
        limits: "unknown",
        storage: "unknown",
      },
    ],
    [
      "Docker stopped",
      { docker: "stopped", info: JSON.stringify({ ServerVersion: "", ServerErrors: ["no"] }), api: undefined },
      { docker: "broken", version: "unknown", group: "unknown", limits: "unknown", storage: "unknown" },
    ],
    [
      "not in the group",
      { docker: "group", info: undefined, api: undefined },
      { docker: "unknown", version: "unknown", group: "broken", limits: "unknown", storage: "unknown" },
    ],
    ["an old Docker", { api: "1.40", info: '{"ServerVersion":"19.03.15"}' }, { version: "broken" }],
    ["root", { uid: "0", user: "root", sudo: "root" }, { group: "advice" }],
    ["not started at boot", { boot: "disabled" }, { boot: "broken" }],
    ["no systemd", { systemd: undefined, boot: undefined }, { boot: "unknown" }],
    [
      "no limits",
      { info: '{"ServerVersion":"26.1.5","Driver":"vfs","Warnings":["WARNING: No memory limit support"]}' },
      { limits: "advice", storage: "broken" },
    ],
    ["a full disk", { disk: `${100 << 20} ${4 << 20} /` }, { disk: "broken" }],
    ["little disk", { disk: `${100 << 20} ${10 << 20} /` }, { disk: "advice" }],
    ["data on the system's disk", { owndisk: undefined }, { filling: "advice" }],
    ["no inodes", { inodes: "6000000 100" }, { disk: "broken" }],
    ["a file system that counts no inodes", { inodes: "0 0" }, {}],
    ["little memory and no swap", { memory: `${1 << 20} ${1 << 19}`, swap: "0" }, { memory: "advice", swap: "advice" }],
    ["much memory and no swap", { memory: `${16 << 20} ${8 << 20}`, swap: "0" }, {}],
    ["a clock nobody keeps", { synchronized: "no" }, { clock: "advice" }],
    ["a clock ahead", { clock: "1700000060" }, { clock: "broken" }],
    ["a clock behind", { clock: "1699999990" }, { clock: "advice" }],
    ["the port taken", { listening: "127.0.0.1:8080" }, { port: "broken" }],
    ["the port taken on every interface", { listening: "*:8080" }, { port: "broken" }],
    ["the port taken elsewhere", { listening: "10.0.0.1:8080 127.0.0.1:18080" }, {}],
    [
      "the port the stack's own",
      { listening: "127.0.0.1:8080", published: "proxy-abc prod 127.0.0.1:8080->8080/tcp" },
      {},
    ],
    ["the port another container's", { published: "nginx  127.0.0.1:8080->80/tcp" }, { port: "broken" }],
    ["Docker's API open", { listening: "*:2375" }, { api: "broken" }],
    ["Docker's API on this interface alone", { listening: "127.0.0.1:2375" }, {}],
    ["a cloud's metadata that answer", { metadata: "inactive" }, { metadata: "advice" }],
    ["a cloud's metadata that are closed to containers", { metadata: "active" }, {}],
    ["a firewall that Docker passes by", { firewall: "ufw", open: "3306" }, { firewall: "advice" }],
    [
      "nothing known",
      {
        disk: undefined,
        inodes: undefined,
        memory: undefined,
        swap: undefined,
        listening: undefined,
        synchronized: undefined,
      },
      { disk: "unknown", filling: "unknown", memory: "unknown", swap: "unknown", port: "unknown", api: "unknown" },
    ],
  ];
  for (const [name, changes, expected] of CASES)
    it(`sees ${name}`, () => assert.deepEqual(verdicts(facts(changes)), expected));

  it("says how containers' own layers can be limited, where the file system can do it", () => {
    const remedy = (filesystem: string) =>
      judgeHost(facts({ owndisk: undefined, filesystem }), WANTED).find(({ id }) => id === "filling")!.remedy!;
    assert.match(remedy("xfs quota"), /own layers can be limited: "storage-opts": \["overlay2\.size=10G"\]/);
    for (const other of ["xfs", "ext4 quota", ""]) assert.match(remedy(other), /own layers only on xfs .* pquota$/);
    assert.equal(detail(facts(), "filling"), "Docker's data is on a disk of its own, /var");
  });

  it("sees an IPv6 address like any other", () => {
    const wanted = { port: 8080, interface: "::1" };
    assert.deepEqual(verdicts(facts({ listening: "[::1]:8080" }), wanted), { port: "broken", ipv6: "advice" });
    assert.deepEqual(verdicts(facts({ listening: "127.0.0.1:8080" }), wanted), { ipv6: "advice" });
  });
  it("counts the port that the stack itself publishes for everybody", () => {
    assert.match(
      detail(facts({ firewall: "ufw" }), "firewall", { port: 80, interface: "0.0.0.0" }),
      /ufw is on, .* port 80 open to everybody/,
    );
  });
  it("does not blame a clock for a slow answer", () => {
    assert.equal(
      detail(facts({ clock: "1700000003" }, 1_700_000_000_000, 1_700_000_006_000), "clock"),
      "as this machine's",
    );
  });
  it("names the version, and what is needed", () => {
    const [old] = judgeHost(facts({ api: "1.40", info: '{"ServerVersion":"19.03.15"}' }), WANTED).filter(
      ({ id }) => id === "version",
    );
    assert.match(old?.detail ?? "", /^Docker 19\.03\.15 at ssh:\/\/deploy@ship is too old: 20\.10 or newer is needed/);
    assert.match(old?.remedy ?? "", /apt-get install --only-upgrade docker\.io/);
  });
});

describe("preparing a Docker host", () => {
  const tasks = (changes: Record<string, string | undefined>) =>
    tasksFor(facts(changes), judgeHost(facts(changes), WANTED)).map(({ check }) => check);
  const nothing = {
    dockerd: undefined,
    client: undefined,
    docker: "absent",
    info: undefined,
    api: undefined,
    boot: undefined,
  };

  it("does nothing where nothing is missing", () => assert.deepEqual(tasks({}), []));
  it("installs Docker, starts it, and lets the user use it", () =>
    assert.deepEqual(tasks(nothing), ["docker", "boot", "group"]));
  it("closes a cloud's metadata to containers, where they answer", () =>
    assert.deepEqual(tasks({ metadata: "inactive" }), ["metadata"]));
  it("does not put root into a group", () =>
    assert.deepEqual(tasks({ ...nothing, uid: "0", sudo: "root" }), ["docker", "boot"]));
  it("starts what is installed, and installs nothing over it", () =>
    assert.deepEqual(tasks({ docker: "stopped", info: undefined, api: undefined }), ["boot", "group"]));
  it("adds what is missing besides", () =>
    assert.deepEqual(tasks({ docker: "group", info: undefined, swap: "0", synchronized: "no" }), [
      "group",
      "swap",
      "clock",
    ]));
  it("leaves alone what it does not put right", () =>
    assert.deepEqual(tasks({ disk: `${100 << 20} ${1 << 20} /`, listening: "*:2375 *:8080" }), []));
  it("says what to do by hand on another system", () => {
    assert.throws(() => tasks({ ...nothing, os: "alpine", name: "Alpine Linux" }), {
      what: `${HOST} runs Alpine Linux; only Debian and Ubuntu are prepared from here`,
      code: 3,
    });
  });
  it("takes a system made from Debian for one", () =>
    assert.deepEqual(tasks({ ...nothing, os: "raspbian", like: "debian" }), ["docker", "boot", "group"]));
  it("refuses where nobody is root", () => {
    assert.throws(() => tasks({ ...nothing, sudo: "none" }), {
      what: "deploy of ssh://deploy@ship is not root and has no sudo, so nothing can be changed there",
      code: 3,
    });
  });
  it("is one script that stops at the first failure and says what it is at", () => {
    const script = scriptOf([{ check: "a", what: "it's one", script: "true" }]);
    assert.equal(script, "set -e\necho '→ it'\\''s one'\ntrue\n");
  });
});
