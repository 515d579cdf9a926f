const SLASH = Buffer.from("/");
/** No file name has it. */
const BYTES = "\0";
const REPLACED = "\uFFFD";

/** A path of two parts; nothing before the slash means none. */
export function joined(folder: string | Uint8Array, name: Uint8Array): Buffer {
  if (folder.length === 0) return Buffer.from(name);
  const parts = [Buffer.from(folder as string), ...(name.length === 0 ? [] : [SLASH, Buffer.from(name)])];
  return Buffer.concat(parts);
}

/**
 * Linux takes paths of 4095 bytes, with all that is above: where a backup is restored to be proven, that is more than
 * where it was made.
 */
const LONGEST = 4000;

/** Whether a file at this path can be looked at wherever the backup is unpacked. */
export const isProvable = (path: Uint8Array): boolean => path.length <= LONGEST;

/** A path as text that names it alone, whatever its bytes are: itself where it is UTF-8. */
export function keyOf(path: Uint8Array): string {
  const bytes = Buffer.from(path);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : BYTES + bytes.toString("latin1");
}

export function pathOf(key: string): Buffer {
  return key.startsWith(BYTES) ? Buffer.from(key.slice(1), "latin1") : Buffer.from(key);
}

/**
 * A path as programs say it that write UTF-8 and nothing else: what is none became a sign of its own, for a byte or for
 * several. Two paths may look alike.
 */
export function lossy(path: string | Uint8Array): string {
  const text = typeof path === "string" ? path : Buffer.from(path).toString("utf8");
  return text.replace(/\uFFFD+/g, REPLACED);
}

/**
 * A key, or a text with names that somebody else chose, for people: in one line, left to right, with the bytes that are
 * no text as \xNN.
 */
export function shown(key: string): string {
  const bytes = key.startsWith(BYTES);
  const text = bytes ? key.slice(1) : key;
  // Control characters, and those that turn the direction of a text or break its line.
  const hidden = bytes
    ? /[\\\u0000-\u001f\u007f-\u00ff]/g
    : /[\\\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
  return text.replace(hidden, (sign) => {
    if (sign === "\\") return "\\\\";
    const code = sign.charCodeAt(0).toString(16);
    return bytes || code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}
