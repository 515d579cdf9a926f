import { z } from "zod";

// Types of variables. All take and give a text; `expects` completes "expected …" in an error.

const text = (expects: string, accepts: (value: string) => boolean) => z.string().refine(accepts).meta({ expects });

/** A text in one line. */
export const line = () => text("a text in one line", (value) => /^[^\u0000-\u001f\u007f]+$/.test(value));

/** A password that fits into every server's configuration as it is. Its strength is judged elsewhere. */
export const password = () => text(existingExpects, isPassword);

export const passwordExpects = "at least 32 visible ASCII characters without quotes and backslashes";

/** What an existing password has to be like to fit into every server's configuration. */
const existingExpects = "visible ASCII characters without quotes and backslashes";

/** A shell command that prints a good one. */
export const passwordGenerator = "openssl rand -hex 24";

export function isPassword(value: string): boolean {
  return /^[\x21-\x7e]+$/.test(value) && !/["'`\\]/.test(value);
}

/** Names with commas between them. */
export const words = () => text("names, with commas between them", (value) => /^[\w.-]+(\s*,\s*[\w.-]+)*$/.test(value));

/** A name without spaces. */
export const word = () => text("a name without spaces", (value) => /^[\w.:@/-]+$/.test(value));

export const oneOf = (...values: string[]) =>
  text(values.length === 1 ? `${values[0]}` : `one of ${values.join(", ")}`, (value) => values.includes(value));

/** A name that the application's configuration may have made; one that is near a known name is probably misspelt. */
export const known = (...values: string[]) =>
  text(`a name, such as ${values.join(", ")}`, (value) => /^[\w.:@/-]+$/.test(value)).meta({ known: values });

/** Like `known`, but for what is inside one container, and lost to the other replicas. */
export const shared = (...values: string[]) => {
  const own = ["file", "array", "apc", "apcu", "octane"];
  return text(
    `a store that all replicas share, such as ${values.join(", ")}: ${own.join(", ")} are inside one container`,
    (value) => /^[\w.:@/-]+$/.test(value) && !own.includes(value),
  ).meta({ known: values });
};

/** A boolean; "1", "yes" and "on" are normalised, so that PHP never sees the text "false" as true. */
export const flag = () =>
  z
    .stringbool()
    .transform((value) => String(value))
    .meta({ expects: "true or false" });

/** What an address on the web is, as a variable and as a setting. */
export const urlExpects = "an address that begins with http:// or https://";

export function isUrl(value: string): boolean {
  return /^https?:\/\/[^\s"'<>]+$/.test(value) && URL.canParse(value);
}

export const url = () => text(urlExpects, isUrl);

export const email = () => text("an e-mail address", (value) => z.email().safeParse(value).success);

export const host = () => text("a host name", (value) => /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value));

export const port = () =>
  text("a port from 1 to 65535", (value) => /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535);

export const seconds = () => text("a whole number of seconds", (value) => /^[1-9]\d{0,6}$/.test(value));

export const days = () => text("a whole number of days", (value) => /^[1-9]\d{0,4}$/.test(value));

/** A name in the database. */
export const identifier = (length: number) =>
  text(
    `at most ${length} letters, digits, underscores and hyphens, beginning with a letter or a digit`,
    (value) => /^[A-Za-z0-9][\w-]*$/.test(value) && value.length <= length,
  );

/** Why no other name will do for a server of the stack. */
export const ownServer =
  "the name of the stack's own server in its network: a name of another set-up is not known there, " +
  "and localhost and 127.0.0.1 would be the container itself (incident 11)";

export const databaseDriver = () =>
  text(
    "mariadb or mysql: with sqlite each replica would have a database of its own, " +
      "lost at the next release (incident 2)",
    (value) => value === "mariadb" || value === "mysql",
  );

function isKey(value: string): boolean {
  if (!/^base64:[A-Za-z0-9+/]{43}=$/.test(value)) return false;
  const bytes = Buffer.from(value.slice("base64:".length), "base64");
  return bytes.length === 32 && new Set(bytes).size >= 8;
}

export const appKey = () => text("base64: and 32 random bytes in base64", isKey);

export const appKeys = () => text("keys like APP_KEY, separated by commas", (value) => value.split(",").every(isKey));
