import { createServer } from "node:net";
import { CliError } from "../errors.ts";

/** Whether this machine would let a service listen there now. */
export function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first free port from `first` upward, on one address. */
export async function freePort(first = 8080, address = "127.0.0.1", free: typeof isFree = isFree): Promise<number> {
  for (let port = first; port < first + 200; port++) {
    // Something that listens on all addresses has the port here as well.
    if (await free(port, address) && await free(port, "0.0.0.0")) return port;
  }
  throw new CliError({ what: `no free port from ${first} to ${first + 199} on ${address}`, remedy: "see who listens: ss -ltnp" });
}
