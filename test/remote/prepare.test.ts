import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { readAptAccess } from "../../cli/setup/images-apt.ts";
import { hear, type Said } from "../../cli/shared/child.ts";
import { ROOT } from "../../cli/shared/project.ts";
import { canHaveMachine, HOST, Machine } from "../support/remote/rig.ts";

const SYSTEM = join(ROOT, ".drydock", "cache", "trixie");
const PACKAGES = "ca-certificates,openssh-server,sudo,iproute2,iptables";

const canMake = existsSync("/usr/sbin/debootstrap");

/** Lets a machine without a way out fetch packages. */
function packageProxy(address: string): Promise<Server> {
  const server = createServer((asked, answer) => {
    const onward = request(asked.url ?? "", { method: asked.method, headers: asked.headers }, (found) => {
      answer.writeHead(found.statusCode ?? 502, found.headers);
      found.pipe(answer);
    });
    onward.on("error", () => answer.writeHead(502).end());
    asked.pipe(onward);
  });
  return new Promise((resolve) => server.listen(3142, address, () => resolve(server)));
}

(canHaveMachine && canMake ? describe : describe.skip)("a host that nobody has prepared", function () {
  this.timeout(900_000);
  let ship: Machine;
  let packages: Server;
  const drydock = (...args: string[]): Promise<Said> => {
    const env = { ...process.env, ...ship.env() };
    return hear(spawn(join(ROOT, "drydock"), args, { env, stdio: ["ignore", "pipe", "pipe"] }));
  };
  const verdicts = async (): Promise<Record<string, string>> => {
    const { stdout } = await drydock("host", "check", HOST, "--json");
    const { checks } = JSON.parse(stdout) as { checks: { id: string; verdict: string }[] };
    return Object.fromEntries(checks.map(({ id, verdict }) => [id, verdict]));
  };

  before(async () => {
    rmSync(SYSTEM, { recursive: true, force: true });
    mkdirSync(SYSTEM, { recursive: true });
    const scripts = "/usr/share/debootstrap/scripts/sid";
    const { mirror } = await readAptAccess();
    const args = ["--variant=minbase", `--include=${PACKAGES}`, "trixie", SYSTEM, mirror, scripts];
    execFileSync("debootstrap", args, { stdio: "ignore" });
    ship = await new Machine({ dockerd: null, root: SYSTEM }).start();
    packages = await packageProxy(ship.gateway);
    writeFileSync(join(SYSTEM, "etc/apt/apt.conf.d/90proxy"), `Acquire::http::Proxy "http://${ship.gateway}:3142";\n`);
  });
  after(async () => {
    packages?.close();
    await ship?.remove();
    rmSync(SYSTEM, { recursive: true, force: true });
  });

  it("lacks Docker, and is told so", async () => {
    const found = await verdicts();
    assert.deepEqual([found.docker, found.version, found.client, found.disk], ["broken", "unknown", "advice", "fine"]);
    const { code, stdout } = await drydock("host", "check", HOST);
    assert.equal(code, 1);
    assert.match(stdout, /Docker is installed and answers +broken: it is not installed\n/);
    assert.match(stdout, new RegExp(` remedy: \\./drydock host prepare ${HOST}\n`));
  });

  it("is not changed without being asked for", async () => {
    const { code, stderr } = await drydock("host", "prepare", HOST);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /install Docker from Debian's packages/);
    assert.equal((await verdicts()).docker, "broken");
  });

  it("has Docker afterwards, for the user who logs in, and nothing more is to be done", async () => {
    const { code, stdout, stderr } = await drydock("host", "prepare", HOST, "--yes");
    assert.equal(code, 0, stdout + stderr);
    const found = await verdicts();
    assert.deepEqual([found.docker, found.version, found.group, found.client], ["fine", "fine", "fine", "fine"]);
    const again = await drydock("host", "prepare", HOST, "--yes");
    assert.doesNotMatch(again.stdout + again.stderr, /apt-get|→ install/);
  });
});
