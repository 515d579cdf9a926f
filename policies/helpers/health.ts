import type { Item } from "./values.ts";

/** The port and path that a health check asks. */
export interface Endpoint {
  readonly port: number;
  readonly path: string;
  /** Property that says so. */
  readonly at: string;
}

const URL_ = /\b(https?):\/\/(?:\[[^\]]{0,60}\]|[\w.-]+)(?::(\d+))?(\/[^\s"'?#|;)]*)?/;
const HOST_AND_PORT = /(?:^|[\s"'=])(?:[\w.-]+|\[[^\]]{0,60}\]):(\d{2,5})(?=$|[\s"'])/;

/**
 * Finds the endpoint in the words of a health check: a URL, or HOST:PORT and the path in the next word, as clients of
 * FastCGI take it (also as SCRIPT_NAME or REQUEST_URI).
 */
export function healthEndpoint(words: readonly Item<string>[]): Endpoint | undefined {
  for (const { value, path: at } of words) {
    const [, scheme, port, path] = URL_.exec(value) ?? [];
    if (scheme !== undefined)
      return { port: port === undefined ? (scheme === "https" ? 443 : 80) : Number(port), path: path ?? "/", at };
  }
  for (const [i, { value, path: at }] of words.entries()) {
    const match = HOST_AND_PORT.exec(value);
    if (match === null) continue;
    const named = words
      .map((word) => /(?:SCRIPT_NAME|REQUEST_URI)=["']?(\/[^\s"']*)/.exec(word.value)?.[1])
      .find((path) => path !== undefined);
    const rest =
      value
        .slice(match.index + match[0].length)
        .trim()
        .split(/\s+/)[0] ?? "";
    const next = rest.startsWith("/") ? rest : words[i + 1]?.value;
    return { port: Number(match[1]), path: named ?? (next?.startsWith("/") ? next : "/"), at };
  }
  return undefined;
}

const NOTHING = /^(?::|true|\/(?:usr\/)?bin\/true|exit\s+0|exit|echo|printf|sleep|date|test\s+1|\[\s+1\s+\])(?=\s|$)/;
const SWALLOWED = /(?:\|\||;|\n)\s*(?::|true|\/(?:usr\/)?bin\/true|exit\s+0|echo(?:\s[^;&|\n]*)?)\s*;?\s*$/;

/** Whether a health check succeeds whatever happens: it does nothing, or it throws away what it found. */
export function cannotFail(tests: readonly string[]): boolean {
  const [form = "", ...words] = tests;
  const [first = "", ...rest] = form === "CMD" ? words : ["sh", "-c", words.join(" ")];
  const flag = rest.findIndex((word) => /^-[a-z]*c$/.test(word));
  const isShell = /(^|\/)(ba|da|a|z|k)?sh$/.test(first) && flag >= 0;
  const line = (isShell ? (rest[flag + 1] ?? "") : [first, ...rest].join(" ")).trim();
  if (line === "") return true;
  if (!isShell) return NOTHING.test(line);
  return (
    SWALLOWED.test(line) ||
    line.split(/&&|\|\||[;&|\n]/).every((command) => command.trim() === "" || NOTHING.test(command.trim()))
  );
}
