import type { Status } from "../../../contracts/agent.ts";
import { type Entry, sizesOf } from "../../../contracts/entry.ts";
import { ask } from "../../backup/agent.ts";
import { select } from "../../shared/project.ts";
import type { Backups } from "../page/state.ts";
import type { Target } from "../target.ts";
import { type Source, told } from "./source.ts";

/** What `./drydock backup list` and `backup status` say. */
export function backups(target: Target): Source {
  return {
    name: "backups",
    parts: ["backups"],
    every: 60_000,
    async read() {
      const deployed = await target.now();
      const { docker, outputs } = deployed;
      const agent = outputs.services.find(({ role }) => role === "backup")?.container;
      if (agent === undefined) return { backups: { absent: withoutBackups(outputs.stack) } };
      const host = { session: target.session, deployed, docker, agent };
      const [list, status] = await Promise.all([ask(host, "list"), ask(host, "status")]);
      return { backups: told(backupsOf(list.backups, status)) };
    },
  };
}

const withoutBackups = (stack: string) => ({
  what: `stack ${stack} makes no backups`,
  remedy:
    `turn them on: eval "$(./drydock env)" && pulumi config set -s ${stack} --path drydock:backup.enabled true && ` +
    `./drydock up${select(stack)}`,
});

/** @param list newest first */
export function backupsOf(list: readonly Entry[], status: Status): Backups {
  return {
    backups: list.map((entry) => ({
      ...{ id: entry.id, type: entry.type, reason: entry.reason, started: entry.started, seconds: entry.seconds },
      ...{ verified: entry.verified, ...sizesOf(entry), copies: entry.copies },
    })),
    rpoSeconds: status.rpoSeconds,
    rtoSeconds: status.rtoSeconds,
    running: status.running?.type ?? null,
    next: status.next["backup"] ?? null,
    alarms: status.alarms.map(({ message }) => message),
  };
}
