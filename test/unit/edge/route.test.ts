import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseEdge } from "../../../config/edge.ts";
import { domains as schema } from "../../../config/schema/domains.ts";
import { edgeConfiguration } from "../../../servers/nginx/edge.ts";
import { filesOf, routeConfiguration } from "../../../servers/nginx/route.ts";

const edge = { httpsPort: 443, http3: false, ipv6: true };
const domainsOf = (...domains: object[]) => schema.parse(domains);
const routeOf = (...domains: object[]) =>
  routeConfiguration({ id: "volumes-proxy-1234567", proxy: "proxy-abcdef0", domains: domainsOf(...domains), edge });

/** What is in one location of a configuration. */
function bodyOf(text: string, location: string): string {
  const [, after] = text.split(`location ${location} {\n`);
  assert.ok(after !== undefined, `no location ${location}`);
  return after.split("proxy_pass")[0]!;
}

/** What a name, a path or an address could carry into a configuration. */
const HOSTILE = [
  "shop.example.com; return 200 owned",
  "shop.example.com\n",
  "shop.example.com }",
  "shop.example.com$host",
  "../../etc/passwd",
  "a b.example.com",
  'shop".example.com',
  "shop.example.com/..",
  "shop.example.com\u0000",
  "*.*.example.com",
  "shop.*.example.com",
  "*",
  "-shop.example.com",
  "shop..example.com",
  "10.0.0.1",
  "[::1]",
  "shop.example.com:8443",
  "localhost",
  "",
  `${"a".repeat(64)}.example.com`,
  `${"a.".repeat(120)}example.com`,
];

