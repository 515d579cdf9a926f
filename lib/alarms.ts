import { z } from "zod";
import { StateFile } from "./stateFiles.ts";

const alarmSchema = z.object({ name: z.string(), since: z.string(), message: z.string() });
type Alarm = Readonly<z.infer<typeof alarmSchema>>;

/** What is sent: the same by each way. `at` is ISO 8601, UTC. */
export interface Notice {
  readonly kind: "alarm" | "over" | "report";
  readonly stack: string;
  readonly name: string;
  readonly message: string;
  readonly at: string;
}

/** A way to somebody. Its promise fails where the notice did not arrive. */
export interface Way {
  readonly name: string;
  readonly send: (notice: Notice) => Promise<void>;
}

export interface MailServer {
  readonly to: string;
  readonly from: string;
  readonly host: string;
  readonly port: number;
  readonly security: "starttls" | "tls" | "none";
  readonly username?: string | undefined;
}

/** What is wrong at present. Each is said once when it begins and once when it is over, also across a restart. */
export class Alarms {
  readonly file: StateFile<readonly Alarm[]>;
  readonly #stack: string;
  readonly #ways: readonly Way[];
  readonly #log: (level: "info" | "error", message: string) => void;

  constructor(args: {
    readonly stack: string;
    /** JSON, where what is wrong is kept. */
    readonly path: string;
    readonly ways: readonly Way[];
    readonly log: (level: "info" | "error", message: string) => void;
  }) {
    this.file = new StateFile<readonly Alarm[]>(args.path, z.array(alarmSchema), []);
    this.#stack = args.stack;
    this.#ways = args.ways;
    this.#log = args.log;
  }

  get current(): readonly Alarm[] {
    return this.file.value;
  }

  /** @param message what is wrong; undefined where nothing is */
  async set(name: string, message: string | undefined): Promise<void> {
    const known = this.current.find((alarm) => alarm.name === name);
    if (message !== undefined && known === undefined) {
      this.file.value = [...this.current, { name, since: new Date().toISOString(), message }];
      this.#log("error", `alarm ${name}: ${message}`);
      await this.#send("alarm", name, message);
    } else if (message === undefined && known !== undefined) {
      this.file.value = this.current.filter((alarm) => alarm !== known);
      this.#log("info", `over: ${name}`);
      await this.#send("over", name, `It was: ${known.message}`);
    }
  }

  async report(name: string, message: string): Promise<void> {
    await this.#send("report", name, message);
  }

  async #send(kind: Notice["kind"], name: string, message: string): Promise<void> {
    const notice: Notice = { kind, stack: this.#stack, name, message, at: new Date().toISOString() };
    for (const way of this.#ways)
      await way
        .send(notice)
        .catch((error: Error) =>
          this.#log("error", `the ${kind} ${name} could not be sent by ${way.name}: ${error.message}`),
        );
  }
}

/** What it is about, in one line. */
export function titleOf({ kind, stack, name }: Notice): string {
  return `[drydock ${stack}] ${{ alarm: "ALARM", over: "over", report: "report" }[kind]}: ${name}`;
}

/** @param advice commands that show more of what is wrong */
export function mailOf(notice: Notice, advice: string): { subject: string; text: string } {
  const { kind, stack, message, at } = notice;
  const see = kind === "alarm" ? `\n\nSee: ${advice}` : "";
  return {
    subject: titleOf(notice),
    text: `${message}\n\nStack: ${stack}\nTime: ${at}${see}\n`,
  };
}

/** Fails where the server doesn't take it, or not encrypted as it is to be. `password` is read each time. */
export function byMail(server: MailServer, password: () => string | undefined, advice: string): Way {
  const send = async (notice: Notice): Promise<void> => {
    const { createTransport } = await import("nodemailer");
    const transport = createTransport({
      host: server.host,
      port: server.port,
      secure: server.security === "tls",
      requireTLS: server.security === "starttls",
      ignoreTLS: server.security === "none",
      connectionTimeout: 10_000,
      socketTimeout: 20_000,
      ...(server.username === undefined ? {} : { auth: { user: server.username, pass: password() ?? "" } }),
    });
    await transport.sendMail({ from: server.from, to: server.to, ...mailOf(notice, advice) });
  };
  return { name: "mail", send };
}

/** Nothing is sent where there is no address. It is read each time. */
export function byWebhook(address: () => string | undefined): Way {
  const send = async (notice: Notice): Promise<void> => {
    const to = address();
    if (to !== undefined) await post(to, notice);
  };
  return { name: "webhook", send };
}

/** Sends JSON. @throws Error in words where nobody takes it within 15 s */
export async function post(address: string, value: object): Promise<void> {
  let response: Response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(value),
      signal: AbortSignal.timeout(15_000),
    });
  } catch (error) {
    const cause = (error as Error).cause ?? error;
    throw new Error(`it can't be reached: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (!response.ok) throw new Error(`it answered ${response.status}`);
}
