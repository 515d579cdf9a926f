import { type Element, h } from "../h.ts";
import type { Parts } from "../state.ts";
import { badge, type Mood, partly, table, time } from "./common.ts";

const DAY = 86_400_000;

function validity(until: string, now: number) {
  if (until === "") return badge("bad", "none");
  const days = Math.floor((Date.parse(until) - now) / DAY);
  const mood: Mood = days < 3 ? "bad" : days < 14 ? "warn" : "good";
  return [time(until), " ", badge(mood, days < 0 ? "over" : `${days} days left`)];
}

export const certificates = ({ certificates: part }: Parts, now: number): Element =>
  partly("certificates", "Certificates", part, (rows) => [
    table(
      "Names and their certificates",
      ["Name", "From", "Until (UTC)", "What is wrong"],
      rows.map(({ name, kind, until, problems }) => [
        name,
        kind,
        validity(until, now),
        problems.length === 0
          ? badge("good", "nothing")
          : h(
              "ul",
              { class: "plain" },
              problems.map((one) => h("li", null, one)),
            ),
      ]),
    ),
  ]);
