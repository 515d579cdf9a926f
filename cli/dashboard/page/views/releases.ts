import { type Element, h } from "../h.ts";
import type { Parts, ReleaseRow } from "../state.ts";
import { lasting, shortImage } from "../words.ts";
import { badge, partly, table, time } from "./common.ts";

const failures = ({ requests }: ReleaseRow) =>
  requests === null
    ? "–"
    : requests.failed === 0
      ? badge("good", `0 of ${requests.total}`)
      : badge("bad", `${requests.failed} of ${requests.total}`);

/** What was released, and what each changed. */
export const releases = ({ releases: part }: Parts): Element =>
  partly("releases", "Releases", part, (rows) => [
    rows.length === 0
      ? h("p", null, "nothing was released yet")
      : table(
          "Releases, the newest first",
          ["Number", "Release", "What changed", "At (UTC)", "By", "Took", "Requests failed", "Image"],
          rows.map((one) => [
            String(one.sequence),
            [h("code", null, one.release), ...(one.current ? [" ", badge("good", "serves")] : [])],
            h(
              "ul",
              { class: "plain" },
              one.changes.map((change) => h("li", null, change)),
            ),
            time(one.at),
            one.commit === "" ? one.by : `${one.by}, ${one.commit}`,
            one.seconds === null ? "–" : lasting(one.seconds),
            failures(one),
            h("code", null, shortImage(one.image)),
          ]),
        ),
  ]);
