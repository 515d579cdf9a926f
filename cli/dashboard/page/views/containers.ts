import { isHealthy } from "../../../shared/healthy.ts";
import type { ContainerReport } from "../../../shared/report.ts";
import { type Element, h, type Node } from "../h.ts";
import type { Parts } from "../state.ts";
import { shortImage } from "../words.ts";
import { badge, type Mood, partly, table } from "./common.ts";

const HEAD = ["Name", "Role", "State", "Health", "Restarts", "Image", "Container"];

const moodOf = (one: ContainerReport): Mood =>
  isHealthy(one) ? "good" : one.health === "starting" || one.state === "restarting" ? "warn" : "bad";

const row = (one: ContainerReport): readonly Node[] => [
  one.name,
  one.role,
  badge(moodOf({ ...one, health: "none" }), one.state),
  one.health === "none" ? "–" : badge(moodOf(one), one.health),
  one.restarts === undefined ? "–" : badge("bad", `${one.restarts}, over and over`),
  h("code", null, shortImage(one.image)),
  h("code", null, one.container),
];

/** The containers as `./drydock status` shows them. */
export const containers = ({ containers: part }: Parts): Element =>
  partly("containers", "Containers", part, (report) => [
    table("Containers of the stack", HEAD, report.services.map(row)),
    ...(report.unfinished === undefined || report.unfinished.others.length === 0
      ? []
      : [
          h("h3", null, "Besides, until a deployment succeeds"),
          table("Containers that are left over", HEAD, report.unfinished.others.map(row)),
        ]),
  ]);
