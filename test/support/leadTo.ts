import { createConnection, createServer, type Server } from "node:net";

/** A Unix socket that leads to a port of another machine. */
export const leadTo = (socket: string, host: string, port: number): Server =>
  createServer((near) => {
    const far = createConnection({ host, port });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const)
      from.on("error", () => to.destroy()).pipe(to);
  }).listen(socket);
