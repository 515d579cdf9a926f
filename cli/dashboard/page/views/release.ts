import { many } from "../../../../lib/many.ts";
import { type Element, h, type Node } from "../h.ts";
import type { Activity, Meanwhile, Part, Parts, StepState } from "../state.ts";
import { STEPS, type Step } from "../steps.ts";
import { lasting } from "../words.ts";
import { badge, commands, type Mood, partly, table, time } from "./common.ts";
import { duration, graph, SIGNS, WORDS } from "./graph.ts";

/** Where the steps are known from, in words. */
const FROM: Readonly<Record<Activity["from"], string>> = {
  events: "as Pulumi writes it down in this clone",
  host: "as far as the containers on the Docker host show it: a step that leaves none is over when a later one begins",
  nothing: "",
};

/** What a step waits for: those before it, or what it does. */
function waits({ after, does }: Step, state: StepState, all: readonly StepState[]): string {
  if (state.status === "running") return state.says ?? does;
  if (state.status !== "waiting") return state.says ?? "";
  const open = after.filter((id) => !["done", "same"].includes(all.find((one) => one.id === id)?.status ?? "waiting"));
  return open.length === 0 ? "" : `waits for ${open.map((id) => STEPS.find((one) => one.id === id)!.title).join(", ")}`;
}

const moods: Readonly<Record<StepState["status"], Mood>> = {
  ...{ waiting: "calm", running: "warn", done: "good", same: "calm", failed: "bad" },
};

function steps(states: readonly StepState[], now: number): Element {
  return table(
    "Steps of the release, in their order",
    ["Step", "State", "Since (UTC)", "Time", "What it says, or waits for"],
    STEPS.map((step) => {
      const state = states.find(({ id }) => id === step.id) ?? { id: step.id, status: "waiting" as const };
      const took = duration(state, now);
      return [
        step.title,
        h(
          "span",
          { class: `badge ${moods[state.status]}` },
          h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[state.status]),
          WORDS[state.status],
        ),
        state.since === undefined ? "–" : h("time", { datetime: state.since }, state.since.slice(11, 19)),
        took === undefined ? "–" : lasting(took),
        waits(step, state, states),
      ];
    }),
  );
}

/** Requests of visitors since a change began, as they were measured. */
function meanwhile({ value, absent }: Part<Meanwhile>): Node[] {
  if (absent !== undefined)
    return [
      h("p", { class: "dim" }, `requests meanwhile are not counted: ${absent.what}`),
      ...(absent.remedy === undefined ? [] : [commands(absent.remedy)]),
    ];
  if (value === undefined) return [];
  const total = value.codes.reduce((sum, { count }) => sum + count, 0);
  const failed = value.codes.filter(({ code }) => code.startsWith("5")).reduce((sum, { count }) => sum + count, 0);
  return [
    h(
      "p",
      { class: "meanwhile" },
      `about ${many(total, "request")} of visitors since it began: `,
      failed === 0 ? badge("good", "0 failed") : badge("bad", `${failed} failed (5xx)`),
    ),
    ...(value.codes.length === 0
      ? []
      : [
          table(
            "Requests meanwhile, by status",
            ["Status", "Requests"],
            value.codes.map(({ code, count }) => [code, String(count)]),
          ),
        ]),
  ];
}

function head({ change, ended, releases }: Activity, serving: string | undefined): Node[] {
  const two =
    releases.length < 2
      ? []
      : [
          h(
            "ul",
            { class: "plain" },
            releases.map(({ release, running, healthy }) =>
              h(
                "li",
                null,
                h("code", null, release),
                ` ${many(running, "container")}, ${healthy} healthy`,
                ...(release === serving ? [" ", badge("good", "serves")] : []),
              ),
            ),
          ),
        ];
  if (change === undefined) {
    if (ended !== undefined) return [h("p", null, "the last change was over at ", time(ended), " UTC"), ...two];
    return two;
  }
  const says = change.verb === "preview" ? "a preview runs" : `${change.verb} runs`;
  return [
    h("p", null, badge("warn", says), " by ", h("strong", null, change.by), " since ", time(change.since), " UTC"),
    ...(change.certain
      ? []
      : [h("p", { class: "dim" }, "its end was not recorded; whether it still runs can't be seen from here")]),
    ...two,
  ];
}

/** The release that is on its way: where it is, how long, what it waits for, and what visitors notice. */
export const release = ({ activity, meanwhile: requests, containers }: Parts, now: number): Element =>
  partly("release", "Release on its way", activity, (value) => [
    ...head(value, containers.value?.release),
    ...(value.steps.length === 0
      ? [
          h(
            "p",
            null,
            value.change === undefined ? "none: nothing changes the stack" : "its steps can't be seen from here",
          ),
        ]
      : [
          ...meanwhile(requests),
          graph(value.steps, now),
          steps(value.steps, now),
          h("p", { class: "dim" }, FROM[value.from]),
        ]),
  ]);
