import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { draw } from "../../../docs/pictures/draw.ts";

describe("pictures of what a command prints", () => {
  it("have colours and weights as a terminal, each text at its column, and no markup of its own", () => {
    const picture = draw(
      "a & b",
      "\x1b[1mNAME\x1b[0m  \x1b[32m+ <app>\x1b[39m.\x1b[0m\r\n\x1b[2K\x1b[2mnext\x1b[22m line\n\n",
    );
    assert.match(picture, /<title>a &amp; b<\/title>/);
    assert.deepEqual(
      [...picture.matchAll(/<text x="([\d.]+)" y="(\d+)" fill="(#\w+)"([^>]*?) textLength="[\d.]+">([^<]*)</g)].map(
        ([, ...found]) => found,
      ),
      [
        ["18.0", "32", "#e6edf3", ' font-weight="bold"', "NAME"],
        ["51.6", "32", "#e6edf3", "", "  "],
        ["68.4", "32", "#7ee787", "", "+ &lt;app&gt;"],
        ["127.2", "32", "#e6edf3", "", "."],
        ["18.0", "51", "#e6edf3", ' opacity="0.6"', "next"],
        ["51.6", "51", "#e6edf3", "", " line"],
      ],
    );
  });

  it("have the colours of a terminal with 256 of them, and nothing that a spinner has taken back", () => {
    const picture = draw("x", "busy|\b \b/\b \x1b[38;5;2m+\x1b[0m\x1b[38;5;13mnew\x1b[0m\r\n");
    assert.deepEqual(
      [...picture.matchAll(/fill="(#\w+)" textLength="[\d.]+">([^<]*)</g)].map(([, ...found]) => found),
      [
        ["#e6edf3", " "],
        ["#7ee787", "+"],
        ["#d2a8ff", "new"],
      ],
    );
  });
});
