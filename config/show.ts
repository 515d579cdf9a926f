// A shorter text is in too many others to be recognised there.
const shortest = 8;

/**
 * A value as an error message may show it: in JSON, cut to a readable length. Containers are only named, because
 * anything can be inside, and so is a text that holds one of the given secrets or a password in an address.
 */
export function show(value: unknown, secrets: readonly string[] = []): string {
  if (typeof value === "object") return kind(value);
  const text = String(value);
  if (secrets.some((secret) => secret.length >= shortest && text.includes(secret)) || hasCredentials(text))
    return "a text that may be secret";
  return typeof value === "string" ? JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text) : text;
}

/** What a value is, without its content. */
export function kind(value: unknown): string {
  if (value === null) return "empty (null)";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : typeof value === "string" ? "a text" : `a ${typeof value}`;
}

/** Whether a text holds `user@` or `user:password@` of an address. */
export function hasCredentials(text: string): boolean {
  return /:\/\/[^/\s]*@/.test(text);
}
