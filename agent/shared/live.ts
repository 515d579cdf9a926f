import type { Status } from "../../contracts/agent.ts";

/** What the agent knows and a verb, which is another process, asks it for: `/live`. */
export interface Live {
  readonly binlog: Status["binlog"];
  readonly rpoSeconds: number | null;
  readonly s3: Status["s3"];
  readonly alarms: Status["alarms"];
}
