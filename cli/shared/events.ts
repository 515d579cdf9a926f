/** The parts of Pulumi's engine events that Drydock reads (sdk/go/common/apitype/events.go). */
export interface EngineEvent {
  /** Seconds since 1970. */
  readonly timestamp?: number;
  readonly diagnosticEvent?: { readonly severity: string; readonly message: string; readonly urn?: string };
  readonly policyEvent?: { readonly enforcementLevel: string; readonly policyName: string; readonly message: string };
  readonly summaryEvent?: { readonly resourceChanges?: Readonly<Record<string, number>>; readonly isPreview?: boolean };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
}

export interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly old?: StepState | null;
  readonly new?: StepState | null;
}

export interface StepState {
  readonly protect?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** One JSON object a line; a line that was cut off by an interruption is left out. */
export function readEvents(file: string, read: (file: string) => string): readonly EngineEvent[] {
  let text: string;
  try {
    text = read(file);
  } catch {
    return [];
  }
  return text
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as EngineEvent];
      } catch {
        return [];
      }
    });
}

/** How many resources each operation touched, without those that stay as they are. */
export function changes(events: readonly EngineEvent[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { summaryEvent } of events) {
    for (const [operation, count] of Object.entries(summaryEvent?.resourceChanges ?? {})) {
      if (operation !== "same" && count > 0) counts[operation] = (counts[operation] ?? 0) + count;
    }
  }
  return counts;
}

/**
 * Whether a previewed update would leave anything else behind. The summary counts only operations on resources:
 * the stack's outputs and the protection of a resource change without one.
 */
export function changesAnything(events: readonly EngineEvent[]): boolean {
  if (!events.some(({ summaryEvent }) => summaryEvent !== undefined)) return true;
  if (Object.keys(changes(events)).length > 0) return true;
  const planned = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  if (
    planned.some(
      ({ old, new: next }) => old != null && next != null && (old.protect ?? false) !== (next.protect ?? false),
    )
  )
    return true;
  // The stack registers its outputs at its end, so the last event has them.
  const stack = events
    .flatMap(({ resOutputsEvent }) => resOutputsEvent?.metadata ?? [])
    .findLast(({ type }) => type === "pulumi:pulumi:Stack");
  return stack?.old != null && canonical(stack.old.outputs) !== canonical(stack.new?.outputs);
}

/**
 * The containers that the state has before the update, those of an unfinished release included: logical name and
 * Docker's.
 */
export function containersBefore(
  events: readonly EngineEvent[],
): readonly { readonly name: string; readonly container: string }[] {
  return events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .flatMap(({ op, urn, type, old }) => {
      const container = old?.outputs?.name;
      return type === "docker:index/container:Container" && !op.startsWith("delete") && typeof container === "string"
        ? [{ name: urn.split("::").at(-1) ?? "", container }]
        : [];
    });
}

/** JSON with sorted keys: two values are equal when these are. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? {}, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
