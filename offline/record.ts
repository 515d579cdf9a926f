// Writes checksums.json anew for the versions that are used now: npx tsx offline/record.ts (needs the internet, and is
// for who raises a version).
import { writeFileSync } from "node:fs";
import { cliArchive, LIST, listed, PLATFORMS, pluginArchive, publishedChecksum } from "./archives.ts";
import { STANDINS } from "./install.ts";

const archives = PLATFORMS.flatMap((platform) => [
  cliArchive(platform),
  ...Object.entries(STANDINS).map(([name, version]) => pluginArchive(name, version, platform)),
]);
const before = listed();
const list: Record<string, string> = {};
for (const archive of archives) {
  const sum = await publishedChecksum(archive);
  // A published file never changes: a sum that did is no reason to take the new one.
  if (before[archive.file] !== undefined && before[archive.file] !== sum)
    throw new Error(`${archive.file} has another checksum than before: ${sum}, not ${before[archive.file]}`);
  list[archive.file] = sum;
}
writeFileSync(LIST, `${JSON.stringify(Object.fromEntries(Object.entries(list).sort()), null, 2)}\n`);
console.log(`${Object.keys(list).length} checksums in ${LIST}`);
