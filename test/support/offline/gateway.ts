import { rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";

/**
 * A way to this machine's Docker that is cut for good when a request has gone through: Docker gets it, and its answer
 * reaches nobody.
 */
export class Gateway {
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly host: string,
    private readonly server: Server,
    private readonly file: string,
  ) {}

  /** @param last the beginning of the request that is the last one, as HTTP has it */
  static async open(file: string, last: RegExp): Promise<Gateway> {
    const server = createServer();
    const gateway = new Gateway(`unix://${file}`, server, file);
    server.on("connection", (client) => {
      const docker = createConnection(
        (process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock").replace("unix://", ""),
      );
      let cut = false;
      for (const socket of [client, docker]) {
        gateway.sockets.add(socket);
        socket.on("error", () => undefined);
        socket.once("close", () => (cut ? undefined : [client, docker].forEach((one) => one.destroy())));
      }
      client.on("data", (chunk) => {
        docker.write(chunk);
        if (cut || !last.test(chunk.toString("latin1"))) return;
        cut = true;
        rmSync(file, { force: true });
        server.close();
        for (const socket of gateway.sockets) if (socket !== docker) socket.destroy();
        // Until Docker has answered: it drops what it does for a client that has gone.
        docker.once("data", () => docker.destroy());
      });
      docker.on("data", (chunk) => {
        if (!cut) client.write(chunk);
      });
    });
    await new Promise<void>((resolve) => server.listen(file, resolve));
    return gateway;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    rmSync(this.file, { force: true });
  }
}
