/** The packs that a check has found to be damaged or missing. */
export const damagedPacks = (said: string): readonly string[] => [
  ...new Set([...said.matchAll(/\bpacks? ((?:[0-9a-f]{64}\s*)+)/g)].flatMap(([, ids]) => ids!.trim().split(/\s+/))),
];

/** What restic says of packs and indexes that are not what they were. */
export const isDamage = (message: string): boolean =>
  new RegExp(
    "ciphertext verification failed|invalid data returned|does not match|pack .* (?:not found|is " +
      String.raw`truncated)|blob .* (?:not found|has wrong)|unexpected EOF|load\(<(?:data|index|snapshot)/|file ` +
      "size mismatch|unexpected file size|Repository (?:contains errors|is damaged)",
    "i",
  ).test(message);

/** restic's messages without the JSON around them, each once. */
export function plain(message: string): string {
  const said = message.split("\n").flatMap((line) => {
    const begin = line.indexOf('{"message_type"');
    if (begin < 0) return line.trim() === "" ? [] : [line.trim()];
    try {
      const { message, error } = JSON.parse(line.slice(begin)) as {
        message?: string;
        error?: { message?: string } | string;
      };
      const before = line.slice(0, begin).trim();
      return [before, message ?? (typeof error === "string" ? error : error?.message) ?? ""].filter(
        (one) => one !== "",
      );
    } catch {
      return [line.trim()];
    }
  });
  return [...new Set(said)].join(" ").replace(/\s+/g, " ");
}
