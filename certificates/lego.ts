import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { KeeperSettings } from "../contracts/certificates.ts";
import { writeAtomically } from "../lib/stateFiles.ts";
import { type Folders, fileName } from "./folders.ts";
import { run } from "./run.ts";

/** lego 4's command line, and nothing else of it: version 5 has another. */
export class Lego {
  readonly #settings: KeeperSettings;
  readonly #folders: Folders;
  readonly #secret: (name: "dns" | "eab") => string | undefined;
  /** By authority, the end of what makes an account there now. */
  readonly #making = new Map<string, Promise<void>>();

  constructor(settings: KeeperSettings, folders: Folders, secret: (name: "dns" | "eab") => string | undefined) {
    this.#settings = settings;
    this.#folders = folders;
    this.#secret = secret;
  }

  /** Proves a name to the authority for trials. @throws Error why that failed */
  async rehearse(name: string): Promise<void> {
    const { staging } = this.#settings;
    if (staging !== undefined) await this.#call(staging, name, ["run"]);
  }

  /**
   * Gets a certificate, or a new one where the authority or its age says so.
   * @returns chain and key
   * @throws Error why that failed
   */
  async obtain(name: string): Promise<string> {
    const { ca } = this.#settings;
    const has = this.kept(name) !== undefined;
    await this.#call(ca, name, has ? ["renew", "--dynamic", "--no-random-sleep"] : ["run"]);
    const kept = this.kept(name);
    if (kept === undefined) throw new Error("lego ended well, and has left no certificate");
    return kept;
  }

  /** What was signed last. */
  kept(name: string): string | undefined {
    const file = (ending: string) =>
      join(this.#folderOf(this.#settings.ca), "certificates", `${fileName(name)}.${ending}`);
    const [chain, key] = [file("crt"), file("key")];
    if (!existsSync(chain) || !existsSync(key)) return undefined;
    return `${readFileSync(chain, "utf8").trim()}\n${readFileSync(key, "utf8").trim()}\n`;
  }

  /** One for each authority: their accounts and their certificates are not to be confused. */
  #folderOf(server: string): string {
    return join(this.#folders.accounts, createHash("sha256").update(server).digest("hex").slice(0, 12));
  }

  async #call(server: string, name: string, command: readonly string[]): Promise<void> {
    const { email = "", challenge, dns, dnsWait, eab, resolvers, roots } = this.#settings;
    const path = this.#folderOf(server);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const byDns = challenge === "dns-01" || name.startsWith("*.");
    if (byDns && dns === undefined)
      throw new Error("it needs dns-01, and nobody says who serves the zone: set drydock:edge.dns of the edge's stack");
    const waiting = dnsWait === undefined ? [] : ["--dns.propagation-wait", `${dnsWait}s`];
    const how = byDns
      ? ["--dns", dns!, ...waiting]
      : ["--http", "--http.webroot", join(this.#folders.certificates, "challenge")];
    const variables = byDns ? (JSON.parse(this.#secret("dns") ?? "{}") as Record<string, string>) : {};
    // An account's key is one authority's: the one for trials knows nothing of it.
    const hmac = eab === undefined || server !== this.#settings.ca ? undefined : this.#secret("eab");
    if (!byDns) mkdirSync(join(this.#folders.certificates, "challenge"), { recursive: true });
    const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: "/tmp", ...variables };
    if (hmac !== undefined) Object.assign(env, { LEGO_EAB_KID: eab, LEGO_EAB_HMAC: hmac });
    if (roots !== undefined) {
      const file = join(this.#folders.accounts, "roots.pem");
      writeAtomically(file, roots);
      env["LEGO_CA_CERTIFICATES"] = file;
    }
    const words = (what: readonly string[]) => [
      ...["--path", path, "--server", server, "--email", email, "--accept-tos", "--key-type", "ec256"],
      ...["--domains", name, ...how, ...resolvers.flatMap((one) => ["--dns.resolvers", one])],
      ...(hmac === undefined ? [] : ["--eab"]),
      ...what,
    ];
    const account = join(path, "accounts");
    const accountNow = () => (existsSync(account) ? statSync(account).ino : undefined);
    const before = accountNow();
    const first = () => run("lego", words(command), env);
    try {
      await (before === undefined || this.#making.has(server) ? this.#alone(server, first) : first());
    } catch (error) {
      // An authority that was set up anew knows no account of before: this name, and all others, would fail for ever.
      const { message } = error as Error;
      const forgotten = /acme:error:accountDoesNotExist/.test(message) && before !== undefined;
      if (!forgotten && !/is not registered\. Use 'run'/.test(message)) throw error;
      await this.#alone(server, async () => {
        // Another name may have put it away already, and made a new one.
        if (forgotten && accountNow() === before) renameSync(account, `${account}.forgotten-${Date.now()}`);
        // It makes an account; to renew would ask for the one that is gone.
        await run("lego", words(["run"]), env);
      });
    }
  }

  /** After all others that make an account with that authority: one is enough for all names. */
  async #alone(server: string, what: () => Promise<unknown>): Promise<void> {
    const turn = (this.#making.get(server) ?? Promise.resolve()).then(what);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#making.set(server, ended);
    await ended;
    if (this.#making.get(server) === ended) this.#making.delete(server);
    await turn;
  }
}
