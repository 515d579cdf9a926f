import { type Element, h } from "../h.ts";
import type { StepState, StepStatus } from "../state.ts";
import { STEPS, type Step } from "../steps.ts";
import { lasting } from "../words.ts";

/** Sizes in the picture's own units. */
const BOX = { width: 150, height: 42 };
const GAP = { x: 20, y: 22 };
const COLUMNS = 4;
const WIDTH = COLUMNS * BOX.width + (COLUMNS - 1) * GAP.x + 4;
const ROWS = Math.max(...STEPS.map(({ row }) => row)) + 1;
const HEIGHT = ROWS * (BOX.height + GAP.y) - GAP.y + 4;

/** A sign of its own for each, as colour alone says nothing. */
export const SIGNS: Readonly<Record<StepStatus, string>> = {
  waiting: "○",
  running: "▶",
  done: "✓",
  same: "=",
  failed: "✗",
};
export const WORDS: Readonly<Record<StepStatus, string>> = {
  waiting: "waits",
  running: "runs",
  done: "done",
  same: "nothing to do",
  failed: "failed",
};

/** How long a step has been at work, or was; undefined where that isn't known. */
export function duration({ status, since, seconds }: StepState, now: number): number | undefined {
  if (seconds !== undefined) return seconds;
  return status === "running" && since !== undefined ? Math.max(0, (now - Date.parse(since)) / 1000) : undefined;
}

/** The middle of a step's box at the top. */
function place({ id, row }: Step): { readonly x: number; readonly y: number } {
  const beside = STEPS.filter((one) => one.row === row);
  const index = beside.findIndex((one) => one.id === id);
  const width = beside.length * BOX.width + (beside.length - 1) * GAP.x;
  const left = (WIDTH - width) / 2 + index * (BOX.width + GAP.x);
  return { x: left + BOX.width / 2, y: 2 + row * (BOX.height + GAP.y) };
}

function arrow(from: Step, to: Step, over: boolean): Element {
  const [a, b] = [place(from), place(to)];
  const [top, bottom] = [a.y + BOX.height, b.y];
  const half = (bottom - top) / 2;
  // Past what stands between them it goes down, and into the side.
  const side = { x: b.x - (BOX.width / 2) * Math.sign(b.x - a.x), y: b.y + BOX.height / 2 };
  const d =
    to.row - from.row > 1 && a.x !== b.x
      ? `M${a.x} ${top} V${side.y - GAP.y} Q${a.x} ${side.y} ${a.x + GAP.y * Math.sign(b.x - a.x)} ${side.y} H${side.x}`
      : `M${a.x} ${top} C${a.x} ${top + half} ${b.x} ${bottom - half} ${b.x} ${bottom}`;
  return h("path", { class: over ? "arrow over" : "arrow", d });
}

function box(step: Step, state: StepState, now: number): Element {
  const { x, y } = place(step);
  const took = duration(state, now);
  const says = `${SIGNS[state.status]} ${WORDS[state.status]}${took === undefined ? "" : ` ${lasting(took)}`}`;
  return h(
    "g",
    { class: `step ${state.status}` },
    h("rect", { x: x - BOX.width / 2, y, width: BOX.width, height: BOX.height, rx: 8 }),
    h("text", { x, y: y + 17, class: "title" }, step.title),
    h("text", { x, y: y + 34, class: "state" }, says),
  );
}

/** The steps of a release and their order; the table beside it says the same in words. */
export function graph(states: readonly StepState[], now: number): Element {
  const of = (id: string): StepState => states.find((one) => one.id === id) ?? { id, status: "waiting" };
  const over = (id: string): boolean => ["done", "same"].includes(of(id).status);
  const arrows = STEPS.flatMap((to) => to.after.map((id) => arrow(STEPS.find((one) => one.id === id)!, to, over(id))));
  return h(
    "svg",
    {
      class: "graph",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": "The steps of the release, in their order",
    },
    arrows,
    STEPS.map((step) => box(step, of(step.id), now)),
  );
}
