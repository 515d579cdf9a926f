import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { readExport } from "../../../../cli/maintenance/run.ts";
import {
  closedReferences,
  htmlOf,
  isAddressRange,
  type Maintenance,
  PAGE_LIMIT,
  readState,
  wanted,
} from "../../../../cli/maintenance/state.ts";
import { type CliError, Exit } from "../../../../cli/shared/errors.ts";

let count = 0;
const who = {
  by: "ann@ship",
  now: new Date("2026-01-31T10:00:00Z"),
  random: () => (++count).toString(16).padStart(32, "0"),
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const refused = (work: () => unknown, message: RegExp): void => {
  assert.throws(work, (error: CliError) => {
    assert.match(error.what, message);
    assert.match(error.what, /nothing was changed/);
    assert.equal(error.code, Exit.usage);
    return true;
  });
};
const current: Maintenance = wanted(
  { allow: ["10.0.0.0/8"], retryAfter: "60", message: "Soon.", secret: true },
  undefined,
  who,
);

describe("what maintenance mode is asked to be", () => {
  it("has defaults: nobody is let in, visitors come again after five minutes", () => {
    assert.deepEqual(wanted({}, undefined, who), {
      version: 1,
      since: "2026-01-31T10:00:00.000Z",
      by: "ann@ship",
      allow: [],
      retryAfter: 300,
      message: "We are down for maintenance and will be back soon.",
      page: null,
      pass: null,
    });
  });

  it("keeps what isn't asked for while it is on, the secret too", () => {
    const later = wanted({ retryAfter: "90" }, current, { ...who, now: new Date("2026-02-01T00:00:00Z") });
    assert.deepEqual(later, { ...current, retryAfter: 90 });
    assert.deepEqual(wanted({ secret: true }, current, who).pass, current.pass, "who has the secret address keeps it");
  });

  it("takes away what is asked to go", () => {
    const later = wanted({ allow: [], secret: false }, current, who);
    assert.deepEqual([later.allow, later.pass], [[], null]);
  });

  it("goes back to a generated page with a message", () => {
    const own = wanted({ page: bytes("<h1>own</h1>") }, current, who);
    assert.equal(own.page, "<h1>own</h1>");
    assert.equal(wanted({ retryAfter: "5" }, own, who).page, "<h1>own</h1>");
    assert.equal(wanted({ message: "Now." }, own, who).page, null);
  });

  it("makes two different secrets for the address and the cookie", () =>
    assert.notEqual(current.pass?.path, current.pass?.cookie));

  for (const range of [
    "10.0.0.0/33",
    "10.0.0",
    "::1/129",
    "10.0.0.1; return 200",
    "10.0.0.0/8/8",
    "example.com",
    "",
    "10.0.0.0/",
    "10.0.0.1 1;} #",
  ]) {
    it(`refuses ${JSON.stringify(range)} as an address`, () =>
      refused(() => wanted({ allow: [range] }, undefined, who), /no address and no range/));
  }
  for (const range of ["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "0.0.0.0/0"]) {
    it(`takes ${range} as an address`, () => assert.equal(isAddressRange(range), true));
  }
  for (const seconds of ["0", "-1", "1.5", "604801", "soon", "1e3", "", " 5"]) {
    it(`refuses ${JSON.stringify(seconds)} as seconds`, () =>
      refused(() => wanted({ retryAfter: seconds }, undefined, who), /--retry-after/));
  }
  it("refuses an empty message, and a message beside a page", () => {
    refused(() => wanted({ message: " \n" }, undefined, who), /--message/);
    refused(() => wanted({ message: "x".repeat(2001) }, undefined, who), /2001 characters/);
    refused(() => wanted({ message: "a", page: bytes("<p>") }, undefined, who), /--page/);
  });
});

describe("a page of one's own", () => {
  it("is any HTML in UTF-8", () => {
    assert.equal(htmlOf(bytes("<!doctype html><p>é 🐢")), "<!doctype html><p>é 🐢");
  });
  it("is refused when it is no text, no HTML or too large", () => {
    refused(() => htmlOf(new Uint8Array([0x3c, 0x70, 0x3e, 0xff])), /UTF-8/);
    refused(() => htmlOf(bytes("only text")), /not HTML/);
    refused(() => htmlOf(bytes("<p>\0")), /not HTML/);
    refused(() => htmlOf(new Uint8Array(PAGE_LIMIT + 1)), /524288 are the limit/);
  });
  it("is searched for what it would ask of the closed site", () => {
    const html =
      '<img src="/bg.png"><link href=style.css><a href="https://example.com">x</a><a href="#top"></a><img ' +
      'src="data:image/png;base64,AA=="><script src=\'//cdn.example/x.js\'></script><img src="/bg.png">';
    assert.deepEqual(closedReferences(html), ["/bg.png", "style.css"]);
  });
});

describe("a saved state", () => {
  it("is read back as it was written", () => assert.deepEqual(readState(JSON.stringify(current), "x"), current));
  it("is refused with the name of what is wrong, not with its value", () => {
    const broken = JSON.stringify({
      ...current,
      allow: ["1; return 200"],
      pass: { path: "} evil", cookie: current.pass?.cookie },
    });
    assert.throws(
      () => readState(broken, "the file"),
      (error: CliError) => {
        assert.equal(error.what, "the file is not valid in: allow.0, pass.path");
        return true;
      },
    );
    assert.throws(() => readState("{", "the file"), /the file is not JSON/);
    assert.throws(() => readState(JSON.stringify({ ...current, more: 1 }), "the file"), /the whole/);
  });

  it("comes out of an export, which may also say that it was off", () => {
    assert.deepEqual(readExport(bytes(JSON.stringify({ on: true, ...current })), "f"), current);
    assert.equal(readExport(bytes('{"version":1,"on":false}'), "f"), undefined);
  });
  it("is no export when it is anything else", () => {
    for (const text of ["", "null", "[]", "{}", '{"on":true}', '{"on":false}', JSON.stringify(current)])
      refused(() => readExport(bytes(text), "f"), /^f is/);
  });
});
