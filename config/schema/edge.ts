import { z } from "zod";
import {
  address,
  cpus,
  flag,
  id,
  imageReference,
  integer,
  list,
  mebibytes,
  optional,
  port,
  preset,
  ranges,
  required,
  seconds,
  text,
  url,
} from "../fields.ts";
import { email } from "../variableTypes.ts";
import { email as mail } from "./alarms.ts";

/** Let's Encrypt, the authority where none is named. */
export const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
/** Its authority for trials: what it signs nobody trusts, and its limits are wide. */
export const STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory";

const variables = z
  .record(
    z.string().regex(/^[A-Z][A-Z0-9_]*$/),
    text("a text in one line", (value) => !/[\u0000-\u001f\u007f]/.test(value)),
  )
  .meta({ expects: "the provider's variables by name, such as CLOUDFLARE_DNS_API_TOKEN, each set with --secret" });

const dns = z.strictObject({
  provider: required(
    text(
      "the name of one of lego's providers, such as cloudflare",
      (value) => /^[a-z0-9-]+$/.test(value),
      "cloudflare",
    ),
    "Who serves the zone, by lego's name for it",
  ),
  variables: preset(variables, {}, "What the provider asks for: each with `--secret`"),
  wait: optional(
    seconds(3600),
    "How long a record is waited for before the authority looks, where the zone's own name servers can't be " +
      "asked from here",
    "until all of the zone's name servers have it",
  ),
});

const eab = z.strictObject({
  kid: required(
    text("a key's id", (value) => /^[\w.~+/=-]+$/.test(value)),
    "The key's id",
  ),
  hmac: required(
    text("a key, base64url", (value) => /^[\w+/=-]+$/.test(value)),
    "The key",
    { secret: true },
  ),
});

const alarms = z.strictObject({
  email: optional(mail, "Mail for each alarm and its end", "none"),
  webhook: url()
    .optional()
    .meta({ description: "An address that gets the same as JSON, by POST", secret: true, computed: "none" }),
});

const addresses = list(address(), 'a list of addresses, such as ["0.0.0.0"]', '["0.0.0.0"]');

const subnet = (expects: string, pattern: RegExp) => text(expects, (value) => pattern.test(value));

/** nginx in front of the stacks of one machine, and what gets its certificates. */
export const edge = z.strictObject({
  email: optional(email(), "Whom the certificate authority may write to", "**required** unless `ca` is `local`"),
  ca: preset(
    text(
      'the address of an ACME directory, or "local" for an authority of this edge\'s own',
      (value) => value === "local" || /^https:\/\/[^\s"\\]+$/.test(value),
      LETS_ENCRYPT,
    ),
    LETS_ENCRYPT,
    "Who signs the certificates",
  ),
  staging: optional(
    text("the address of an ACME directory", (value) => /^https:\/\/[^\s"\\]+$/.test(value), STAGING),
    "The authority that each name is tried with first, so that what fails costs nothing of the other's limits",
    `\`${STAGING}\` where \`ca\` is Let's Encrypt, else none`,
  ),
  roots: optional(
    text("certificates, PEM", (value) => value.includes("-----BEGIN CERTIFICATE-----")),
    "By which certificates the authority's own server is checked, where it is not a public one",
    "the public ones",
  ),
  eab: optional(
    eab.meta({ expects: "an object with kid and hmac" }),
    "The account that the authority knows already",
    "none",
  ),
  challenge: preset(
    z.enum(["http-01", "dns-01"]).meta({
      expects:
        '"http-01" or "dns-01" (tls-alpn-01 is not offered: nginx terminates TLS itself, and refuses its protocol)',
    }),
    "http-01",
    "How names are proven, but wildcards, which always are by `dns-01`",
  ),
  dns: optional(
    dns.meta({ expects: "an object with provider and variables" }),
    "The zone's provider, for dns-01",
    "none",
  ),
  resolvers: preset(
    list(
      text("the address of a name server, with a port or without", (value) =>
        /^[\d.]+(:\d+)?$|^\[[\da-fA-F:]+\](:\d+)?$/.test(value),
      ),
      'a list of name servers, such as ["9.9.9.9"]',
      '["9.9.9.9"]',
    ),
    [],
    "Who is asked where a name leads, before the authority is; none: whom the Docker host asks",
  ),
  preflight: preset(
    flag(),
    true,
    "Ask the authority for a name only when a request for that name comes here; false where the host can't reach " +
      "its own public address",
  ),
  httpPort: preset(port(), 80, "The published port for http; an authority asks on 80"),
  httpsPort: preset(port(), 443, "The published port for https"),
  interfaces: preset(addresses, ["0.0.0.0"], "The addresses on which both are published"),
  http3: preset(
    flag(),
    false,
    "HTTP/3 as well, on udp; when a stack is added or taken away, its connections break for a moment",
  ),
  trustedProxies: preset(
    ranges(),
    [],
    "What stands in front of the edge (Cloudflare, a load balancer): whose X-Forwarded-For and -Proto are believed",
  ),
  subnet: preset(
    subnet("a range of 256 addresses, such as 10.213.77.0/24", /^(\d{1,3}\.){3}0\/24$/),
    "10.213.77.0/24",
    "The addresses of the network between the edge and the stacks",
  ),
  subnet6: preset(
    subnet("nothing, or an IPv6 range such as fd64:7279:646f:636b::/64", /^$|^[\da-f:]+::\/64$/),
    "fd64:7279:646f:636b::/64",
    "The same for IPv6; empty where the host has none",
  ),
  image: optional(imageReference(), "nginx's image, 1.27.4 or newer: the same as the stacks' proxy", "**required**"),
  certificatesImage: optional(imageReference(), "The image of what gets the certificates", "**required**"),
  uid: preset(id(), 101, "The user that both run as"),
  gid: preset(id(), 101, "The group that both run as"),
  memory: preset(mebibytes(32), 128, "Memory limit of nginx"),
  cpus: preset(cpus(), 1, "Processor limit of nginx"),
  certificatesMemory: preset(mebibytes(96), 192, "Memory limit of what gets the certificates"),
  hstsAfter: preset(
    integer(0, 365, "days"),
    7,
    "How long a name has had a certificate that browsers trust before they are told to use nothing but https",
  ),
  alarms: alarms.prefault({}).meta({
    description: "Who is told when a certificate is not there or ends soon",
    expects: "an object with email or webhook",
  }),
});
