import { connect } from "node:tls";
import type { Gauges } from "./gauges.ts";
import { say } from "./gauges.ts";

interface Certificate {
  /** Seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether browsers accept it. */
  readonly trusted: boolean;
}

/** How many names are looked at beside each other: one that is not to be reached takes as long as is waited for it. */
const BESIDE = 8;

/** Looks at the certificates that visitors of the domains are shown, where they can be reached from here. */
export class Certificates {
  readonly #gauges;

  constructor(
    gauges: Gauges,
    readonly domains: readonly string[],
    readonly look: (domain: string) => Promise<Certificate> = shownFor,
  ) {
    this.#gauges = {
      notBefore: gauges.gauge("certificate_not_before_timestamp_seconds", "When it began to be valid", "domain"),
      notAfter: gauges.gauge("certificate_not_after_timestamp_seconds", "When it ends", "domain"),
      trusted: gauges.gauge("certificate_trusted", "Whether browsers accept it", "domain"),
    };
  }

  async round(): Promise<void> {
    const left = [...this.domains];
    const next = async (): Promise<void> => {
      for (let domain = left.shift(); domain !== undefined; domain = left.shift()) await this.#lookAt(domain);
    };
    await Promise.all(Array.from({ length: BESIDE }, next));
  }

  async #lookAt(domain: string): Promise<void> {
    const found = await this.look(domain).catch(() => undefined);
    say(this.#gauges.notBefore, found?.notBefore, { domain });
    say(this.#gauges.notAfter, found?.notAfter, { domain });
    say(this.#gauges.trusted, found && Number(found.trusted), { domain });
  }
}

function shownFor(domain: string, port = 443): Promise<Certificate> {
  return new Promise((resolve, reject) => {
    // Looked at, whatever it is; nothing is sent.
    const socket = connect({ host: domain, port, servername: domain, rejectUnauthorized: false, timeout: 10_000 });
    socket.once("secureConnect", () => {
      const { valid_from, valid_to } = socket.getPeerCertificate();
      socket.destroy();
      resolve({
        notBefore: Date.parse(valid_from) / 1000,
        notAfter: Date.parse(valid_to) / 1000,
        trusted: socket.authorized,
      });
    });
    socket.once("timeout", () => socket.destroy(new Error(`${domain} does not answer`)));
    socket.once("error", reject);
  });
}
