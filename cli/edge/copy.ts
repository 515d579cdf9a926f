import { existsSync, readFileSync } from "node:fs";
import { PLACES } from "../../contracts/edge.ts";
import { writeAtomically } from "../../lib/stateFiles.ts";
import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import type { Target } from "./target.ts";

/** Writes the accounts with the authorities, and what these have signed, into a file that only its owner reads. */
export async function exportAccounts({ docker }: Target, keeper: string, file: string): Promise<number> {
  if (existsSync(file))
    throw new CliError({
      what: `${file} is there already, and nothing is written over it`,
      remedy: "name another file",
      code: Exit.usage,
    });
  // As text: not every connection to a Docker host carries bytes.
  const line = `cd ${PLACES.accounts} && tar -czf - --exclude ./.before . | base64`;
  const { code, stdout, stderr } = await docker.run(["exec", keeper, "/bin/sh", "-c", line]);
  const copy = Buffer.from(stdout, "base64");
  if (code !== 0 || !isArchive(copy)) throw new CliError({ what: `the accounts can't be read: ${stderr.trim()}` });
  writeAtomically(file, copy);
  process.stdout.write(`${file}: accounts and certificates with their private keys; keep it as you keep passwords\n`);
  return Exit.ok;
}

/** Puts such a copy in the place of what the edge has, which stays beside it. */
export async function importAccounts({ session, docker }: Target, keeper: string, file: string): Promise<number> {
  const copy = existsSync(file) ? readFileSync(file) : undefined;
  if (copy === undefined || !isArchive(copy))
    throw new CliError({
      what: `${file} is no copy of an edge's accounts`,
      remedy: "./drydock edge certificates --export FILE writes one",
      code: Exit.usage,
    });
  // Unpacked beside what is there before anything is moved: a copy that is cut off changes nothing.
  const line = `set -e
cd ${PLACES.accounts}
rm -rf .fresh && mkdir -m 0700 .fresh
base64 -d | tar -xzf - -C .fresh
rm -rf .fresh/.before .fresh/.drydock .fresh/.fresh
rm -rf .before && mkdir -m 0700 .before
for one in *; do [ ! -e "$one" ] || mv "$one" .before/; done
for one in .fresh/*; do [ ! -e "$one" ] || mv "$one" .; done
rm -rf .fresh`;
  return await audited(session, "edge", ["certificates", "--import"], async () => {
    const input = copy.toString("base64");
    const { code, stderr } = await docker.run(["exec", "-i", keeper, "/bin/sh", "-c", line], { input });
    if (code !== 0) throw new CliError({ what: `the copy could not be unpacked: ${stderr.trim()}` });
    // What it knew of the names is another edge's now.
    await docker.run(["restart", keeper]);
    process.stdout.write("the edge goes on with the copy; what it had before is in .before of the same volume\n");
    return Exit.ok;
  });
}

/** By gzip's first bytes. */
const isArchive = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b && bytes.length > 64;
