import { createPrivateKey, X509Certificate } from "node:crypto";
import type { LenientSettings } from "./found.ts";
import { type Problem, setCommand } from "./problems.ts";
import type { Settings } from "./schema.ts";

/** One name that a stack wants, and what becomes of it. */
export interface WantedName {
  readonly name: string;
  /** Where it leads, for one that is no more than another name of the site. */
  readonly redirectTo?: string;
}

/** All names that a stack claims. */
export function namesOf(domains: Settings["domains"]): readonly WantedName[] {
  return domains.flatMap(({ name, redirectFrom }) => [
    { name },
    ...redirectFrom.map((from) => ({ name: from, redirectTo: name })),
  ]);
}

/** Tells of a wrong setting: its path without `drydock:`, what is wrong, and the command that puts it right. */
type Add = (path: string, message: string, remedy?: string) => void;

/** The rules between a stack's domains, and between them and its other settings. */
export function checkDomains(
  { domains = [] as never }: LenientSettings,
  env: Readonly<Record<string, string>>,
  stack: string,
  add: Add,
): void {
  const all = domains as Settings["domains"];
  const seen = new Map<string, string>();
  for (const [index, { name, redirectFrom, certificate, access, paths }] of all.entries()) {
    for (const [place, one] of [
      [`domains[${index}].name`, name] as const,
      ...redirectFrom.map((from, at) => [`domains[${index}].redirectFrom[${at}]`, from] as const),
    ]) {
      const before = seen.get(one);
      if (before !== undefined) add(place, `is ${one}, as drydock:${before} is: expected each name once`);
      seen.set(one, before ?? place);
    }
    if (name.startsWith("*.") && redirectFrom.length > 0)
      add(
        `domains[${index}].redirectFrom`,
        `leads to ${name}, which stands for many names: expected one name to lead to`,
      );
    for (const [path, { users, allow }] of Object.entries(paths)) {
      if (access.open.includes(path) && (Object.keys(users).length > 0 || allow.length > 0))
        add(`domains[${index}].access.open`, `has ${path}, for which drydock:domains[${index}].paths says who gets in`);
    }
    if (certificate !== undefined) {
      const wrong = certificateProblem(certificate, [name]);
      if (wrong !== undefined) add(`domains[${index}].certificate`, wrong);
    }
  }
  const url = env["APP_URL"];
  if (all.length === 0 || url === undefined || !URL.canParse(url)) return;
  const host = new URL(url).hostname;
  if (!all.some(({ name }) => covers(name, host)))
    add(
      "env.APP_URL",
      `is ${url}, but drydock:domains has ${all.map(({ name }) => name).join(", ")}: expected one of them, ` +
        "or nothing at all",
      setCommand("drydock:env.APP_URL", `https://${all[0]!.name.replace("*", "www")}`, stack),
    );
}

/** Whether a name of `domains` stands for a host. */
function covers(name: string, host: string): boolean {
  if (!name.startsWith("*.")) return name === host;
  const [first = "", ...rest] = host.split(".");
  return first !== "" && rest.join(".") === name.slice(2);
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const nameOf = (subject: string): string => subject.replaceAll("\n", ", ");
const isIssued = (one: X509Certificate, issuer: X509Certificate): boolean =>
  one.checkIssued(issuer) && one.verify(issuer.publicKey);

/** What is wrong with a certificate of the user's own; undefined where it can be served. */
export function certificateProblem(
  { chain, key }: { readonly chain: string; readonly key: string },
  names: readonly string[],
  now: Date = new Date(),
): string | undefined {
  let leaf: X509Certificate;
  let others: X509Certificate[];
  try {
    [leaf, ...others] = (chain.match(CERTIFICATE) ?? [chain]).map((one) => new X509Certificate(one)) as [
      X509Certificate,
      ...X509Certificate[],
    ];
  } catch {
    return "has a chain that can't be read: expected certificates, PEM, the name's own first";
  }
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      return "has a key that is not the certificate's: expected the private key that it was made with";
  } catch {
    return "has a key that can't be read: expected a private key, PEM, without a password";
  }
  const other = names.find((name) => leaf.checkHost(name.replace("*", "any")) === undefined);
  if (other !== undefined)
    return `is not for ${other} (${leaf.subjectAltName ?? leaf.subject}): expected one with that name`;
  const chained = [leaf, ...others];
  const loose = others.findIndex((issuer, index) => !isIssued(chained[index]!, issuer));
  if (loose >= 0)
    return (
      `has a chain in which certificate ${loose + 2} (${nameOf(others[loose]!.subject)}) ` +
      "has not signed the one before it: expected the name's own first, then each one's issuer"
    );
  const old = others.find(({ validTo }) => new Date(validTo) <= now);
  if (old !== undefined)
    return `has ${nameOf(old.subject)} in its chain, which ended on ${old.validTo}: expected one that is valid`;
  if (new Date(leaf.validFrom) > now) return `is valid from ${leaf.validFrom} on: expected one that is valid now`;
  if (new Date(leaf.validTo) <= now) return `ended on ${leaf.validTo}: expected one that is valid`;
  return undefined;
}

/** The problems of certificates that are valid now, and not for long: warnings. */
export function warnOfDomains({ domains = [] as never }: LenientSettings, now: Date = new Date()): Problem[] {
  return (domains as Settings["domains"]).flatMap(({ certificate }, index) => {
    if (certificate === undefined || certificateProblem(certificate, [], now) !== undefined) return [];
    const end = new Date(new X509Certificate(certificate.chain).validTo);
    const days = Math.floor((end.getTime() - now.getTime()) / 86_400_000);
    const path = `drydock:domains[${index}].certificate`;
    const leaf = new X509Certificate(certificate.chain);
    const alone = (certificate.chain.match(CERTIFICATE) ?? []).length === 1 && !isIssued(leaf, leaf);
    return [
      ...(days >= 14 ? [] : [{ path, message: `ends in ${days} days: expected a new one soon` }]),
      ...(alone
        ? [
            {
              path: `${path}.chain`,
              message:
                `has the name's certificate alone: who doesn't know ${nameOf(leaf.issuer)} trusts it only with ` +
                "that one's behind it",
            },
          ]
        : []),
    ];
  });
}
