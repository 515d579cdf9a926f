import { z } from "zod";
import { flag, optional, port, preset, required, text } from "../fields.ts";

const CERTIFICATE = /^(\s*-----BEGIN CERTIFICATE-----[\w+/=\s]+-----END CERTIFICATE-----\s*)+$/;

/** A server that is not the stack's own. @param listens its usual port */
export const external = (what: string, listens: number) =>
  optional(
    z
      .strictObject({
        host: required(
          text("a host name or an address", (value) => /^[A-Za-z0-9]([\w.:-]*\w)?$/.test(value), `${what}.example.com`),
          "Where it is",
        ),
        port: preset(port(), listens, "Its port"),
        tls: preset(flag(), true, "Encrypt, and check its certificate and name; false only on a network of your own"),
        ca: optional(
          text("certificates, as text that begins with -----BEGIN CERTIFICATE-----", (value) =>
            CERTIFICATE.test(value),
          ),
          "The certificates of the authority that has signed the server's, as providers hand them out",
          "the authorities that the images know",
        ),
      })
      .meta({ expects: "an object with host, and if needed port, tls and ca" }),
    "A server elsewhere, such as a provider's: then none is run here",
    "none",
  );

/** Where the containers have the certificates of an authority of its own, else those of the public ones. */
export function caFile(name: "database" | "redis", ca: string | undefined): string {
  return ca === undefined ? "/etc/ssl/certs/ca-certificates.crt" : `/run/drydock/tls/${name}.crt`;
}
