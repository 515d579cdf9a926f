import { appendRecord, rememberedRecords } from "../shared/records.ts";
import { deployed } from "../shared/services.ts";
import type { Session } from "../shared/session.ts";
import { settingAt, stackConfig, stackExists } from "../shared/stack.ts";
import { painter } from "../shared/ui.ts";
import { type Traffic, TrafficWatch, targetOf, trafficLine, watchOptions, writeTraffic } from "./traffic.ts";

/** How long the line in the stack's records is waited for, in ms; it is written later all the same. */
const PATIENCE = 3000;

export interface WatchOptions {
  readonly watchTraffic?: true;
  readonly watchPath?: readonly string[];
  readonly watchRate?: string;
  readonly json?: true;
}

/** A watch that goes on beside a release. */
export interface Watching {
  /** Ends it, says what it counted, and leaves it in `.drydock/traffic.json`; a second call only answers the same. */
  finish(): Promise<Traffic>;
}

/** Begins to watch the site where that was asked for, and where there is a site already. */
export async function beginWatch(session: Session, options: WatchOptions): Promise<Watching | undefined> {
  if (options.watchTraffic !== true) return undefined;
  const { stack, paths, env } = session;
  const config = stackConfig(paths, stack);
  const path = settingAt(config, "app.healthPath");
  const how = watchOptions(options, typeof path === "string" ? path : "/up");
  const outputs = stackExists(stack, env)
    ? await deployed(session).then(
        ({ outputs }) => outputs,
        () => undefined,
      )
    : undefined;
  if (outputs === undefined) {
    process.stderr.write(`→ traffic: stack ${stack} serves nobody yet, so there is nothing to watch\n`);
    return undefined;
  }
  const target = targetOf(config, outputs.url);
  const watch = await TrafficWatch.start(target, how);
  process.stderr.write(`→ traffic: asking ${target.url} for ${how.paths.join(", ")}, ${how.rate} times a second\n`);
  let finished: Promise<Traffic> | undefined;
  const finish = async (): Promise<Traffic> => {
    const traffic = await watch.stop();
    const release = await deployed(session).then(
      ({ outputs: now }) => now.release,
      () => outputs.release,
    );
    writeTraffic(paths, { stack, release, ...traffic });
    const records = rememberedRecords(session);
    if (records !== undefined) await appendRecord(records, env, "traffic.jsonl", { release, ...traffic }, PATIENCE);
    const out = options.json ? process.stderr : process.stdout;
    out.write(`\n${trafficLine(traffic, painter(out))}\n`);
    return traffic;
  };
  return { finish: () => (finished ??= finish()) };
}
