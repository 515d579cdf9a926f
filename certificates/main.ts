import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type KeeperSettings, RUN, SECRETS } from "../contracts/certificates.ts";
import { Alarms, byMail, byWebhook } from "../lib/alarms.ts";
import { type Folders, readIf } from "./folders.ts";
import { Keeper, type Makers } from "./keeper.ts";
import { Lego } from "./lego.ts";
import { localRoot, placeholder, signedLocally } from "./openssl.ts";
import { preflight } from "./preflight.ts";

/** Until the next look at what stacks want, in ms: a new name is seen that soon. */
const PAUSE = 2_000;

const folders: Folders = { state: "/var/lib/drydock", certificates: "/certs", accounts: "/accounts" };
const settings = JSON.parse(readFileSync(join(RUN, "settings.json"), "utf8")) as KeeperSettings;
const secret = (name: keyof typeof SECRETS): string | undefined => readIf(join(RUN, SECRETS[name]))?.replace(/\n$/, "");
const log: Makers["log"] = (level, line) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message: line })}\n`);
};

const scratch = "/tmp/made";
const local = join(folders.accounts, "local");
const lego = new Lego(settings, folders, secret);
const advice = "./drydock edge certificates";
const alarms = new Alarms({
  stack: settings.stack,
  path: join(folders.accounts, "alarms.json"),
  ways: [
    ...(settings.mail === undefined ? [] : [byMail(settings.mail, () => secret("smtp"), advice)]),
    byWebhook(() => secret("webhook")),
  ],
  log,
});
const keeper = new Keeper(
  settings,
  folders,
  {
    rehearse: (name) => lego.rehearse(name),
    obtain: (name) => lego.obtain(name),
    kept: (name) => lego.kept(name),
    placeholder: (name) => placeholder(scratch, name),
    local: (name) => signedLocally(local, name),
    preflight: (name) => preflight(name, settings, folders),
    now: () => Date.now(),
    log,
  },
  alarms,
);

for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
if (settings.ca === "local") await localRoot(local);
log("info", `certificates of ${settings.ca === "local" ? "this edge's own authority" : settings.ca}`);
for (;;) {
  await keeper.look().catch((error: Error) => log("error", error.message));
  await sleep(PAUSE);
}
