import { execFileSync, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Clone, docker, type Status } from "../clone.ts";

/** What somebody who is told has got: as drydock:alarms.webhook sends it. */
export interface Notice {
  readonly kind: "alarm" | "over" | "heartbeat";
  readonly name?: string;
  readonly message?: string;
}

/** A mail that somebody has got. */
export interface Mail {
  readonly to: string;
  /** Head and body, as they were sent. */
  readonly text: string;
}

/**
 * A program of the sink's: prints each request's body in a line, and each mail after "mail ". A request for /refuse or
 * /take says what becomes of mails from then on.
 */
const SINK = `let takes = true;
require("node:http").createServer((request, response) => {
  if (request.url === "/refuse" || request.url === "/take") { takes = request.url === "/take"; return response.end(); }
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => { console.log(body.replaceAll("\\n", " ")); response.end("{}"); });
}).listen(8080);
require("node:net").createServer((socket) => {
  const say = (line) => socket.write(line + "\\r\\n");
  let rest = "", to = "", mail;
  const hear = (line) => {
    if (mail !== undefined) {
      if (line !== ".") return void (mail += line.replace(/^\\./, "") + "\\n");
      console.log("mail " + JSON.stringify({ to, text: mail }));
      mail = undefined;
      return say("250 taken");
    }
    const [verb] = line.toUpperCase().split(/[ :]/);
    if (verb === "RCPT") {
      to = /<(.*)>/.exec(line)[1];
      return say(takes ? "250 known" : "550 nobody of that name");
    }
    if (verb === "DATA") { mail = ""; return say("354 go on"); }
    if (verb === "QUIT") { say("221 bye"); return socket.end(); }
    say("250 sink");
  };
  socket.on("error", () => undefined).on("data", (chunk) => {
    const lines = (rest + chunk).split("\\r\\n");
    rest = lines.pop();
    lines.forEach(hear);
  });
  say("220 sink");
}).listen(2525)`;

/** A stack that is measured, in a clone of its own, and somebody in its network who is told. */
export class MeasuredStack {
  readonly clone = new Clone();
  readonly sink = `drydock-sink-${process.pid}`;
  /** How long it took until somebody was told, by the alert's name. */
  readonly took: Record<string, string> = {};
  status!: Status;

  /** Brings it up. @param settings by their path below drydock: */
  async up(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.clone.drydock(["env"]);
    await this.clone.pulumi(["stack", "init", "local"]);
    const all = {
      "app.replicas": "2",
      "monitoring.enabled": "true",
      "monitoring.interval": "5",
      "monitoring.alerts.queueAge": "20",
      "alarms.email.to": "ops@example.com",
      "alarms.email.from": "drydock@example.com",
      "alarms.email.host": "sink",
      "alarms.email.port": "2525",
      "alarms.email.security": "none",
      ...settings,
    };
    for (const [path, value] of Object.entries(all)) await this.set(path, value);
    for (const [path, address] of [
      ["alarms.webhook", "http://sink:8080/alarm"],
      ["monitoring.heartbeat", "http://sink:8080/beat"],
    ])
      await this.set(path!, address!, "--secret");
    await this.again();
    const image = this.of("collector").image;
    const networks = this.networks("alertmanager");
    const [app, monitoring] = ["app", "monitoring"].map(
      (name) => networks.find((one) => one.includes(`network-${name}`))!,
    );
    docker(
      ...["run", "--detach", "--name", this.sink, "--label", "drydock.test=sink", "--network", app!],
      ...["--network-alias", "sink", "--entrypoint", "node", image, "-e", SINK],
    );
    docker("network", "connect", monitoring!, this.sink);
  }

  async set(path: string, value: string, ...options: readonly string[]): Promise<void> {
    const words = ["config", "set", ...options, "--path", `drydock:${path}`, value];
    const { code, stderr } = await this.clone.pulumi(words);
    if (code !== 0) throw new Error(stderr);
  }

  /** Releases what is set now. */
  async again(): Promise<string> {
    const { code, stdout, stderr } = await this.clone.drydock(["up"]);
    if (code !== 0) throw new Error(stdout + stderr);
    this.status = await this.clone.status();
    return stdout + stderr;
  }

