import type { Painter } from "../shared/ui.ts";
import type { Check, Verdict } from "./facts.ts";

const WORDS: Readonly<Record<Verdict, readonly [string, "green" | "red" | "yellow"]>> = {
  fine: ["fine", "green"],
  broken: ["broken", "red"],
  unknown: ["can't be judged", "yellow"],
};

/** One line a check; below it what was seen and what fixes it. */
export function reportLines(checks: readonly Check[], paint: Painter): string {
  const width = Math.max(...checks.map(({ title }) => title.length));
  const lines = checks.flatMap(({ issue, title, verdict, details, remedies }) => {
    const [word, colour] = WORDS[verdict];
    return [
      `${(issue === null ? "" : String(issue)).padStart(3)}  ${title.padEnd(width)}  ${paint(colour, word)}`,
      ...details.map((detail) => `       ${detail}`),
      // What can't be judged waits for something that is broken elsewhere in the list.
      ...(verdict === "broken" ? remedies : []).map(
        (remedy, index) => `       ${index === 0 ? "remedy:" : "       "} ${remedy}`,
      ),
    ];
  });
  const count = (verdict: Verdict): number => checks.filter((check) => check.verdict === verdict).length;
  return [...lines, "", `${count("fine")} fine, ${count("broken")} broken, ${count("unknown")} can't be judged`].join(
    "\n",
  );
}
