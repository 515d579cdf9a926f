import { isIP } from "node:net";
import { z } from "zod";
import { CliError, Exit } from "../shared/errors.ts";

/** The largest page of one's own, in bytes. */
export const PAGE_LIMIT = 512 * 1024;

/** What visitors read while data is being restored. */
export const RESTORING = "Data is being restored.";

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));

/**
 * All that maintenance mode is, as it is kept in the proxy's volume and in an export. It holds a secret: the file
 * belongs to the proxy's user, and only the backup agent reads it besides.
 */
const maintenanceSchema = z.strictObject({
  version: z.literal(1),
  /** When it was switched on: ISO 8601. */
  since: z.iso.datetime(),
  /** Who did: user@machine. */
  by: z.string().max(200),
  /** Addresses and ranges that get the site. */
  allow: z.array(z.string().refine(isAddressRange)).max(1000),
  /** In seconds. */
  retryAfter: z.int().min(1).max(604_800),
  /** Shown on the generated page. */
  message: z.string().min(1).max(2000),
  /** The HTML of the user's own page; null: one is generated. */
  page: z.string().max(PAGE_LIMIT).nullable(),
  /** The path that gives a visitor the cookie, and what the cookie holds; null: nobody gets in this way. */
  pass: z.strictObject({ path: hex(32), cookie: hex(32) }).nullable(),
});

export type Maintenance = z.infer<typeof maintenanceSchema>;

/** An IPv4 or IPv6 address, alone or with the length of a network's prefix. */
export function isAddressRange(value: string): boolean {
  const [ip = "", bits, ...rest] = value.split("/");
  const family = isIP(ip);
  if (family === 0 || ip.includes("%") || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** What a command line asks for; what is left out stays as it is, or gets its default. */
export interface Wish {
  readonly allow?: readonly string[];
  readonly retryAfter?: string;
  readonly message?: string;
  readonly page?: Uint8Array;
  /** true: one is made, unless there is one; false: none. */
  readonly secret?: boolean;
}

const DEFAULTS = { retryAfter: 300, message: "We are down for maintenance and will be back soon." } as const;

const wrong = (what: string, remedy: string): CliError =>
  new CliError({ what: `${what}; nothing was changed`, remedy, code: Exit.usage });

/**
 * Joins what is asked for with what is in force.
 * @param random makes 32 hexadecimal digits that nobody can guess
 * @throws CliError (usage) where a value is not valid: it never reaches the proxy
 */
export function wanted(
  wish: Wish,
  current: Maintenance | undefined,
  { by, now, random }: { readonly by: string; readonly now: Date; readonly random: () => string },
): Maintenance {
  const { allow, retryAfter, message, page, secret } = wish;
  for (const range of allow ?? []) {
    if (!isAddressRange(range))
      throw wrong(
        `--allow is "${range}", which is no address and no range`,
        "./drydock maintenance on --allow 203.0.113.7 --allow 10.0.0.0/8",
      );
  }
  const wait = retryAfter === undefined ? (current?.retryAfter ?? DEFAULTS.retryAfter) : Number(retryAfter);
  if (!/^\d{1,6}$/.test(retryAfter ?? "1") || wait < 1 || wait > 604_800) {
    throw wrong(
      `--retry-after is "${retryAfter}", expected seconds: a whole number from 1 to 604800 (a week)`,
      "./drydock maintenance on --retry-after 600",
    );
  }
  const said = message?.trim();
  if (said !== undefined && (said === "" || said.length > 2000))
    throw wrong(
      `--message has ${said.length} characters, expected 1 to 2000`,
      './drydock maintenance on --message "Back at 14:00."',
    );
  if (said !== undefined && page !== undefined)
    throw wrong("--message is for the generated page, and --page is a page of your own", "leave one of them out");
  return {
    version: 1,
    since: current?.since ?? now.toISOString(),
    by,
    allow: [...(allow ?? current?.allow ?? [])],
    retryAfter: wait,
    message: said ?? current?.message ?? DEFAULTS.message,
    page: page !== undefined ? htmlOf(page) : said !== undefined ? null : (current?.page ?? null),
    pass:
      secret === false
        ? null
        : secret === true
          ? (current?.pass ?? { path: random(), cookie: random() })
          : (current?.pass ?? null),
  };
}

/** @throws CliError (usage) where the bytes are not a page that any browser shows */
export function htmlOf(bytes: Uint8Array): string {
  const remedy =
    "one HTML file in UTF-8, with its styles and images (data: URLs) inside; or: " +
    "./drydock maintenance on --message TEXT";
  if (bytes.byteLength > PAGE_LIMIT)
    throw wrong(`--page has ${bytes.byteLength} bytes, and ${PAGE_LIMIT} are the limit`, remedy);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw wrong("--page is not text in UTF-8", remedy);
  }
  if (text.includes("\0") || !/<[a-z!][^>]*>/i.test(text)) throw wrong("--page is not HTML", remedy);
  return text;
}

/** What a page asks the site for while the site is closed: it won't be there. */
export function closedReferences(html: string): readonly string[] {
  const found = [...html.matchAll(/\b(?:src|href)\s*=\s*["']?([^"'\s>]+)/gi)].map(([, reference = ""]) => reference);
  return [...new Set(found.filter((reference) => !/^(?:[a-z][a-z0-9+.-]*:|\/\/|#)/i.test(reference)))];
}

/**
 * Reads what an export, or the volume, says.
 * @throws CliError naming what is wrong in it, without its values
 */
export function readState(text: string, where: string): Maintenance {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CliError({ what: `${where} is not JSON` });
  }
  const parsed = maintenanceSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const paths = [...new Set(parsed.error.issues.map(({ path }) => (path.length === 0 ? "the whole" : path.join("."))))];
  throw new CliError({ what: `${where} is not valid in: ${paths.join(", ")}` });
}
