import { type Element, h, type Node } from "./h.ts";
import type { State } from "./state.ts";
import { backups } from "./views/backups.ts";
import { certificates } from "./views/certificates.ts";
import { charts } from "./views/charts.ts";
import { checks } from "./views/checks.ts";
import { badge, type Reader, time } from "./views/common.ts";
import { containers } from "./views/containers.ts";
import { alarms, alerts, verdict } from "./views/overview.ts";
import { queues } from "./views/queues.ts";
import { release } from "./views/release.ts";
import { releases } from "./views/releases.ts";

/** Where one can jump to: the sections with their headings. */
const SECTIONS = [
  ["release", "Release on its way"],
  ["alerts", "Alerts"],
  ["requests", "Requests and times"],
  ["containers", "Containers"],
  ["queues", "Queues"],
  ["releases", "Releases"],
  ["backups", "Backups"],
  ["certificates", "Certificates"],
  ["checks", "Checks"],
] as const;

const CONNECTION = {
  live: "live",
  lost: "not connected: this is how it was",
  file: "an export: this is how it was",
} as const;

/** The title of the document. */
export function titleOf({ stack, parts }: State): string {
  const { mood } = verdict(parts);
  return `${mood === "good" ? "" : mood === "bad" ? "✗ " : mood === "warn" ? "! " : ""}${stack} – Drydock`;
}

/** Only what is an address of the web is a link. */
function address(url: string): Node {
  return /^https?:\/\//.test(url) ? h("a", { href: url, rel: "noreferrer noopener" }, url) : url;
}

/** What a document's body has. */
export function page(state: State, reader: Reader): readonly Element[] {
  const { stack, parts } = state;
  const { mood, says } = verdict(parts);
  const { value: report } = parts.containers;
  const { now } = reader;
  return [
    h("a", { class: "skip", href: "#main" }, "To the content"),
    h(
      "header",
      null,
      h("h1", null, stack),
      report === undefined || report.url === "" ? undefined : h("p", null, address(report.url)),
      report === undefined
        ? undefined
        : h("p", null, "release ", h("code", null, report.release === "" ? "none" : report.release)),
      h("p", { class: "verdict", role: "status" }, badge(mood, says)),
      h(
        "p",
        { class: "dim" },
        badge(reader.connection === "live" ? "calm" : "warn", CONNECTION[reader.connection]),
        ...(parts.containers.at === undefined ? [] : [" as of ", time(parts.containers.at), " UTC"]),
      ),
    ),
    h(
      "nav",
      { "aria-label": "Sections" },
      h(
        "ul",
        null,
        SECTIONS.map(([id, title]) => h("li", null, h("a", { href: `#${id}` }, title))),
      ),
    ),
    h(
      "main",
      { id: "main", tabindex: -1 },
      alarms(parts),
      release(parts, now),
      alerts(parts),
      charts(parts, reader),
      containers(parts),
      queues(parts),
      releases(parts),
      backups(parts, now),
      certificates(parts, now),
      checks(reader),
    ),
  ];
}
