// What gives a secret away, by its name or by its value.

const SECRET_WORD =
  "PASS(WORD|WD|PHRASE)?|SECRETS?|TOKEN|CREDENTIALS?|PWD|" +
  "(PRIVATE|API|APP|ACCESS|SECRET|SIGNING|ENCRYPTION|MASTER)_?KEY";
const SECRET_NAME = new RegExp(`(^|_)(${SECRET_WORD})(_|$)`);
/** What is said of a secret, such as where it is and how long it holds, is none. */
const ABOUT = new RegExp(
  "_(FILE|PATH|TTL|LENGTH|ID|TIMEOUT|NAME|EXPIR\\w*|LIFETIME|BROKER|TABLE|COLUMN|DRIVER|GUARD|MODEL|HEADER|URL|" +
    "URI|HOST|ENDPOINT|PREFIX|ALGO(RITHM)?|ENABLED?|DISABLED?|MIN|MAX|ROUNDS|SECONDS|MINUTES|HOURS|DAYS|" +
    "ISSUER|AUDIENCE|TYPE|LEEWAY)$",
);

/** What Vite and its like put into every visitor's browser. */
const PUBLIC = /^(VITE|MIX|NEXT_PUBLIC)_/i;

/**
 * Whether a variable of this name holds a secret. Names of files, sizes and identifiers do not, nor does what is
 * public.
 */
export function isSecretName(key: string): boolean {
  const name = key.toUpperCase();
  return name !== "PWD" && SECRET_NAME.test(name) && !ABOUT.test(name) && !PUBLIC.test(name);
}

/** Forms that only secrets have. */
const SECRET_VALUES: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  // user:password@ in an address
  /:\/\/[^/\s:@]*:[^/\s@]+@/,
  /\b[sr]k_(live|test)_\w{8,}/,
  /\bwhsec_\w{8,}/,
  /\b(ghp|gho|ghs|ghu)_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bnpm_\w{20,}|\bdckr_pat_[\w-]{16,}/,
  /\bxox[abeprs]-[\w-]{10,}|hooks\.slack\.com\/services\/|discord(app)?\.com\/api\/webhooks\//,
  /\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{35}\b|\bshpat_[0-9a-f]{16,}|\bhf_\w{20,}/,
  /\bSG\.[\w-]{16,}\.[\w-]{16,}|\bkey-[0-9a-f]{32}\b/,
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/,
  /^base64:[A-Za-z0-9+/]{43}=$/,
];

/** Why a variable looks like a secret, to complete "its …"; undefined where it doesn't. */
export function looksSecret(name: string, value: string): "name" | "value" | undefined {
  if (/^(|\(?(null|empty|true|false)\)?)$/i.test(value)) return undefined;
  if (SECRET_VALUES.some((form) => form.test(value))) return "value";
  if (isSecretName(name)) return "name";
  // The key of a service: public ones say so (pk_…), or are words.
  return /(^|_)KEY$/i.test(name) && !PUBLIC.test(name) && !/^pk_/.test(value) && isRandom(value) ? "value" : undefined;
}

/** Letters and digits, long and mixed, as only a generator makes them. */
function isRandom(value: string): boolean {
  return /^[\w+/=-]{20,}$/.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value) && new Set(value).size >= 10;
}
