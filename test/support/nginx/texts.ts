/**
 * What nginx is told, as files: of stacks and edges whose settings between them take every way through
 * `servers/nginx/`. The tests compare; after a change that is wanted, `npx tsx test/support/nginx/texts.ts` writes them
 * anew, and the difference is what is to be looked at.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEdge } from "../../../config/edge.ts";
import { domains } from "../../../config/schema/domains.ts";
import { parseConfiguration } from "../../../config/settings.ts";
import { bootCommand } from "../../../servers/nginx/boot.ts";
import { edgeStart } from "../../../servers/nginx/edge.ts";
import { filesOf } from "../../../servers/nginx/route.ts";
import { type Site, siteConfiguration } from "../../../servers/nginx/site.ts";
import { configuration } from "../components/program.ts";

/** Where they are. */
export const FOLDER = join(import.meta.dirname, "texts");

/** The text of a site, of a stack's settings as its file has them. */
export function siteOf(overrides: Record<string, unknown> = {}, more: Partial<Site> = {}): string {
  const { settings, environment } = parseConfiguration(configuration(overrides), "local");
  return siteConfiguration({
    ...{ ...settings, stage: "local", release: "0123456789ab", url: environment.plain.APP_URL! },
    ...{ replicas: ["app-1"], servers: [], network: "app" },
    ...more,
  });
}

const everything = (): string =>
  siteOf(
    {
      app: {
        image: "registry.test/shop:1",
        healthPath: "/up.php",
        persistent: {
          "public/uploads": { visibility: "public" },
          "public/media/v1.0+": { visibility: "public" },
          "public/invoices": { visibility: "private" },
          "storage/exports": { visibility: "private" },
        },
      },
      proxy: {
        image: "nginx:1.30",
        uploadLimit: 48,
        timeout: 70,
        paths: { "/import": { uploadLimit: 512 }, "/import/big": { timeout: 600 }, "/report": { timeout: 300 } },
        redirects: { "/import": "/imports", "/old": { to: "/new?from=old", status: 301 } },
        drainTimeout: 120,
        connections: 64,
        headers: { "X-Frame-Options": "", "X-Quoted": 'a "quoted" \\ value' },
        trustedProxies: ["10.0.0.0/8", "127.0.0.1", "10.0.0.0/8"],
        hosts: ["*.shop.test", "shop.example.com:8443", "127.0.0.1"],
        port: 8088,
        interface: "192.0.2.1",
      },
    },
    {
      replicas: ["app-1-aaaaaaa", "app-2-bbbbbbb"],
      measured: true,
      servers: [
        { worker: "reverb", names: ["reverb-1", "reverb-2"], http: { port: 6001, paths: ["/app", "/apps"] } },
        { worker: "inner", names: ["inner-1"], http: { port: 7001, paths: [] } },
        { worker: "queue", names: ["queue-1"], http: undefined },
      ],
    },
  );

const plain = (): string =>
  siteOf(
    {
      app: { image: "registry.test/shop:1", server: "http", port: 8000, healthPath: "/" },
      proxy: { image: "nginx:1.30", gzip: false, connections: 0 },
    },
    { stage: "production", url: "https://shop.example.com" },
  );

const edgeOf = (edge: object = {}) =>
  parseEdge({ edge: { email: "ops@example.com", image: "nginx:1.30", certificatesImage: "c:1", ...edge } }, "edge");

/** A stack's files in the edge, each after its name; passwords too, for they are the tests' own. */
function routesOf(edge: Parameters<typeof filesOf>[0]["edge"], ...all: object[]): string {
  const { plain, secret } = filesOf(
    { id: "shop-prod-1234567", proxy: "proxy-abcdef0", domains: domains.parse(all), edge },
    "prod",
  );
  return [...plain, ...secret].map(({ path, content }) => `# ${path}\n${content}`).join("");
}

/** By the name of the file. */
export const TEXTS: Readonly<Record<string, () => string>> = {
  "proxy-start.txt": () => `${bootCommand}\n`,
  "site-everything.conf": everything,
  "site-plain.conf": plain,
  "edge-start.txt": () =>
    `${edgeStart(edgeOf({ trustedProxies: ["198.51.100.0/24", "2001:db8::/32"], httpsPort: 8443, http3: true }))}\n`,
  "edge-plain-start.txt": () => `${edgeStart(edgeOf({ subnet6: "" }))}\n`,
  "route-everything.conf": () =>
    routesOf(
      { httpsPort: 8443, http3: true, ipv6: true },
      {
        name: "shop.example.com",
        redirectFrom: ["www.shop.example.com"],
        hsts: "preload",
        access: { users: { ops: "a long password" }, allow: ["10.0.0.0/8"], open: ["/webhooks", "/api"] },
        paths: {
          "/api/admin": { users: { boss: "another password" }, noindex: true },
          "/horizon": { allow: ["192.0.2.1"] },
          "/horizon/both": { allow: ["192.0.2.2"], users: { ops: "a long password" } },
          "/quiet": { noindex: true },
        },
        redirects: { "/quiet": "/silent", "/older": { to: "https://blog.example.com/?from=shop", status: 301 } },
        limits: { "/": { rate: 600 }, "/login": { rate: 5, burst: 0 } },
      },
      { name: "*.preview.example.com", hsts: "off", noindex: true },
    ),
  "route-plain.conf": () =>
    routesOf(
      { httpsPort: 443, http3: false, ipv6: false },
      { name: "shop.example.com", redirectFrom: ["www.shop.example.com"] },
      { name: "shop.example.org", hsts: "subdomains", paths: { "/admin": { noindex: true } }, noindex: true },
    ),
};

if (process.argv[1] === import.meta.filename)
  for (const [name, text] of Object.entries(TEXTS)) writeFileSync(join(FOLDER, name), text());
