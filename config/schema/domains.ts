import { z } from "zod";
import { flag, integer, list, optional, preset, ranges, required, text } from "../fields.ts";
import { hostName } from "../hosts.ts";
import { isSitePath, redirects } from "./sitePaths.ts";

/** A name that visitors use: no address, no port; `*.` before it means all names one level below. */
const domainName = (wildcards: boolean) =>
  z
    .preprocess(
      (value) => (typeof value === "string" ? (hostName(value) ?? value) : value),
      z.string().refine((value) => isDomain(value, wildcards)),
    )
    .meta({
      expects: `a name, such as shop.example.com${wildcards ? ", or *.example.com for all one level below" : ""}`,
      example: "shop.example.com",
    });

function isDomain(value: string, wildcards: boolean): boolean {
  const labels = (value.startsWith("*.") && wildcards ? value.slice(2) : value).split(".");
  return (
    // A file is named after it, and a name of more than 64 characters is in no certificate of Let's Encrypt's alone.
    value.length <= 200 &&
    value.includes(".") &&
    labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
    /[a-z]/.test(labels.at(-1)!)
  );
}

const sitePath = () => text("a path that begins with /, such as /admin", isSitePath, "/admin");

const pathList = () => list(sitePath(), 'a list of paths, such as ["/webhooks"]', '["/webhooks"]');

const users = z
  .record(
    z.string().regex(/^[\w.@+-]{1,64}$/),
    text("a password of at least 8 characters", (value) => value.length >= 8 && !/[\u0000-\u001f\u007f]/.test(value)),
  )
  .meta({ expects: "passwords by user, each set with --secret" });

const access = z.strictObject({
  users: preset(users, {}, "Who gets in with a password: names with passwords, set with `--secret`"),
  allow: preset(ranges(), [], "The addresses that get in; with `users` as well, one of both is enough"),
  open: preset(pathList(), [], "Paths that everybody may use all the same, with all below them: webhooks"),
});

/** What holds for a path and all below it, in place of what the domain says. */
const paths = z
  .record(
    z.string().refine((value) => value !== "/" && isSitePath(value)),
    z
      .strictObject({
        users: preset(users, {}, "Who gets in with a password; in place of the domain's `access`"),
        allow: preset(ranges(), [], "The addresses that get in; with `users` as well, one of both is enough"),
        noindex: preset(flag(), false, "Ask search engines to leave it out"),
      })
      .meta({ expects: "an object with users, allow or noindex" }),
  )
  .meta({ expects: "rules by path, such as /admin, each an object with users, allow or noindex" });

const limits = z
  .record(
    z.string().refine(isSitePath),
    z
      .strictObject({
        rate: required(
          integer(1, 100_000, "requests a minute"),
          "How many requests one address may send; more are answered with 429",
        ),
        burst: preset(integer(0, 100_000), 10, "How many may come at once before `rate` counts"),
      })
      .meta({ expects: "an object with rate, and if needed burst" }),
  )
  .meta({ expects: "limits by path, such as /login, each an object with rate" });

const certificate = z.strictObject({
  chain: required(
    text("certificates, PEM, the name's own first", (value) => value.includes("-----BEGIN CERTIFICATE-----")),
    "The name's certificate, and those between it and the authority's; or the path of a file with them",
  ),
  key: required(
    text("a private key, PEM", (value) => /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value)),
    "Its private key, set with `--secret`; or the path of a file with it",
    { secret: true },
  ),
});

const domain = z.strictObject({
  name: required(domainName(true), "The name that visitors use; of several the first one is APP_URL's"),
  redirectFrom: preset(
    list(domainName(false), 'a list of names, such as ["www.example.com"]', '["www.example.com"]'),
    [],
    "Names that lead to it (308)",
  ),
  certificate: optional(
    certificate.meta({ expects: "an object with chain and key" }),
    "A certificate of your own, which is yours to renew",
    "one of the edge's authority",
  ),
  hsts: preset(
    z.enum(["auto", "subdomains", "preload", "off"]).meta({ expects: '"auto", "subdomains", "preload" or "off"' }),
    "auto",
    "Have browsers use nothing but https, once the certificate has proven itself: for this name, " +
      "for all names below it too, on browsers' own lists too, or never",
  ),
  noindex: preset(flag(), false, "Ask search engines to leave the site out"),
  access: access.prefault({}).meta({
    description: "Who may see the site",
    expects: "an object with users, allow or open",
  }),
  paths: preset(paths, {}, "Who may see a path and all below it, and whether search engines should"),
  redirects: preset(redirects(), {}, "Paths that lead elsewhere for good: path and where, 308 unless a status is said"),
  limits: preset(limits, {}, "How often one address may ask for a path and all below it"),
});

/** The names of a stack, which the machine's edge sends to it. */
export const domains = list(
  domain.meta({ expects: "an object with name" }),
  "a list of domains, each an object with name",
  '[{"name":"shop.example.com"}]',
);
