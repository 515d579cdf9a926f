import { createPrivateKey, X509Certificate } from "node:crypto";

/** What can be said of a file with a chain and its key. */
export interface Judged {
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly placeholder: boolean;
}

/** By this a placeholder is known: nobody else signs in this name. */
export const PLACEHOLDER = "Drydock placeholder";

/** @returns why it can't be served for this name */
export function judge(pem: string, name: string): Judged | string {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(pem);
    if (!leaf.checkPrivateKey(createPrivateKey(pem))) return "its key is another certificate's";
  } catch {
    return "it can't be read";
  }
  if (leaf.checkHost(name.replace("*", "any")) === undefined) return `it is not for ${name}`;
  const placeholder = leaf.issuer.includes(PLACEHOLDER);
  return {
    issuer: /^(?:CN|O)=(.*)$/m.exec(leaf.issuer)?.[1] ?? leaf.issuer,
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    placeholder,
  };
}

/** How much of its lifetime is left, 0 to 1. */
export function leftOf({ notBefore, notAfter }: Judged, now: number): number {
  const lifetime = notAfter.getTime() - notBefore.getTime();
  return lifetime <= 0 ? 0 : Math.max(0, (notAfter.getTime() - now) / lifetime);
}
