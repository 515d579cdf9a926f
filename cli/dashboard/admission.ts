import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** What a request shows of itself. */
export interface Shown {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** What lets a browser in, made at each start. */
export interface Keys {
  /** Whoever has it may look. */
  readonly token: string;
  /**
   * The folder below which the page is. Browsers send a cookie to every port of a host, so to other sites of this
   * machine as well, but not outside its path; and none of them knows this one.
   */
  readonly folder: string;
}

export const makeKeys = (): Keys => ({
  token: randomBytes(24).toString("base64url"),
  folder: `/${randomBytes(9).toString("base64url")}/`,
});

const COOKIE = "drydock-dashboard";

/** Names of this machine itself. Another one that leads here is somebody else's page (DNS rebinding). */
const OWN = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;

export type Verdict =
  /** The part of the path that is asked for, below the folder. */
  | { readonly admitted: true; readonly path: string; readonly query: URLSearchParams }
  /** The token was right: it is kept in a cookie, and the address is left without it. */
  | { readonly enter: string; readonly cookie: string; readonly strange: boolean }
  | { readonly status: 400 | 403 | 404 | 405; readonly says: string };

/** Who may look, and at what. Nothing is done for anybody else. */
export function admit({ method, url, headers }: Shown, { token, folder }: Keys): Verdict {
  if (!OWN.test(headers.host ?? "")) return { status: 403, says: "this is not a name of this machine" };
  if (method !== "GET") return { status: 405, says: "this page can be looked at, and change nothing" };
  // A backslash is a slash to a URL: a host could be behind it.
  if (!/^\/(?![/\\])/.test(url) || !URL.canParse(url, "http://localhost"))
    return { status: 400, says: "that is no path" };
  const { pathname, searchParams: query } = new URL(url, "http://localhost");
  const given = query.get("token");
  const site = headers["sec-fetch-site"];
  if (given !== null && pathname === folder) {
    if (!same(given, token)) return { status: 403, says: NEEDS };
    const cookie = `${COOKIE}=${token}; Path=${folder}; HttpOnly; SameSite=Strict`;
    return { enter: folder, cookie, strange: site !== undefined && site !== "none" && site !== "same-origin" };
  }
  // Another page of this machine, whatever its port, is the same site to a browser and sends the cookie along.
  if (site === "cross-site" || site === "same-site") return { status: 403, says: "another page asked for this" };
  if (!same(cookieOf(headers.cookie), token)) return { status: 403, says: NEEDS };
  if (!pathname.startsWith(folder)) return { status: 404, says: "there is no such page" };
  return { admitted: true, path: pathname.slice(folder.length), query };
}

const NEEDS = "the address that ./drydock dashboard printed has a token: open that one";

function cookieOf(header = ""): string {
  const found = header.split(/;\s*/).find((one) => one.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? "";
}

/** In the same time, whatever is given. */
function same(given: string, token: string): boolean {
  const [a, b] = [given, token].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(a!, b!);
}
