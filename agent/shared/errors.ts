import { EXIT } from "../../contracts/agent.ts";
import { defined } from "../../lib/defined.ts";

/** What went wrong in words for a person, and what fixes it. */
export class AgentError extends Error {
  readonly remedy: string | undefined;
  readonly code: number;
  /** Whether trying again can help: a lost connection, a busy repository. */
  readonly transient: boolean;

  constructor(
    message: string,
    {
      remedy,
      code = EXIT.failed,
      transient = false,
      cause,
    }: { remedy?: string; code?: number; transient?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = "AgentError";
    this.remedy = remedy;
    this.code = code;
    this.transient = transient;
  }
}

export const refused = (message: string, remedy?: string): AgentError =>
  new AgentError(message, { code: EXIT.refused, ...defined({ remedy }) });

/** @param here on the Docker host; else in S3 */
export const wrongKey = (what: string, here: boolean): AgentError =>
  refused(
    `${what} has another key than drydock:backup.key`,
    "set the key that it was made with: pulumi config set --secret --path drydock:backup.key; " +
      "if nobody has it any more, start anew: " +
      (here ? "./drydock backup key reset keeps what is there aside" : "another drydock:backup.s3.prefix"),
  );

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
