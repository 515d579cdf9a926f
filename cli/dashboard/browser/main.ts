import { page, titleOf } from "../page/page.ts";
import { CHECKS, type CheckName, type Findings, nothing, type State } from "../page/state.ts";
import type { Reader } from "../page/views/common.ts";
import { draw, forget } from "./charts.ts";
import { children } from "./patch.ts";

const root = document.getElementById("page")!;

/** What the document brings along. */
function dataIn<T>(id: string): T | undefined {
  const text = document.getElementById(id)?.textContent;
  return text === null || text === undefined ? undefined : (JSON.parse(text) as T);
}

const exported = dataIn<State>("state");
let state = exported ?? nothing("", "");
let known = exported !== undefined;
let reader: Reader = {
  range: "hour",
  connection: exported === undefined ? "live" : "file",
  findings: Object.fromEntries((dataIn<Findings[]>("findings") ?? []).map((one) => [one.of, one])),
  now: Date.parse(exported?.at ?? "") || Date.now(),
};

function render(): void {
  if (!known) return;
  if (reader.connection !== "file") reader = { ...reader, now: Date.now() };
  children(root, page(state, reader));
  document.title = titleOf(state);
  draw(state.parts.charts.value?.[reader.range], state.parts.releases.value ?? []);
}

let due = false;
/** Several changes at once are one. */
function renderSoon(): void {
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    render();
  }, 30);
}

function change(more: Partial<Reader>): void {
  reader = { ...reader, ...more };
  renderSoon();
}

let source: EventSource | undefined;

function connect(): void {
  source?.close();
  const opened = new EventSource(`events?last=${reader.range}`);
  source = opened;
  opened.addEventListener("state", ({ data }) => {
    state = JSON.parse(data) as State;
    known = true;
    change({ connection: "live" });
  });
  opened.addEventListener("part", ({ data }) => {
    const { name, part } = JSON.parse(data) as { name: keyof State["parts"]; part: unknown };
    state = { ...state, parts: { ...state.parts, [name]: part } };
    renderSoon();
  });
  opened.addEventListener("error", () => {
    change({ connection: "lost" });
    // A browser gives up where the answer is no stream; the server may be back later, or not.
    if (opened.readyState === EventSource.CLOSED && opened === source)
      setTimeout(() => opened === source && connect(), 5_000);
  });
}

async function ask(of: CheckName): Promise<void> {
  change({ findings: { ...reader.findings, [of]: "asking" } });
  const found = await fetch(`findings/${of}`)
    .then(async (answer) => (await answer.json()) as Findings)
    .catch((error: Error): Findings => {
      return { of, at: new Date().toISOString(), findings: [], problem: { what: error.message } };
    });
  change({ findings: { ...reader.findings, [of]: found } });
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  const button = target.closest<HTMLElement>("button");
  const { range, ask: of } = button?.dataset ?? {};
  const check = CHECKS.find((name) => name === of);
  if (check !== undefined) void ask(check);
  if (range !== "hour" && range !== "day" && range !== "week") return;
  change({ range });
  if (exported === undefined) connect();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  forget();
  render();
});

if (exported === undefined) {
  // What the server has written is seen first.
  requestAnimationFrame(() => setTimeout(connect));
  // Who doesn't look costs nothing: nobody is asked for a page that is not seen.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") connect();
    else {
      source?.close();
      source = undefined;
    }
  });
  setInterval(() => {
    if (state.parts.activity.value?.change !== undefined) renderSoon();
  }, 1_000);
} else render();
