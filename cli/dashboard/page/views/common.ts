import { type Element, h, type Node } from "../h.ts";
import type { CheckName, Findings, Part, Trouble } from "../state.ts";
import { moment } from "../words.ts";

/** What the reader has chosen, and how the page is connected. */
export interface Reader {
  readonly range: "hour" | "day" | "week";
  /** `file`: an export, which is as it was. */
  readonly connection: "live" | "lost" | "file";
  /** What the checks that were asked have found; "asking" while they look. */
  readonly findings: Readonly<Partial<Record<CheckName, Findings | "asking">>>;
  /** In ms, for what is counted from a moment. */
  readonly now: number;
}

export type Mood = "good" | "warn" | "bad" | "calm";

const SIGNS: Readonly<Record<Mood, string>> = { good: "✓", warn: "!", bad: "✗", calm: "·" };

/** A word with its mood: a sign and a colour beside the word, which says it by itself. */
export const badge = (mood: Mood, word: Node): Element =>
  h("span", { class: `badge ${mood}` }, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[mood]), word);

export const time = (iso: string): Element => h("time", { datetime: iso }, moment(iso));

/** Commands that somebody is to copy. */
export const commands = (text: string): Element => h("pre", { class: "command", tabindex: 0 }, h("code", null, text));

function trouble({ what, remedy }: Trouble): Node[] {
  return [h("p", null, what), ...(remedy === undefined || remedy === "" ? [] : [commands(remedy)])];
}

/** A part of the page with its heading; it is named by it. */
export const section = (
  id: string,
  title: string,
  ...children: readonly (Node | readonly Node[] | undefined)[]
): Element =>
  h(
    "section",
    { id, "aria-labelledby": `${id}-title`, class: "part" },
    h("h2", { id: `${id}-title` }, title),
    children,
  );

/** A section whose content is known, not known yet, known of before, or not there. */
export function partly<T>(id: string, title: string, part: Part<T>, show: (value: T) => readonly Node[]): Element {
  const { value, at, problem, absent } = part;
  if (absent !== undefined) return section(id, title, h("div", { class: "absent" }, ...trouble(absent)));
  const asked =
    problem === undefined ? [] : [h("div", { class: "problem" }, badge("bad", "can't be told"), ...trouble(problem))];
  if (value === undefined)
    return section(id, title, problem === undefined ? h("p", { class: "dim" }, "asking …") : asked);
  const old = problem !== undefined && at !== undefined ? [h("p", { class: "dim" }, "as it was at ", time(at))] : [];
  return section(id, title, asked, old, show(value));
}

/** A cell's content; or with attributes for the cell. */
export type Cell = Node | readonly Node[];

/** A table whose caption says what it is, and whose first column names the rows. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): Element {
  return h(
    "div",
    // It scrolls by itself where it is wider than the screen, with the keyboard too.
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      null,
      h("caption", { class: "unseen" }, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          head.map((title) => h("th", { scope: "col" }, title)),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map(([first = "", ...rest]) =>
          h(
            "tr",
            null,
            h("th", { scope: "row" }, first),
            rest.map((cell) => h("td", null, cell)),
          ),
        ),
      ),
    ),
  );
}
