import { z } from "zod";
import type { KeeperSettings, KeeperStatus } from "../contracts/certificates.ts";
import { readIf, replace } from "./folders.ts";

type Alarm = KeeperStatus["alarms"][number];

const schema = z.array(z.object({ name: z.string(), since: z.string(), message: z.string() }));

/** What is said to the outside: by mail and by a webhook, as the stacks' backup agents say it. */
interface Notice {
  readonly kind: "alarm" | "over";
  readonly stack: string;
  readonly name: string;
  readonly message: string;
  readonly at: string;
}

/** Sends one; throws where that fails. */
export type Send = (notice: Notice) => Promise<void>;

/** What is wrong at present: each is said once when it begins and once when it is over, across restarts too. */
export class Alarms {
  readonly #stack: string;
  readonly #file: string;
  readonly #ways: readonly Send[];
  readonly #log: (level: "info" | "error", line: string) => void;
  #current: readonly Alarm[];

  constructor(
    stack: string,
    file: string,
    ways: readonly Send[],
    log: (level: "info" | "error", line: string) => void,
  ) {
    this.#stack = stack;
    this.#file = file;
    this.#ways = ways;
    this.#log = log;
    this.#current = read(file);
  }

  get current(): readonly Alarm[] {
    return this.#current;
  }

  /** @param message what is wrong; undefined where nothing is */
  async set(name: string, message: string | undefined): Promise<void> {
    const known = this.#current.find((alarm) => alarm.name === name);
    if ((message === undefined) === (known === undefined)) return;
    const at = new Date().toISOString();
    this.#current =
      message === undefined
        ? this.#current.filter((alarm) => alarm !== known)
        : [...this.#current, { name, since: at, message }];
    replace(this.#file, JSON.stringify(this.#current));
    this.#log(message === undefined ? "info" : "error", message === undefined ? `over: ${name}` : `alarm: ${message}`);
    const notice: Notice = {
      kind: message === undefined ? "over" : "alarm",
      stack: this.#stack,
      name,
      message: message ?? `It was: ${known!.message}`,
      at,
    };
    for (const send of this.#ways)
      await send(notice).catch((error: Error) => this.#log("error", `the alarm could not be sent: ${error.message}`));
  }
}

function read(file: string): readonly Alarm[] {
  try {
    return schema.parse(JSON.parse(readIf(file) ?? "[]"));
  } catch {
    return [];
  }
}

export function byMail(mail: NonNullable<KeeperSettings["mail"]>, password: string | undefined): Send {
  return async ({ kind, stack, name, message, at }) => {
    const { createTransport } = await import("nodemailer");
    const transport = createTransport({
      host: mail.host,
      port: mail.port,
      secure: mail.security === "tls",
      requireTLS: mail.security === "starttls",
      ignoreTLS: mail.security === "none",
      connectionTimeout: 10_000,
      socketTimeout: 20_000,
      ...(mail.username === undefined ? {} : { auth: { user: mail.username, pass: password ?? "" } }),
    });
    await transport.sendMail({
      from: mail.from,
      to: mail.to,
      subject: `[drydock ${stack}] ${kind === "alarm" ? "ALARM" : "over"}: ${name}`,
      text: `${message}\n\nTime: ${at}\n\nSee: ./drydock edge certificates\n`,
    });
  };
}

export function byWebhook(address: string): Send {
  return async (notice) => {
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(notice),
      signal: AbortSignal.timeout(15_000),
    });
    if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
  };
}
