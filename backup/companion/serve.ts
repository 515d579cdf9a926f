import { requireSecret } from "../configuration.ts";
import { hasToken, json, serveHttp } from "../http.ts";
import { PORTS } from "../protocol.ts";
import { stopped } from "../serve.ts";

/** The companion: restores backups into throwaway servers and folders, for whoever shows the token. */
export async function serveCompanion(): Promise<void> {
  const token = requireSecret("restoreToken");
  const server = await serveHttp(PORTS.companion, (request, response, url) => {
    if (url.pathname === "/healthz") return json(response, { healthy: true });
    if (!hasToken(request, token)) return json(response, { error: "the token is wrong" }, 401);
    json(response, { error: "not found" }, 404);
  });
  await stopped();
  server.close();
}
