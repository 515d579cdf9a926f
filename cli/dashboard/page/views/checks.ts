import { many } from "../../../../lib/many.ts";
import { type Element, h, type Node } from "../h.ts";
import { CHECKS, type CheckName, type FindingRow, type Findings } from "../state.ts";
import { badge, commands, type Reader, section, time } from "./common.ts";

const SAYS = {
  drift: ["Drift", "what was changed by hand since the last deployment; it only reads", "Look for drift"],
  doctor: [
    "Doctor",
    "what runs is looked into for the known issues; where Laravel writes, a file of one byte is made and removed",
    "Ask the doctor",
  ],
  policies: [
    "Policies",
    "what is deployed is judged by the rules of today; Pulumi's state is read alone",
    "Ask the rules",
  ],
} as const satisfies Record<CheckName, readonly string[]>;

const BAD: readonly string[] = ["broken", "missing", "mandatory"];

const finding = ({ kind, name, what, remedy }: FindingRow): Element =>
  h(
    "li",
    null,
    h("p", null, badge(BAD.includes(kind) ? "bad" : "warn", kind), " ", h("strong", null, name), `: ${what}`),
    remedy === "" ? undefined : commands(remedy),
  );

function told({ at, findings, problem }: Findings): Node[] {
  if (problem !== undefined)
    return [
      h("p", null, badge("bad", "it could not be found out"), ": ", problem.what),
      ...(problem.remedy === undefined ? [] : [commands(problem.remedy)]),
    ];
  return [
    h("p", { class: "dim" }, "looked at ", time(at), " UTC"),
    findings.length === 0
      ? h("p", null, badge("good", "nothing was found"))
      : h(
          "div",
          null,
          h("p", null, badge("warn", many(findings.length, "finding"))),
          h("ul", { class: "alerts" }, findings.map(finding)),
        ),
  ];
}

function check(of: CheckName, { findings, connection }: Reader): Element {
  const [title, what, button] = SAYS[of];
  const found = findings[of];
  return h(
    "div",
    { class: "check" },
    h("h3", null, title),
    h("p", { class: "dim" }, what),
    connection === "file"
      ? undefined
      : h(
          "button",
          { type: "button", "data-ask": of, disabled: found === "asking" },
          found === "asking" ? "looking …" : button,
        ),
    h("div", { "aria-live": "polite" }, found === undefined || found === "asking" ? undefined : told(found)),
  );
}

/** What drift, doctor and the policies find, when somebody asks. */
export const checks = (reader: Reader): Element => {
  const all = CHECKS.map((of) => check(of, reader));
  return section("checks", "Checks", h("div", { class: "checks" }, all));
};
