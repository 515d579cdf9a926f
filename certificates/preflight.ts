import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { rmSync } from "node:fs";
import { request } from "node:http";
import { isIP } from "node:net";
import { join } from "node:path";
import type { KeeperSettings } from "../contracts/certificates.ts";
import { writeAtomically } from "../lib/stateFiles.ts";
import type { Folders } from "./folders.ts";

/** How long a name server, and who answers under the name, may take, in ms. */
const PATIENCE = 5_000;

/**
 * Whether a request for the name comes here, as an authority would send one; where it certainly doesn't, asking the
 * authority would only use up what it allows.
 *
 * @param port a test has another one. @default 80
 * @returns what is in the way; undefined where nothing is, or where it can't be seen from here
 */
export async function preflight(
  name: string,
  { resolvers }: Pick<KeeperSettings, "resolvers">,
  folders: Folders,
  port = 80,
): Promise<string | undefined> {
  const resolver = new Resolver({ timeout: PATIENCE, tries: 2 });
  if (resolvers.length > 0) resolver.setServers([...resolvers]);
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  if (addresses.length === 0) {
    const codes = found.map((one) => (one.status === "rejected" ? (one.reason as NodeJS.ErrnoException).code : ""));
    if (codes.every((code) => code === "ENOTFOUND" || code === "ENODATA"))
      return `no name server knows ${name}: make a record for it (A, AAAA) that leads to this host`;
    return undefined;
  }
  const token = `drydock-${randomBytes(12).toString("hex")}`;
  const file = join(folders.certificates, "challenge", ".well-known", "acme-challenge", token);
  writeAtomically(file, token, 0o644);
  try {
    const answers = await Promise.all(
      addresses.map(async (address) => ({ address, body: await ask(address, name, token, port) })),
    );
    const elsewhere = answers.find(({ body }) => body !== undefined && body !== token);
    if (elsewhere === undefined) return undefined;
    return (
      `${name} leads to ${elsewhere.address}, where somebody else answers: have its record lead to this host ` + "alone"
    );
  } finally {
    rmSync(file, { force: true });
  }
}

/** What is answered there; undefined where nothing is: the way back to oneself is closed in some networks. */
function ask(address: string, name: string, token: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const question = request(
      {
        host: address,
        family: isIP(address),
        port,
        path: `/.well-known/acme-challenge/${token}`,
        headers: { host: name, "user-agent": "drydock" },
        timeout: PATIENCE,
      },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (part: string) => {
          if (body.length < 1000) body += part;
        });
        answer.on("end", () => resolve(body.trim())).on("error", () => resolve(undefined));
      },
    );
    question.on("timeout", () => question.destroy()).on("error", () => resolve(undefined));
    question.end();
  });
}
