import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative as relativePath } from "node:path";
import { describe, it } from "mocha";
import { reportOf } from "../../../cli/edge/show.ts";
import { parseEdge } from "../../../cli/edge/target.ts";
import { withoutCertificates } from "../../../config/certificateFiles.ts";
import { certificateProblem, warnOfDomains } from "../../../config/domains.ts";
import { domains as schema } from "../../../config/schema/domains.ts";
import { parseConfiguration } from "../../../config/settings.ts";
import { filesOf } from "../../../servers/nginx/route.ts";
import { valid } from "../../support/config/fixtures.ts";

describe("the status of an edge", () => {
  const told = [
    "claim shop.example.com volumes-proxy-1 prod",
    "claim _.example.com volumes-proxy-2 staging",
    "route volumes-proxy-1 proxy-1",
    "route volumes-proxy-2 proxy-2",
    `status ${JSON.stringify({
      at: "2026-01-01T00:00:00.000Z",
      names: [
        {
          name: "shop.example.com",
          stack: "prod",
          kind: "authority",
          issuer: "R11",
          notBefore: "2026-01-01T00:00:00.000Z",
          notAfter: "2026-04-01T00:00:00.000Z",
          hsts: true,
        },
      ],
      alarms: [],
    })}`,
  ].join("\n");

  it("says of each name whose it is and what is wrong with it", () => {
    const state = { container: "edge-1", keeper: "edge-certificates-1", ...parseEdge(told) };
    const [shop, wild] = reportOf(state, new Set(["proxy-1"]));
    assert.deepEqual(shop, {
      name: "shop.example.com",
      stack: "prod",
      certificate: "authority",
      until: "2026-04-01T00:00:00.000Z",
      hsts: true,
      problems: [],
    });
    assert.equal(wild!.name, "*.example.com");
    assert.deepEqual(wild!.problems, ["its proxy proxy-2 does not run", "its certificate is not looked after yet"]);
  });
});

describe("a certificate of the user's own", () => {
  const made = (...args: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-own-"));
    try {
      const [key, chain] = [join(folder, "key"), join(folder, "pem")];
      execFileSync(
        "openssl",
        [
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:P-256",
          "-nodes",
          "-subj",
          "/CN=x",
          ...args,
          "-keyout",
          key,
          "-out",
          chain,
        ],
        { stdio: "ignore" },
      );
      return { key: readFileSync(key, "utf8"), chain: readFileSync(chain, "utf8") };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  /** A certificate of an authority's. */
  const signedBy = (authority: { key: string; chain: string }, name: string) => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-own-"));
    try {
      writeFileSync(join(folder, "ca.key"), authority.key);
      writeFileSync(join(folder, "ca.pem"), authority.chain);
      return made(
        ...["-days", "30", "-addext", `subjectAltName=DNS:${name}`],
        ...["-CA", join(folder, "ca.pem"), "-CAkey", join(folder, "ca.key")],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const good = made("-days", "30", "-addext", "subjectAltName=DNS:shop.example.com");

  it("has a chain in its order, of which every part is valid", () => {
    const authority = made("-days", "30", "-subj", "/CN=Company", "-addext", "basicConstraints=critical,CA:TRUE");
    const other = made("-days", "30", "-subj", "/CN=Company", "-addext", "basicConstraints=critical,CA:TRUE");
    const leaf = signedBy(authority, "shop.example.com");
    const problem = (...chain: string[]) =>
      certificateProblem({ key: leaf.key, chain: chain.join("") }, ["shop.example.com"]);
    assert.equal(problem(leaf.chain), undefined);
    assert.equal(problem(leaf.chain, authority.chain), undefined);
    for (const wrong of [other, good])
      assert.match(problem(leaf.chain, wrong.chain)!, /certificate 2 \(.*CN=.*\) has not signed the one before it/);
    assert.match(
      certificateProblem({ key: leaf.key, chain: leaf.chain }, ["shop.example.com"], new Date(0))!,
      /is valid from .* on/,
    );
    const warnings = (chain: string) =>
      warnOfDomains({
        domains: schema.parse([{ name: "shop.example.com", certificate: { key: leaf.key, chain } }]) as never,
      }).map(({ path, message }) => `${path}: ${message}`);
    assert.match(warnings(leaf.chain)[0]!, /certificate\.chain: has the name's certificate alone: .* CN=Company /);
    assert.deepEqual(warnings(leaf.chain + authority.chain), []);
  });

  it("is judged before anything is changed: its key, its name, its time", () => {
    assert.equal(certificateProblem(good, ["shop.example.com"]), undefined);
    assert.match(
      certificateProblem({ ...good, key: made("-days", "30").key }, ["shop.example.com"])!,
      /not the certificate's/,
    );
    assert.match(certificateProblem(good, ["other.example.com"])!, /is not for other\.example\.com/);
    assert.match(certificateProblem(good, ["shop.example.com"], new Date(Date.now() + 40 * 86_400_000))!, /ended on/);
    assert.match(certificateProblem({ ...good, chain: "-----BEGIN CERTIFICATE-----\nx" }, [])!, /can't be read/);
    assert.match(certificateProblem({ ...good, key: "-----BEGIN PRIVATE KEY-----\nx" }, [])!, /key that can't be read/);
  });

  it("is served for the further names that it is for as well, and for no other", () => {
    const both = made("-days", "30", "-addext", "subjectAltName=DNS:shop.example.com,DNS:www.shop.example.com");
    const redirectFrom = ["www.shop.example.com", "old.example.com"];
    const domains = schema.parse([{ name: "shop.example.com", redirectFrom, certificate: both }]);
    const edge = { httpsPort: 443, http3: false, ipv6: true };
    const { secret } = filesOf({ id: "x", proxy: "p", domains, edge }, "prod");
    assert.deepEqual(
      secret.map(({ path }) => path),
      ["own/shop.example.com.pem", "own/www.shop.example.com.pem"],
    );
  });

  it("may stand in files, whose paths are no secrets", () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-own-"));
    try {
      const [chain, key] = [join(folder, "fullchain.pem"), join(folder, "privkey.pem")];
      const domains = (certificate: object) => ({
        ...valid(),
        domains: [{ name: "shop.example.com", certificate }],
      });
      const read = (certificate: object) =>
        parseConfiguration(domains(certificate), "dev", ([group]) => (group === "domains" ? false : undefined));
      const elsewhere = { ...valid(), domains: JSON.stringify(domains({ chain, key }).domains) };
      const [without] = parseConfiguration(withoutCertificates(elsewhere, "dev"), "dev").settings.domains;
      assert.deepEqual([without?.name, without?.certificate], ["shop.example.com", undefined]);
      assert.throws(() => read({ chain, key }), /certificate\.chain: names the file .*fullchain\.pem.*\(ENOENT\)/);
      writeFileSync(chain, good.chain);
      writeFileSync(key, good.key);
      assert.deepEqual(read({ chain, key }).settings.domains[0]!.certificate, good);
      const relative = `./${relativePath(process.cwd(), key)}`;
      assert.deepEqual(read({ chain, key: relative }).settings.domains[0]!.certificate, good);
      assert.throws(() => read({ chain, key: good.key }), /certificate\.key: is kept without encryption/);
      writeFileSync(key, made("-days", "30").key);
      assert.throws(() => read({ chain, key }), /a key that is not the certificate's/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
