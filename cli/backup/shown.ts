/**
 * A text that was chosen by somebody else, for a message: what a terminal would obey, or would hide, is shown as its
 * code.
 */
export const shown = (value: string): string =>
  value.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\ufffd]/gu, (sign) =>
    sign === "\n" ? "\n" : `\\u{${sign.codePointAt(0)!.toString(16)}}`,
  );
/** Such a name: without line breaks too. */
export const shownName = (name: string): string => shown(name).replaceAll("\n", "\\u{a}");
