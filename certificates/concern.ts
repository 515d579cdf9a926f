import type { NameStatus } from "../contracts/certificates.ts";

const [MINUTE, DAY] = [60_000, 86_400_000];
/** From here on it is worth an alarm: how long a name has no certificate, in ms, and how much of a lifetime is left. */
const [WITHOUT, SHORT] = [10 * MINUTE, 1 / 5];
/** The same of a certificate that its owner has to renew. */
const OWN = 14 * DAY;

/**
 * What an alarm says of a name; undefined where all is well.
 * @param since when it was wanted first, in ms
 */
export function concernOf(status: NameStatus, since: number, now: number): string | undefined {
  const { name, kind, notBefore, notAfter, problem = "nothing is known of the reason yet" } = status;
  if (kind === "placeholder")
    return now - since < WITHOUT ? undefined : `${name} has no certificate, and browsers warn of the site: ${problem}`;
  const [from, to] = [new Date(notBefore).getTime(), new Date(notAfter).getTime()];
  if (kind === "own")
    return to - now > OWN
      ? undefined
      : `the certificate of ${name} is your own and ends on ${notAfter}: set a new one in drydock:domains`;
  return (to - now) / (to - from) >= SHORT
    ? undefined
    : `the certificate of ${name} ends on ${notAfter} and could not be renewed: ${problem}`;
}
