import { type Docker, type Inspected, inspect } from "./docker.ts";
import type { EngineEvent } from "./events.ts";
import { harmlessLine } from "./ui.ts";

/** Lines of a container's log, and of its health check's, that are shown. */
const TAIL = 15;

interface Judged extends Inspected {
  readonly State: Inspected["State"] & {
    readonly Health?: {
      readonly Status: string;
      readonly Log?: readonly { readonly ExitCode: number; readonly Output: string }[];
    } | null;
  };
}

/**
 * Docker's names of the containers that Pulumi's docker plugin has waited for in vain. It says neither which they are
 * nor why; the stand-in says both itself, in other words.
 */
export function unhealthyIn(events: readonly EngineEvent[]): readonly string[] {
  const failed = events.flatMap(({ diagnosticEvent }) =>
    diagnosticEvent?.urn !== undefined && diagnosticEvent.message.includes("container failed to be in healthy state")
      ? [diagnosticEvent.urn]
      : [],
  );
  const steps = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  return [...new Set(failed)].flatMap((urn) => {
    const name = steps.findLast((step) => step.urn === urn && step.new?.inputs?.name !== undefined)?.new?.inputs?.name;
    return typeof name === "string" ? [name] : [];
  });
}

/** What these containers have to say for themselves, for a person. */
export async function lastWords(
  docker: Docker,
  containers: readonly string[],
  stack: string,
): Promise<readonly string[]> {
  const found = await inspect<Judged>(docker, containers, stack);
  const told = await Promise.all(
    found.map(async ({ Name, State }) => {
      const name = Name.replace(/^\//, "");
      const { stdout, stderr } = await docker.run(["logs", "--tail", String(TAIL), name]);
      const check = State.Health?.Log?.at(-1);
      const how =
        State.Status === "running"
          ? `is ${State.Health?.Status ?? "without a health check"}`
          : `is ${State.Status}, exit code ${State.ExitCode}`;
      return [
        `container ${name} ${how}`,
        ...(check === undefined
          ? []
          : [`its last health check (exit code ${check.ExitCode}) said:`, ...indented(check.Output)]),
        "its last log lines:",
        ...indented(`${stdout}${stderr}`),
      ];
    }),
  );
  return told.flat();
}

function indented(text: string): string[] {
  return text.trim() === ""
    ? ["  (nothing)"]
    : text
        .trimEnd()
        .split("\n")
        .slice(-TAIL)
        .map((line) => `  ${harmlessLine(line)}`);
}
