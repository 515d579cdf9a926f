import uPlot from "uplot";
import { harmless } from "../../../lib/harmless.ts";
import type { Chart, Charts, ReleaseRow } from "../page/state.ts";
import { marks } from "../page/views/charts.ts";
import { inUnit } from "../page/words.ts";

const HEIGHT = 180;
/** Lines differ in their dashes as well as in their colour. */
const DASHES: readonly number[][] = [[], [6, 4], [2, 3], [10, 3, 2, 3], [1, 5], [12, 6]];
/** The same in the legend, as far as styles have it. */
const BORDERS = ["solid", "dashed", "dotted"];
const DAY = 86_400;

/** What is drawn in one element. */
interface Drawn {
  readonly plot: uPlot;
  /** What it was made for: with another shape it is made anew. */
  readonly shape: string;
  marked: readonly { readonly sequence: number; readonly at: number }[];
}

const drawn = new Map<Element, Drawn>();

/** Draws the charts of the page, or brings them up to date. */
export function draw(all: Charts | undefined, releases: readonly ReleaseRow[]): void {
  for (const [element, { plot }] of drawn)
    if (!element.isConnected) {
      plot.destroy();
      drawn.delete(element);
    }
  if (all === undefined) return;
  const marked = marks(all, releases);
  for (const element of document.querySelectorAll<HTMLElement>("[data-chart]")) {
    const chart = all.charts.find(({ id }) => id === element.dataset["chart"]);
    if (chart !== undefined && chart.lines.length > 0) drawOne(element, chart, all, marked);
  }
}

function drawOne(element: HTMLElement, chart: Chart, { from, step }: Charts, marked: Drawn["marked"]): void {
  const moments = chart.lines[0]!.values.map((_, index) => from + index * step);
  const data: uPlot.AlignedData = [moments, ...chart.lines.map(({ values }) => [...values])];
  const shape = JSON.stringify([step, chart.unit, chart.lines.map(({ name }) => name)]);
  const before = drawn.get(element);
  if (before?.shape === shape) {
    before.marked = marked;
    before.plot.setData(data);
    return;
  }
  before?.plot.destroy();
  const own: Drawn = {
    plot: new uPlot(
      optionsOf(element, chart, () => own?.marked ?? marked),
      data,
      element,
    ),
    shape,
    marked,
  };
  drawn.set(element, own);
  sizes.observe(element);
}

/** Charts are as wide as their place. */
const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const { plot } = drawn.get(target) ?? {};
    const width = Math.floor(contentRect.width);
    if (plot !== undefined && width > 0 && plot.width !== width) plot.setSize({ width, height: HEIGHT });
  }
});

/** Colours are those of the page's styles. */
const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function optionsOf(element: HTMLElement, { unit, lines }: Chart, marked: () => Drawn["marked"]): uPlot.Options {
  const axis = { stroke: colour("dim"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") } };
  return {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, __, most) => [0, most === null || most <= 0 ? 1 : most * 1.1] } },
    legend: { markers: { dash: (_, index) => BORDERS[(index - 1) % BORDERS.length]! } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => clock(tick, (ticks[1] ?? 0) - (ticks[0] ?? 0))) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => inUnit(tick, unit)) },
    ],
    series: [
      { label: "UTC" },
      ...lines.map(({ name }, index) => ({
        label: harmless(name),
        stroke: colour(`line-${index % 6}`),
        dash: DASHES[index % DASHES.length]!,
        width: 2,
        points: { show: false },
        value: (_: uPlot, value: number | null) => (value === null ? "–" : inUnit(value, unit)),
      })),
    ],
    hooks: { draw: [(plot) => drawMarks(plot, marked())] },
  };
}

/** The time, or the day where there is a day between two of them. */
const clock = (seconds: number, between: number): string =>
  new Date(seconds * 1000).toISOString().slice(...(between >= DAY ? [5, 10] : [11, 16]));

/** A line at each release, with its number. */
function drawMarks(plot: uPlot, marked: Drawn["marked"]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("mark");
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([]);
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  for (const { sequence, at } of marked) {
    const x = Math.round(plot.valToPos(at, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const label = `▲ ${sequence}`;
    const gap = 4 * devicePixelRatio;
    const fits = x + gap + ctx.measureText(label).width < bbox.left + bbox.width;
    ctx.textAlign = fits ? "left" : "right";
    ctx.fillText(label, fits ? x + gap : x - gap, bbox.top + 12 * devicePixelRatio);
  }
  ctx.restore();
}

/** Draws all of them anew, as with other colours. */
export function forget(): void {
  for (const { plot } of drawn.values()) plot.destroy();
  drawn.clear();
}
