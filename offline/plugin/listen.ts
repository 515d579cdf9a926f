import * as grpc from "@grpc/grpc-js";

/**
 * Starts a gRPC server as the engine expects it from a plugin: any port of the loopback interface, printed as one line.
 * The process ends on SIGINT and SIGTERM, and when its parent is gone; `end` is called before.
 * @returns the engine's address, which is the plugin's argument
 */
export async function listen(register: (server: grpc.Server) => void, end: () => void): Promise<string | undefined> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  register(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );

  let ending = false;
  const finish = (code: number): void => {
    if (ending) return;
    ending = true;
    end();
    setTimeout(() => process.exit(code), 50).unref(); // what end() has stopped gets a moment to go
    setImmediate(() => setTimeout(() => process.exit(code), 50));
  };
  const parent = process.ppid;
  process.on("SIGINT", () => finish(0));
  process.on("SIGTERM", () => finish(0));
  setInterval(() => {
    if (process.ppid !== parent) finish(1);
  }, 500).unref();

  process.stdout.write(`${port}\n`);
  return process.argv.slice(2).find((argument) => /^[\w.-]+:\d+$/.test(argument));
}
