import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NETWORK } from "../../contracts/edge.ts";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { Clone, docker } from "../support/clone.ts";

/** Seconds that an alert waits here: an hour and ten minutes elsewhere. */
const SOON = "60";
const NAME = "shop.example.test";
const DAY = 86_400_000;
/** A program that sends what comes on to another place, as the machine's public address does. */
const FORWARD = `const net = require("node:net"); const [host, port] = process.argv.slice(1);
net.createServer((from) => { const to = net.connect(port, host); for (const one of [from, to])
one.on("error", () => { from.destroy(); to.destroy(); }); from.pipe(to).pipe(from); }).listen(443)`;

/** Puts a certificate that nobody trusts and its key into a folder: valid from so many days ago for so many. */
function certify(to: string, began: number, ends: number): void {
  const folder = mkdtempSync(join(tmpdir(), "drydock-authority-"));
  const openssl = (...words: readonly string[]) => execFileSync("openssl", words, { cwd: folder, stdio: "pipe" });
  const at = (days: number) => new Date(Date.now() + days * DAY).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  const authority = ["[ca]", "default_ca=own", "[own]", "database=index", "serial=serial", "new_certs_dir=."];
  const rules = ["default_md=sha256", "policy=any", "copy_extensions=copy", "[any]", "commonName=supplied"];
  try {
    writeFileSync(join(folder, "index"), "");
    writeFileSync(join(folder, "serial"), "01");
    writeFileSync(join(folder, "authority.cnf"), [...authority, ...rules, ""].join("\n"));
    openssl(
      ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"],
      ...["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME}`, "-out", "request.pem"],
    );
    openssl(
      ...["ca", "-batch", "-config", "authority.cnf", "-selfsign", "-keyfile", "key.pem", "-in", "request.pem"],
      ...["-out", "chain.pem", "-notext", "-startdate", at(began), "-enddate", at(ends)],
    );
    for (const name of ["chain.pem", "key.pem"]) copyFileSync(join(folder, name), join(to, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("a stack whose certificate is not renewed", function () {
  this.timeout(1_500_000);
  const stack = new MeasuredStack();
  /** Whoever looks after the machine: the edge is not the stack's. */
  const machine = new Clone();
  const way = `drydock-way-${process.pid}`;
  before(async () => {
    const there = docker("ps", "--all", "--quiet", "--filter", "label=drydock.role=edge");
    if (there !== "") throw new Error("this machine has an edge: ./drydock edge down first");
    await stack.up({ "monitoring.for.CertificateExpires": SOON, "monitoring.for.CertificateUntrusted": SOON });
  });
  after(async () => {
    docker("rm", "--force", way);
    await stack.remove();
    await machine.drydock(["edge", "down", "--yes"]);
    for (const name of ["state", "certificates", "accounts"]) docker("volume", "rm", `drydock-edge-${name}`);
    rmSync(machine.dir, { recursive: true, force: true });
  });
  it("is told of it, and that browsers don't trust it, and of the end of what a new one has ended", async () => {
    const began = stack.notices().length;
    const edge = await machine.drydock(["edge", "up", "--local"]);
    assert.equal(edge.code, 0, edge.stdout + edge.stderr);
    await stack.set("domains[0].name", NAME);
    certify(stack.clone.dir, -81, 9);
    for (const part of ["chain", "key"]) await stack.set(`domains[0].certificate.${part}`, `./${part}.pem`);
    await stack.again();
    // The name leads to the edge, as it does from everywhere else.
    const [container] = docker("ps", "--filter", "label=drydock.role=edge", "--format", "{{.Names}}").split("\n");
    const { image } = stack.of("collector");
    const words = ["--label", "drydock.test=way", "--user", "0", "--entrypoint", "node"];
    docker("run", "--detach", "--name", way, "--network", NETWORK, ...words, image, "-e", FORWARD, container!, "8443");
    const network = stack.networks("collector").find((name) => name.includes("network-app"))!;
    docker("network", "connect", "--alias", NAME, network, way);
    await stack.tells(["CertificateExpires", "CertificateUntrusted"], "alarm", { since: began });
    assert.match(
      stack.notices().findLast(({ name }) => name === "CertificateExpires")!.message!,
      /^\d[\d.]*% of .*shop/,
    );
    certify(stack.clone.dir, -1, 89);
    await stack.again();
    await stack.tells(["CertificateExpires"], "over", { since: began });
    assert.deepEqual(stack.kinds("CertificateExpires", began), ["alarm", "over"]);
    assert.deepEqual(stack.kinds("CertificateUntrusted", began), ["alarm"]);
  });
});
