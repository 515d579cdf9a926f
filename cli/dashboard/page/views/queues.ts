import { type Element, h } from "../h.ts";
import type { Parts } from "../state.ts";
import { lasting } from "../words.ts";
import { badge, partly, table } from "./common.ts";

const count = (value: number | null): string => (value === null ? "–" : String(value));

export const queues = ({ queues: part }: Parts): Element =>
  partly("queues", "Queues", part, ({ queues: rows, failed }) => [
    h(
      "p",
      null,
      "failed jobs: ",
      failed === null ? "not known" : failed === 0 ? badge("good", "none") : badge("warn", String(failed)),
    ),
    rows.length === 0
      ? h("p", null, "no queue is known")
      : table(
          "Jobs in each queue",
          ["Queue", "Wait", "Later", "At work", "Oldest waits"],
          rows.map(({ name, pending, delayed, reserved, oldest }) => [
            name,
            count(pending),
            count(delayed),
            count(reserved),
            oldest === null ? "–" : lasting(oldest),
          ]),
        ),
  ]);