describe("a stack's route", () => {
  it("sends each of its names to its proxy, with a certificate that nginx reads by itself", () => {
    const text = routeOf({ name: "shop.example.com" });
    assert.match(text, /server_name shop\.example\.com;/);
    assert.match(text, /ssl_certificate \/certs\/live\/shop\.example\.com\$drydock_live\.pem;/);
    assert.match(text, /server proxy-abcdef0:8080 resolve max_fails=0;/);
    assert.match(text, /if \(\$drydock_plain\) \{ return 308 https:\/\/\$host\$request_uri; \}/);
  });

  it("takes a wildcard for one level below, as its certificate does", () => {
    const text = routeOf({ name: "*.preview.example.com" });
    const [, pattern] = /server_name ~(.*);/.exec(text)!;
    assert.ok(new RegExp(pattern!).test("pr-1.preview.example.com"));
    for (const other of ["a.pr-1.preview.example.com", "preview.example.com", "pr-1xpreview.example.com", "x.evil.com"])
      assert.ok(!new RegExp(pattern!).test(other), other);
    assert.match(text, /live\/_\.preview\.example\.com\$/);
  });

  it("leads further names to the first in one step", () => {
    const text = routeOf({ name: "shop.example.com", redirectFrom: ["www.shop.example.com"] });
    assert.match(text, /server_name www\.shop\.example\.com;/);
    assert.match(text, /return 308 https:\/\/shop\.example\.com\$request_uri;/);
  });

  it("names the port where it is not the usual one", () => {
    const text = routeConfiguration({
      id: "x",
      proxy: "p",
      domains: domainsOf({ name: "shop.localhost" }),
      edge: { ...edge, httpsPort: 8443 },
    });
    assert.match(text, /https:\/\/\$host:8443\$request_uri/);
  });

  for (const value of HOSTILE)
    it(`takes ${JSON.stringify(value).slice(0, 60)} for no name`, () => {
      assert.ok(!schema.safeParse([{ name: value }]).success);
      assert.ok(!schema.safeParse([{ name: "shop.example.com", redirectFrom: [value] }]).success);
    });

  for (const path of [
    "/a b",
    "/a;",
    "/a{",
    "/a}",
    '/a"',
    "/a'",
    "/a$b",
    "/../a",
    "/a/../b",
    "/a\n",
    "a",
    "/a\\b",
    "/a#b",
    "//a",
  ])
    it(`takes ${JSON.stringify(path)} for no path`, () => {
      for (const domain of [
        { access: { open: [path] } },
        { limits: { [path]: { rate: 5 } } },
        { redirects: { [path]: "/new" } },
        { paths: { [path]: { noindex: true } } },
      ])
        assert.ok(!schema.safeParse([{ name: "shop.example.com", ...domain }]).success);
    });

  for (const to of [
    "/new;",
    "/new }",
    "javascript:alert(1)",
    "/a b",
    "/a$host",
    'https://x.com/"',
    "https://x.com/\n",
    "//evil.com$",
  ])
    it(`takes ${JSON.stringify(to)} for no place to lead to`, () => {
      assert.ok(!schema.safeParse([{ name: "shop.example.com", redirects: { "/old": to } }]).success);
    });

  for (const user of ["a:b", "a b", "a\n", "", "a$"])
    it(`takes ${JSON.stringify(user)} for no user`, () => {
      const access = { users: { [user]: "a long password" } };
      assert.ok(!schema.safeParse([{ name: "shop.example.com", access }]).success);
    });

  it("asks for a password, but not on paths that are open, and reads none of those in two ways", () => {
    const text = routeOf({
      name: "shop.example.com",
      access: { users: { ops: "a long password" }, allow: ["10.0.0.0/8"], open: ["/webhooks"] },
    });
    assert.match(text, /satisfy any;\n {2}allow 10\.0\.0\.0\/8;\n {2}deny all;\n {2}auth_basic /);
    for (const location of ["= /webhooks", "^~ /webhooks/"]) {
      const [, body = ""] = new RegExp(`location ${location.replace("^", "\\^")} \\{\n([^}]*\\}[^}]*)\\}`).exec(text)!;
      assert.match(body, /if \(\$drydock_crooked\) \{ return 400; \}/);
      assert.match(body, /auth_basic off;\n {4}allow all;/);
    }
    const [{ path, content }] = filesOf(
      {
        id: "x",
        proxy: "p",
        domains: domainsOf({ name: "a.example.com", access: { users: { ops: "a long password" } } }),
        edge,
      },
      "prod",
    ).secret as [{ path: string; content: string }];
    assert.equal(path, "own/x-0.users");
    assert.match(content, /^ops:\{SSHA\}[A-Za-z0-9+/=]+\n$/);
    assert.ok(!text.includes("a long password"));
  });

  it("closes a path with its own users and addresses, where an open one above it is open", () => {
    const text = routeOf({
      name: "shop.example.com",
      hsts: "off",
      access: { allow: ["10.0.0.0/8"], open: ["/api"] },
      paths: {
        "/api/admin": { users: { ops: "a long password" }, noindex: true },
        "/horizon": { allow: ["192.0.2.1"], users: { ops: "a long password" } },
      },
    });
    assert.match(text, /\n {2}if \(\$drydock_crooked\) \{ return 400; \}\n/);
    // An application takes what comes after its script's name for the path.
    for (const path of ["= /api/admin", "^~ /api/admin/", "= /index.php/api/admin", "^~ /index.php/api/admin/"])
      assert.match(
        bodyOf(text, path),
        new RegExp(
          String.raw`add_header Strict-Transport-Security \$drydock_hsts always;\n\s+add_header X-Robots-Tag ` +
            String.raw`noindex always;\n\s+satisfy all;\n\s+allow all;\n\s+auth_basic "[^"]+";\n` +
            String.raw`\s+auth_basic_user_file /var/lib/drydock/own/volumes-proxy-1234567-0-[0-9a-f]{8}\.users;`,
        ),
        path,
      );
    assert.match(bodyOf(text, "^~ /api/"), /auth_basic off;\n\s+allow all;/);
    assert.match(bodyOf(text, "= /horizon"), /satisfy any;\n\s+allow 192\.0\.2\.1;\n\s+deny all;\n\s+auth_basic "/);
    assert.ok(!bodyOf(text, "= /horizon").includes("X-Robots-Tag"));
  });

  it("has for a path what the nearest one above it has, where it says nothing itself", () => {
    const text = routeOf({
      name: "shop.example.com",
      paths: {
        "/horizon": { allow: ["192.0.2.1"] },
        "/horizon/log": { noindex: true },
        "/horizons": { noindex: true },
      },
      limits: { "/horizon": { rate: 5 } },
    });
    assert.match(bodyOf(text, "= /horizon/log"), /allow 192\.0\.2\.1;\n\s+deny all;[\s\S]*limit_req zone=/);
    assert.doesNotMatch(bodyOf(text, "= /horizons"), /allow|limit_req/);
  });

  it("brings a certificate of the user's own as a secret, the chain first and the key after it", () => {
    const pem = (what: string) => `-----BEGIN ${what}-----\nnot one\n-----END ${what}-----`;
    const [chain, key] = [pem("CERTIFICATE"), pem("PRIVATE KEY")];
    const certificate = { chain: `\n${chain}\n\n`, key: `\n${key}\n\n` };
    const domains = domainsOf({ name: "*.shop.example.com", certificate }, { name: "shop.example.com" });
    const { plain, secret } = filesOf({ id: "x", proxy: "p", domains, edge }, "prod");
    assert.deepEqual(secret, [{ path: "own/_.shop.example.com.pem", content: `${chain}\n${key}\n` }]);
    assert.doesNotMatch(JSON.stringify(plain), /not one/);
  });

  it("leads paths elsewhere with the status that was asked for", () => {
    const text = routeOf({
      name: "shop.example.com",
      redirects: { "/old": "/new", "/older": { to: "https://blog.example.com/?from=shop", status: 301 } },
    });
    assert.match(text, /location = \/old \{ absolute_redirect off; return 308 \/new\$is_args\$args; \}/);
    assert.match(text, /location = \/older \{ [^}]*return 301 https:\/\/blog\.example\.com\/\?from=shop; \}/);
    assert.ok(!schema.safeParse([{ name: "a.example.com", redirects: { "/a": { to: "/b", status: 200 } } }]).success);
  });

  it("counts what comes by the script's name as what comes without it", () => {
    const text = routeOf({ name: "shop.example.com", limits: { "/login": { rate: 5 } } });
    for (const path of ["= /login", "^~ /login/", "= /index.php/login", "^~ /index.php/login/"])
      assert.match(bodyOf(text, path), /limit_req zone=/, path);
  });

  it("limits a path by the most specific of its settings", () => {
    const text = routeOf({ name: "shop.example.com", limits: { "/": { rate: 600 }, "/login": { rate: 5, burst: 0 } } });
    assert.equal(text.match(/limit_req_zone/g)?.length, 2);
    const [, login = ""] = /location = \/login \{\n([^}]*)\}/.exec(text)!;
    assert.match(login, /limit_req zone=limit_volumes-proxy-1234567_0_[0-9a-f]{8};/);
  });
});

