import { join } from "node:path";
import { type Configuration, FOLDERS } from "../../contracts/agent.ts";
import { Alarms, byMail, byWebhook, post } from "../../lib/alarms.ts";
import { byDiscord, bySlack, byTelegram } from "../../lib/chats.ts";
import { readSecret } from "../shared/configuration.ts";
import type { Reporter } from "../shared/events.ts";

/** Commands that an alarm's mail names. */
export const ADVICE = "./drydock backup status; ./drydock backup health; ./drydock backup logs";

export function alarmsOf(
  { stack, email, telegram }: Pick<Configuration, "stack" | "email" | "telegram">,
  reporter: Pick<Reporter, "log">,
  path = join(FOLDERS.backups, "state", "alarms.json"),
): Alarms {
  return new Alarms({
    stack,
    path,
    ways: [
      ...(email === undefined ? [] : [byMail(email, () => readSecret("smtpPassword"), ADVICE)]),
      byWebhook(() => readSecret("webhook")),
      bySlack(() => readSecret("slack")),
      byDiscord(() => readSecret("discord")),
      ...(telegram === undefined ? [] : [byTelegram(telegram, () => readSecret("telegram"))]),
    ],
    log: (level, message) => reporter.log(level, message),
  });
}

/** Says to a service outside that the agent lives and all is well; who hears nothing for some time tells somebody. */
export async function sendHeartbeat({ stack }: Configuration): Promise<void> {
  const address = readSecret("heartbeat");
  if (address !== undefined) await post(address, { kind: "heartbeat", stack, at: new Date().toISOString() });
}
