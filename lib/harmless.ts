/** What a terminal obeys, but for tabs: both sets of control characters, and what turns the direction of a text. */
const OBEYED = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

const sign = (character: string): string => {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return code < 0x100 ? `\\x${code.toString(16)}` : `\\u${code.toString(16)}`;
};

/** A text that somebody else has written, in one line: what a terminal would obey is seen instead. */
export const harmless = (text: string): string => text.replace(OBEYED, sign);

/** The same of a text that may have lines, as pages show it. */
export const harmlessLines = (text: string): string => text.split("\n").map(harmless).join("\n");
