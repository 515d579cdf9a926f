import type { EdgeSettings } from "../../config/edge.ts";
import { LETS_ENCRYPT, STAGING } from "../../config/schema/edge.ts";
import type { KeeperSettings } from "../../contracts/certificates.ts";
import { defined } from "../../lib/defined.ts";

/** What gets the certificates is told of its settings; no secret is among them. */
export function keeperConfiguration({
  settings: { edge },
  stack,
}: {
  settings: EdgeSettings;
  stack: string;
}): KeeperSettings {
  const { alarms, dns, eab } = edge;
  const staging = edge.staging ?? (edge.ca === LETS_ENCRYPT ? STAGING : undefined);
  return {
    stack,
    ca: edge.ca,
    challenge: edge.challenge,
    preflight: edge.preflight,
    resolvers: [...edge.resolvers],
    hstsAfter: edge.hstsAfter,
    ...defined({
      staging,
      email: edge.email,
      roots: edge.roots,
      dns: dns?.provider,
      dnsWait: dns?.wait,
      eab: eab?.kid,
    }),
    ...(alarms.email === undefined
      ? {}
      : {
          mail: {
            to: alarms.email.to,
            from: alarms.email.from,
            host: alarms.email.host,
            port: alarms.email.port,
            security: alarms.email.security,
            ...defined({ username: alarms.email.username }),
          },
        }),
  };
}

/** Its secrets: file and content. */
export function keeperSecrets({ dns, eab, alarms }: EdgeSettings["edge"]): Record<string, string> {
  return {
    ...(dns === undefined ? {} : { dns: JSON.stringify(dns.variables) }),
    ...defined({ eab: eab?.hmac, smtp: alarms.email?.password, webhook: alarms.webhook }),
  };
}
