import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { CliError } from "../shared/errors.ts";
import { LOCAL, type Paths } from "../shared/project.ts";

/** A stack's file that was encrypted before has the salt of its passphrase in it. */
function isEncrypted(stackFile: string): boolean {
  return existsSync(stackFile) && /^encryptionsalt:/m.test(readFileSync(stackFile, "utf8"));
}

/**
 * Makes the folders of this clone's state and, once, a passphrase. A new one is never made for a stack whose secrets
 * another one has encrypted.
 * @throws CliError where that other one is missing
 */
export function ensureState(paths: Paths, stack: string, env: NodeJS.ProcessEnv): void {
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  chmodSync(paths.folder, 0o700);
  if (env.PULUMI_CONFIG_PASSPHRASE_FILE !== paths.passphrase || existsSync(paths.passphrase)) return;
  if (isEncrypted(paths.stackFile(stack))) {
    throw new CliError({
      what:
        `the secrets of Pulumi.${stack}.yaml are encrypted, and the passphrase is not in this clone ` +
        `(${paths.passphrase} ` +
        "is missing)",
      remedy:
        "export PULUMI_CONFIG_PASSPHRASE_FILE=FILE (or PULUMI_CONFIG_PASSPHRASE) " +
        "with the passphrase they were encrypted with" +
        (stack === LOCAL
          ? `\nor, to begin the local stack anew (what ran stays: docker ps --filter label=drydock.stack=${LOCAL}): ` +
            `rm -r ${paths.stackFile(stack)} ${paths.state}`
          : ""),
    });
  }
  // Written aside and linked: it is there in whole or not at all, and of two first runs one wins.
  const draft = `${paths.passphrase}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  try {
    linkSync(draft, paths.passphrase);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
