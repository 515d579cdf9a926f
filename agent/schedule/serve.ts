import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FOLDERS, PORTS } from "../../contracts/agent.ts";
import { clearDrafts } from "../../lib/stateFiles.ts";
import { agentOf } from "../agent.ts";
import { Follower } from "../binlog/follow.ts";
import { forgetRestores, replacedAfter } from "../companion/client.ts";
import { requireSecret } from "../shared/configuration.ts";
import { messageOf } from "../shared/errors.ts";
import { Reporter } from "../shared/events.ts";
import { json, serveHttp } from "../shared/http.ts";
import { LOCK, withLock } from "../shared/lock.ts";
import { stopped } from "../shared/signals.ts";
import { keepRoom } from "../store/diskSpace.ts";
import { alarmsOf, sendHeartbeat } from "./alarms.ts";
import { BackupScheduler } from "./backupScheduler.ts";
import { metricsOf } from "./metrics.ts";
import { statusFrom } from "./status.ts";

/** Between two signs of life, in ms. */
const HEARTBEAT = 300_000;

/** The agent: follows the binary log, makes what is due, looks whether all is well. Runs until it is stopped. */
export async function serve(): Promise<void> {
  requireSecret("repositoryKey");
  const reporter = new Reporter({ json: true, output: 2, log: "only" });
  whateverTheDisk(reporter, () => mkdirSync(join(FOLDERS.backups, "state"), { recursive: true, mode: 0o700 }));
  whateverTheDisk(reporter, () => clearDrafts(FOLDERS.backups));
  const agent = agentOf(reporter);
  const follower = new Follower(agent.local.binlogs, agent.s3, replacedAfter);
  const scheduler = new BackupScheduler(agent, follower, alarmsOf(agent.configuration, reporter), () =>
    sendHeartbeat(agent.configuration),
  );

  // What was being proven when this container stopped: a server and its data. Before anybody can have started another.
  await forgetRestores().catch((error: unknown) => reporter.log("warn", messageOf(error)));
  const server = await serveHttp(PORTS.agent, async (request, response, url) => {
    if (url.pathname === "/healthz") return json(response, { healthy: true });
    if (url.pathname === "/metrics") {
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" });
      return void response.end(
        await metricsOf(statusFrom(agent, scheduler.entries, scheduler.live(), new Date()), scheduler.entries),
      );
    }
    // What is only for this container's own verbs.
    if (!/^(::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? ""))
      return json(response, { error: "not found" }, 404);
    if (url.pathname === "/live") return json(response, scheduler.live());
    if (url.pathname === "/flush" && request.method === "POST") {
      await follower.flush({
        file: url.searchParams.get("file") ?? "",
        position: Number(url.searchParams.get("position")),
      });
      return json(response, {});
    }
    if (url.pathname === "/replaced" && request.method === "POST") {
      await follower.lookForReplacement();
      return json(response, {});
    }
    if (url.pathname === "/anew" && request.method === "POST") {
      follower.again();
      return json(response, {});
    }
    if (url.pathname === "/changed") {
      await scheduler.look();
      return json(response, {});
    }
    json(response, { error: "not found" }, 404);
  });
  // Whoever held them has ended with the container.
  whateverTheDisk(reporter, () => agent.local.restic.forgetLocks());
  keepRoom();
  // So that the first backup need not wait for it.
  void withLock(LOCK, "making the repository", 60_000, () => agent.local.restic.ensure()).catch((error: unknown) =>
    reporter.log("error", messageOf(error)),
  );
  reporter.log("info", "the backup agent is at work");
  // The log of a server elsewhere is its operator's.
  const follow = () => void (agent.configuration.external === true ? undefined : follower.round());
  const following = setInterval(follow, agent.configuration.binlogInterval * 1000);
  const looking = setInterval(() => void scheduler.look(), 20_000);
  const living = setInterval(() => void scheduler.heartbeat(), HEARTBEAT);
  follow();
  void scheduler.look().then(() => scheduler.heartbeat());
  await stopped();
  for (const timer of [following, looking, living]) clearInterval(timer);
  server.closeAllConnections();
  await follower.stop();
  scheduler.stop();
}

/** An agent that doesn't start raises no alarm: a full or broken disk must not keep it from that. */
function whateverTheDisk(reporter: Reporter, work: () => void): void {
  try {
    work();
  } catch (error) {
    reporter.log("error", messageOf(error));
  }
}
