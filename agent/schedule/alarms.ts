import { join } from "node:path";
import { z } from "zod";
import { type Configuration, FOLDERS, type Status } from "../../contracts/agent.ts";
import { readSecret } from "../shared/configuration.ts";
import { messageOf } from "../shared/errors.ts";
import type { Reporter } from "../shared/events.ts";
import { StateFile } from "../shared/stateFiles.ts";

type Alarm = Status["alarms"][number];
const FILE = join(FOLDERS.backups, "state", "alarms.json");
const alarmSchema = z.object({ name: z.string(), since: z.string(), message: z.string() });

/** What is sent: the same to mail and webhook. */
export interface Notice {
  readonly kind: "alarm" | "over" | "report";
  readonly stack: string;
  readonly name: string;
  readonly message: string;
  readonly at: string;
}

export function mailOf({ kind, stack, name, message, at }: Notice): {
  readonly subject: string;
  readonly text: string;
} {
  const word = { alarm: "ALARM", over: "over", report: "report" }[kind];
  const advice =
    kind === "alarm" ? "\n\nSee: ./drydock backup status; ./drydock backup health; ./drydock backup logs" : "";
  return {
    subject: `[drydock ${stack}] ${word}: ${name}`,
    text: `${message}\n\nStack: ${stack}\nTime: ${at}${advice}\n`,
  };
}

/** What is wrong at present. Each is said once when it begins and once when it is over, also across a restart. */
export class Alarms {
  readonly file: StateFile<readonly Alarm[]>;

  constructor(
    readonly configuration: Configuration,
    readonly reporter: Reporter,
    path = FILE,
  ) {
    this.file = new StateFile<readonly Alarm[]>(path, z.array(alarmSchema), []);
  }

  get current(): readonly Alarm[] {
    return this.file.value;
  }

  /** @param message what is wrong; undefined where nothing is */
  async set(name: string, message: string | undefined): Promise<void> {
    const known = this.current.find((alarm) => alarm.name === name);
    if (message !== undefined && known === undefined) {
      this.file.value = [...this.current, { name, since: new Date().toISOString(), message }];
      this.reporter.log("error", `alarm ${name}: ${message}`);
      await this.#send("alarm", name, message);
    } else if (message === undefined && known !== undefined) {
      this.file.value = this.current.filter((alarm) => alarm !== known);
      this.reporter.log("info", `over: ${name}`);
      await this.#send("over", name, `It was: ${known.message}`);
    }
  }

  async report(name: string, message: string): Promise<void> {
    await this.#send("report", name, message);
  }

  async #send(kind: Notice["kind"], name: string, message: string): Promise<void> {
    const notice: Notice = { kind, stack: this.configuration.stack, name, message, at: new Date().toISOString() };
    for (const [way, send] of [
      ["mail", () => sendMail(this.configuration, notice)],
      ["webhook", () => callWebhook(notice)],
    ] as const) {
      await send().catch((error: unknown) =>
        this.reporter.log("error", `the ${kind} ${name} could not be sent by ${way}: ${messageOf(error)}`),
      );
    }
  }
}

/** Sends by mail what is wrong. @throws where the server doesn't take it, or not as it is to be encrypted */
export async function sendMail({ email }: Pick<Configuration, "email">, notice: Notice): Promise<void> {
  if (email === undefined) return;
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    host: email.host,
    port: email.port,
    secure: email.security === "tls",
    requireTLS: email.security === "starttls",
    ignoreTLS: email.security === "none",
    connectionTimeout: 10_000,
    socketTimeout: 20_000,
    ...(email.username === undefined ? {} : { auth: { user: email.username, pass: readSecret("smtpPassword") ?? "" } }),
  });
  await transport.sendMail({ from: email.from, to: email.to, ...mailOf(notice) });
}

async function callWebhook(notice: Notice): Promise<void> {
  const address = readSecret("webhook");
  if (address !== undefined) await post(address, notice);
}

/** Says to a service outside that the agent lives and all is well; who hears nothing for some time tells somebody. */
export async function sendHeartbeat({ stack }: Configuration): Promise<void> {
  const address = readSecret("heartbeat");
  if (address !== undefined) await post(address, { kind: "heartbeat", stack, at: new Date().toISOString() });
}

async function post(address: string, value: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  let response: Response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers,
      body: JSON.stringify(value),
      signal: AbortSignal.timeout(15_000),
    });
  } catch (error) {
    throw new Error(`it can't be reached: ${messageOf((error as Error).cause ?? error)}`);
  }
  if (!response.ok) throw new Error(`it answered ${response.status}`);
}