describe("the edge's own configuration", () => {
  const settings = (edge: object = {}) =>
    parseEdge({ edge: { email: "ops@example.com", image: "nginx:1.30", certificatesImage: "c:1", ...edge } }, "edge");

  it("refuses names that no stack has, before there is a certificate", () => {
    const text = edgeConfiguration(settings());
    assert.match(text, /listen 8443 ssl default_server;[^}]*ssl_reject_handshake on;/);
    assert.match(text, /location \/ \{ return 421; \}/);
  });

  it("tells a stack's proxy nothing that a visitor says of himself", () => {
    const text = edgeConfiguration(settings());
    for (const header of ["X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded", "X-Client-IP"])
      assert.match(text, new RegExp(`proxy_set_header ${header} "";`));
    assert.match(text, /proxy_set_header X-Forwarded-For \$remote_addr;/);
  });

  it("says what is wrong with an edge's settings, in their words", () => {
    const messages = (raw: object) => {
      try {
        parseEdge(raw as Record<string, unknown>, "edge");
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.match(messages({ edge: { image: "nginx:1.30" } }), /drydock:edge\.email: is missing/);
    assert.match(messages({ edge: { image: "nginx:1.30" } }), /drydock:edge\.certificatesImage: is missing/);
    assert.match(messages({ edge: { challenge: "dns-01" } }), /drydock:edge\.dns: is missing/);
    assert.match(messages({ edge: { email: "ops@example.com" }, app: { image: "a:1" } }), /drydock:app: is set beside/);
    assert.match(messages({ edge: { emial: "x" } }), /drydock:edge\.emial: is unknown: is drydock:edge\.email meant/);
    assert.match(messages({ edge: { ca: "https://x/ y;" } }), /drydock:edge\.ca: is/);
  });
});
