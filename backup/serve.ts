import { readConfiguration, requireSecret } from "./configuration.ts";
import { json, serveHttp } from "./http.ts";
import { PORTS } from "./protocol.ts";

/** The agent: runs until it is stopped. */
export async function serve(): Promise<void> {
  readConfiguration();
  requireSecret("repositoryKey");
  const server = await serveHttp(PORTS.agent, (request, response, url) => {
    if (url.pathname === "/healthz") return json(response, { healthy: true });
    json(response, { error: "not found" }, 404);
  });
  await stopped();
  server.close();
}

/** Waits for the signal to stop. */
export function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
}
