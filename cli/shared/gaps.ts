import type { EngineEvent } from "./events.ts";

/** What a previewed update takes away before its successor is there, and what that means for visitors. */
export function gapsIn(events: readonly EngineEvent[]): string[] {
  const replaced = events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .filter(({ op, type }) => op === "replace" && type === "docker:index/container:Container");
  return replaced.some(({ old }) => hasRole(old?.inputs, "edge"))
    ? [
        "the edge's nginx is made anew: for about a second nobody reaches any site of this machine, " +
          "and requests and websockets that are open then are cut",
      ]
    : [];
}

/** By the label that every container carries. */
function hasRole(inputs: Readonly<Record<string, unknown>> | undefined, role: string): boolean {
  const labels = inputs?.labels;
  return (
    Array.isArray(labels) &&
    labels.some((one: { label?: unknown; value?: unknown }) => one.label === "drydock.role" && one.value === role)
  );
}
