import { setTimeout as sleep } from "node:timers/promises";

/** Clients with a websocket each, which connect again as a browser's library does: at once, then every half second. */
export class Sockets {
  readonly closed: number[] = [];
  readonly #clients: { socket: WebSocket; said: string[] }[] = [];
  #over = false;

  constructor(
    private readonly url: string,
    count: number,
  ) {
    for (let index = 0; index < count; index++) this.#connect(index);
  }

  /** What each client was greeted with last; "" for one without a connection. */
  greetings(): string[] {
    return this.#clients.map(({ socket, said }) => (socket.readyState === WebSocket.OPEN ? (said[0] ?? "") : ""));
  }

  /** Waits until each client was greeted with something like that. */
  async greeted(by: RegExp, seconds = 10): Promise<void> {
    for (let tries = 0; !this.greetings().every((one) => by.test(one)); tries++) {
      if (tries > seconds * 10) throw new Error(`not greeted by ${by}: ${JSON.stringify(this.greetings())}`);
      await sleep(100);
    }
  }

  /** Has all clients say something; resolves with what each is answered within a second. */
  async say(text: string): Promise<string[]> {
    for (const { socket } of this.#clients) socket.send(text);
    await sleep(1000);
    return this.#clients.map(({ said }) => said.at(-1) ?? "");
  }

  end(): void {
    this.#over = true;
    for (const { socket } of this.#clients) socket.close();
  }

  #connect(index: number): void {
    const client = { socket: new WebSocket(this.url), said: [] as string[] };
    this.#clients[index] = client;
    client.socket.addEventListener("message", ({ data }) => client.said.push(String(data)));
    client.socket.addEventListener("close", () => {
      if (this.#over) return;
      // Only what was open counts.
      if (client.said.length > 0) this.closed.push(Date.now());
      setTimeout(() => this.#connect(index), client.said.length > 0 ? 0 : 500);
    });
  }
}
