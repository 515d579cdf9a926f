import { many } from "../../../../lib/many.ts";
import { isHealthy } from "../../../shared/healthy.ts";
import { type Element, h, type Node } from "../h.ts";
import type { AlertRow, Parts } from "../state.ts";
import { badge, commands, type Mood, partly, section, time } from "./common.ts";

/** In one line: is it well? */
export function verdict({ containers, alerts, activity }: Parts): { readonly mood: Mood; readonly says: string } {
  const { value: report } = containers;
  if (report === undefined) return { mood: "calm", says: containers.problem?.what ?? "asking …" };
  const ill = report.services.filter((one) => !isHealthy(one));
  const raised = alerts.value?.alerts.filter(({ state }) => state === "raised") ?? [];
  if (report.services.length === 0) return { mood: "bad", says: "nothing runs" };
  const what = [
    ...(ill.length > 0
      ? [
          `${ill.length} of ${many(report.services.length, "container")} not healthy: ` +
            ill.map(({ name }) => name).join(", "),
        ]
      : []),
    ...(raised.length > 0 ? [`${many(raised.length, "alert")} raised`] : []),
    ...(report.restore === undefined ? [] : [report.restore.what]),
    ...(report.alarms ?? []),
  ];
  if (what.length > 0) return { mood: ill.length > 0 || raised.length > 0 ? "bad" : "warn", says: what.join("; ") };
  if (report.unfinished !== undefined && activity.value?.change === undefined)
    return { mood: "warn", says: "the last deployment has not gone through all its steps" };
  return { mood: "good", says: `all ${many(report.services.length, "container")} healthy` };
}

const MOODS: Readonly<Record<string, Mood>> = { critical: "bad", warning: "warn", info: "calm" };

const alert = ({ name, severity, state, since, summary, remedy, command }: AlertRow): Element =>
  h(
    "li",
    null,
    h(
      "p",
      null,
      badge(MOODS[severity] ?? "warn", state === "raised" ? severity : "waits"),
      " ",
      h("strong", null, name),
      " since ",
      time(since),
    ),
    h("p", null, summary),
    h("p", null, remedy),
    commands(command),
  );

/** The alerts, the worst first; those that wait behind them, for most of them pass. */
export const alerts = ({ alerts: part }: Parts): Element =>
  partly("alerts", "Alerts", part, ({ alerts: all, silences }): Node[] => {
    const raised = all.filter(({ state }) => state === "raised");
    const waiting = all.filter(({ state }) => state !== "raised");
    return [
      raised.length === 0
        ? h("p", null, badge("good", "no alert is raised"))
        : h("ul", { class: "alerts" }, raised.map(alert)),
      ...(waiting.length === 0
        ? []
        : [
            h(
              "details",
              null,
              h(
                "summary",
                null,
                `${many(waiting.length, "alert")} raised if it lasts: `,
                waiting.map(({ name }) => name).join(", "),
              ),
              h("ul", { class: "alerts" }, waiting.map(alert)),
            ),
          ]),
      ...silences.map(({ comment, until }) => h("p", { class: "dim" }, "silent until ", time(until), `: ${comment}`)),
    ];
  });

/** What the stack says of itself: alarms, and a restore. */
export function alarms({ containers: { value: report } }: Parts): Element | undefined {
  const said = [...(report?.alarms ?? []), ...(report?.restore === undefined ? [] : [report.restore.what])];
  if (said.length === 0) return undefined;
  return section(
    "alarms",
    "Alarms",
    h(
      "ul",
      null,
      said.map((one) => h("li", null, badge("warn", one))),
    ),
  );
}
