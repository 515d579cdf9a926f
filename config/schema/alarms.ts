import { z } from "zod";
import { notEmpty, optional, port, preset, required, text, url } from "../fields.ts";

const mailAddress = () => text("an e-mail address", (value) => /^[^\s@<>]+@[^\s@<>]+$/.test(value), "ops@example.com");

/** An address that is a secret itself, as those of chats and monitors are. */
const secretUrl = (description: string) => url().optional().meta({ description, secret: true, computed: "none" });

/** A mail server, and who is told by it; the edge has its own as well. */
export const email = z
  .strictObject({
    to: required(mailAddress(), "Who is told"),
    from: required(mailAddress(), "Who it comes from"),
    host: required(text("a host name", notEmpty, "smtp.example.com"), "The mail server"),
    port: preset(port(), 587, "Its port"),
    security: preset(
      z.enum(["tls", "starttls", "none"]).meta({ expects: '"tls", "starttls" or "none"' }),
      "starttls",
      "How the connection is encrypted",
    ),
    username: optional(text("a user name", notEmpty), "The user on the mail server", "none"),
    password: text("a password", notEmpty)
      .optional()
      .meta({ description: "The password there", secret: true, computed: "none" }),
  })
  .meta({ expects: "an object with to, from and host" });

const telegram = z
  .strictObject({
    chat: required(
      text("the number of a chat", (value) => /^-?\d{1,18}$/.test(value), "-1001234567890"),
      "The chat",
    ),
    token: text("a bot's token, such as 123456:ABC", (value) => /^\d+:[\w-]+$/.test(value))
      .optional()
      .meta({ description: "The token of the bot that writes there", secret: true, computed: "**required**" }),
  })
  .meta({ expects: "an object with chat and token" });

/** What the earlier place, `backup.alarms`, has too. */
export const earlierAlarms = z.strictObject({
  email: optional(email, "Mail for each alarm and its end, and for each backup", "none"),
  webhook: secretUrl("An address that gets the same as JSON, by POST"),
  heartbeat: secretUrl(
    "An address that is called by POST every five minutes while the agent runs and has no alarm: " +
      "a service outside that tells when the calls stop, for who is stopped tells nobody",
  ),
});

/** Who is told when something is wrong, and when it is over. */
export const alarms = earlierAlarms.extend({
  slack: secretUrl("The address of an incoming webhook of Slack, or of what takes the same, such as Mattermost"),
  discord: secretUrl("The address of a webhook of Discord"),
  telegram: optional(telegram, "A chat of Telegram", "none"),
});
