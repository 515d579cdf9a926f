import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";

/** A way to a port that can be made long, cut or silent. It counts who went it. */
export class Link {
  /** So many connections were made since the last look. */
  connections = 0;
  /** Milliseconds that each piece takes, one way. */
  delay = 0;
  /** Passes nothing on, and tells nobody: a cable that was pulled. */
  silent = false;
  /** Ends what comes, at once: a host that is not there. */
  down = false;
  private readonly open = new Set<Socket>();
  private server!: Server;

  private readonly to: { readonly host: string; readonly port: number };

  constructor(to: { readonly host: string; readonly port: number }) {
    this.to = to;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async start(): Promise<this> {
    this.server = createServer({ noDelay: true }, (near) => {
      this.connections++;
      if (this.down) return void near.on("error", () => undefined).resetAndDestroy();
      const far = createConnection({ ...this.to, noDelay: true });
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        this.open.add(from);
        from
          .on("error", () => into.destroy())
          .on("close", () => {
            this.open.delete(from);
            into.destroy();
          });
        from.pipe(this.way()).pipe(into);
      }
    });
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  /** Breaks what is under way, and says so to both ends. */
  cut(): void {
    for (const socket of this.open) socket.resetAndDestroy();
  }

  /** Cuts it, and lets nobody through until then: whoever goes on meanwhile finds out. */
  async cutUntil(then: Promise<unknown>): Promise<void> {
    this.down = true;
    this.cut();
    try {
      await then;
    } finally {
      this.down = false;
    }
  }

  stop(): void {
    this.cut();
    this.server.close();
  }

  private way(): Transform {
    // Each piece arrives so much after it was sent, however many are under way.
    const way = new Transform({
      highWaterMark: 4 << 20,
      transform: (piece: Buffer, _encoding, done) => {
        const pass = (): void => {
          if (!this.silent && !way.destroyed) way.push(piece);
        };
        if (this.delay > 0) setTimeout(pass, this.delay);
        else pass();
        done();
      },
      final: (done) => {
        setTimeout(done, this.delay);
      },
    });
    return way;
  }
}