  of(role: string, name?: string): Status["services"][number] {
    const found = this.status.services.find((one) => one.role === role && (name === undefined || one.name === name));
    if (found === undefined) throw new Error(`no ${name ?? role}`);
    return found;
  }

  /** The networks of a role's first container. */
  networks(role: string): readonly string[] {
    const format = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
    return docker("inspect", "--format", format, this.of(role).container).trim().split(" ");
  }

  /** What was sent so far, without heartbeats. */
  notices(): Notice[] {
    return this.#said().filter(({ kind }) => kind !== "heartbeat");
  }

  heartbeats(): number {
    return this.#said().length - this.notices().length;
  }

  mails(): Mail[] {
    const lines = docker("logs", this.sink).split("\n");
    return lines.filter((line) => line.startsWith("mail {")).map((line) => JSON.parse(line.slice(5)) as Mail);
  }

  /** Whether the mail server takes mails from now on. */
  takeMails(takes: boolean): void {
    docker("exec", this.sink, "node", "-e", `fetch("http://127.0.0.1:8080/${takes ? "take" : "refuse"}")`);
  }

  #said(): Notice[] {
    const lines = docker("logs", this.sink).split("\n");
    return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Notice);
  }

  /** Waits until somebody is told of an alert, or of its end, since so many notices; answers after how many seconds. */
  async told(name: string, kind: "alarm" | "over", { since = 0, seconds = 600 } = {}): Promise<number> {
    const began = Date.now();
    for (;;) {
      if (
        this.notices()
          .slice(since)
          .some((one) => one.name === name && one.kind === kind)
      )
        return (Date.now() - began) / 1000;
      if (Date.now() - began > seconds * 1000)
        throw new Error(`nobody was told ${kind} ${name}: ${JSON.stringify(this.notices())}`);
      await sleep(1_000);
    }
  }

  /** Waits until somebody is told of all of these, or of their end; notes when, counted from the fault. */
  async tells(
    names: readonly string[],
    kind: "alarm" | "over",
    { since, fault = Date.now(), seconds = 1_500 }: { since: number; fault?: number; seconds?: number },
  ): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        await this.told(name, kind, { since, seconds });
        if (kind === "alarm") this.took[name] = `${Math.round((Date.now() - fault) / 1000)} s`;
      }),
    );
  }

  /** What was sent of one of them since so many notices. */
  kinds(name: string, since: number): readonly string[] {
    return this.notices()
      .slice(since)
      .filter((one) => one.name === name)
      .map(({ kind }) => kind);
  }

  /** Asks Prometheus; the values of all series. */
  query(expression: string): { readonly labels: Record<string, string>; readonly value: number }[] {
    const url = `http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = JSON.parse(docker("exec", this.of("prometheus").container, "wget", "-qO-", url));
    return answer.data.result.map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => ({
      labels: metric,
      value: Number(value[1]),
    }));
  }

  /** Runs SQL as root in the database. */
  sql(text: string): string {
    return execFileSync("docker", this.#client(), { encoding: "utf8", input: text });
  }

  /** Runs SQL as root, and keeps that connection, with its locks, until it is told to let go of it. */
  hold(text: string): () => void {
    const child = spawn("docker", this.#client(), { stdio: ["pipe", "ignore", "inherit"] });
    child.stdin.write(`${text};\n`);
    return () => child.stdin.end();
  }

  #client(): string[] {
    const client = "MYSQL_PWD=$(cat /run/drydock/root-password) $(command -v mariadb || command -v mysql)";
    const words = "--no-defaults --protocol=socket --user=root laravel";
    return ["exec", "-i", this.of("database").container, "sh", "-c", `${client} ${words}`];
  }

  /** Takes it away, and says how long each alert took. */
  async remove(): Promise<void> {
    const lines = Object.entries(this.took).map(([alert, said]) => `      ${alert}: ${said}`);
    console.log(lines.join("\n"));
    try {
      docker("rm", "--force", this.sink);
    } finally {
      await this.clone.remove();
    }
  }
}
