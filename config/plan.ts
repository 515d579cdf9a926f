import { createHmac } from "node:crypto";
import type { Environment } from "./resolve.ts";

/**
 * A keyed hash of each variable that a Laravel container shall have, with APP_KEY as the key: enough to compare,
 * useless to guess from.
 * @param release what DRYDOCK_RELEASE is
 */
export function plannedHashes({ plain, secret }: Environment, release: string): Readonly<Record<string, string>> {
  const all: Record<string, string> = { ...plain, ...secret, DRYDOCK_RELEASE: release };
  const hash = (value: string) =>
    createHmac("sha256", secret.APP_KEY ?? "")
      .update(value)
      .digest("hex");
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, hash(value)]));
}
