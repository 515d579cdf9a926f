import type { Found, LenientSettings } from "./found.ts";
import { type Problem, setCommand } from "./problems.ts";
import type { Stage } from "./stage.ts";

/**
 * What would cross a network in plain text: an error but on a local stack, where such servers are on the same machine.
 */
export function checkTransport({ backup, bucket }: LenientSettings, stage: Stage, stack: string): Found {
  const problems: Problem[] = [];
  const found = (path: string, message: string, remedy: string) =>
    problems.push({ path: `drydock:${path}`, message, remedy });
  const { s3 } = backup ?? {};
  const open = (address: string | undefined): address is string => address?.startsWith("http:") === true;
  const https = (path: string, address: string) =>
    setCommand(`drydock:${path}`, address.replace(/^http:/, "https:"), stack);

  if (open(s3?.endpoint))
    found(
      "backup.s3.endpoint",
      "begins with http://: anyone on the network path could read the backups and their key",
      https("backup.s3.endpoint", s3.endpoint),
    );
  if (open(bucket?.endpoint))
    found(
      "bucket.endpoint",
      "begins with http://: anyone on the network path could read the account's key",
      https("bucket.endpoint", bucket.endpoint),
    );
  return stage === "local" ? { problems: [], warnings: problems } : { problems, warnings: [] };
}
