/** What the keeper of the certificates is set to; its secrets are files beside it (SECRETS). */
export interface KeeperSettings {
  readonly stack: string;
  /** Address of an ACME directory, or `local`. */
  readonly ca: string;
  /** One that each name is tried with first. */
  readonly staging?: string;
  readonly email?: string;
  /** PEM, by which the authority's own server is checked. @default the public ones */
  readonly roots?: string;
  /** Id of the key of an account that the authority knows already. */
  readonly eab?: string;
  readonly challenge: "http-01" | "dns-01";
  /** lego's name of who serves the zone. */
  readonly dns?: string;
  /** Seconds until the authority is asked about a record. @default until all of the zone's name servers have it */
  readonly dnsWait?: number;
  readonly preflight: boolean;
  /** Name servers, with a port or without. */
  readonly resolvers: readonly string[];
  /** Days. */
  readonly hstsAfter: number;
  readonly mail?: {
    readonly to: string;
    readonly from: string;
    readonly host: string;
    readonly port: number;
    readonly security: "starttls" | "tls" | "none";
    readonly username?: string;
  };
}

export const RUN = "/run/drydock";
/** Files in RUN. */
export const SECRETS = { dns: "dns", eab: "eab", smtp: "smtp", webhook: "webhook" } as const;

/** Where a certificate comes from. */
export type Kind = "authority" | "own" | "local" | "placeholder";

/** One name of a stack, and its certificate. */
export interface NameStatus {
  readonly name: string;
  /** The stack that wants it. */
  readonly stack: string;
  readonly kind: Kind;
  readonly issuer: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** What is wrong, in a sentence. */
  readonly problem?: string;
  /** When it is tried again, ISO 8601. */
  readonly next?: string;
  /** Whether browsers are told to use nothing but https. */
  readonly hsts: boolean;
}

/** What the keeper says of itself; a file that is written after each look. */
export interface KeeperStatus {
  /** ISO 8601. */
  readonly at: string;
  readonly names: readonly NameStatus[];
  readonly alarms: readonly { readonly name: string; readonly since: string; readonly message: string }[];
}
