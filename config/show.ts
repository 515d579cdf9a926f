/**
 * A value as an error message may show it: in JSON, cut to a readable length. Containers are only named, because
 * anything can be inside, and so is a text that holds one of the given secrets or a password in an address.
 */
export function show(value: unknown, secrets: readonly string[] = []): string {
  if (value === null) return "nothing (null)";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = String(value);
  if (secrets.some((secret) => secret.length >= 4 && text.includes(secret)) || /:\/\/[^/\s]*@/.test(text)) return "a text that may be secret";
  return typeof value === "string" ? JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text) : text;
}
