import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { compare, judgeVersion } from "../../../lib/dockerVersion.ts";

describe("the version of a Docker engine", () => {
  for (const [version, api] of [
    ["20.10.24+dfsg1", "1.41"],
    ["26.1.5", "1.45"],
    ["28.2.2", "1.50"],
    ["29.0.0", "1.52"],
    ["dev", "2.0"],
  ] as const) {
    it(`is enough: ${version}`, () => assert.equal(judgeVersion("unix:///x", version, api), undefined));
  }
  it("is not enough, and says what is needed", () => {
    assert.match(
      judgeVersion("ssh://a@b", "19.03.15", "1.40")?.what ?? "",
      /^Docker 19\.03\.15 at ssh:\/\/a@b is too old: 20\.10 or newer is needed \(its API 1\.41; there it is 1\.40\)$/,
    );
  });
  it("is judged by the API where an engine of another make has numbers of its own", () => {
    assert.equal(judgeVersion("unix:///run/podman/podman.sock", "5.4.2", "1.41"), undefined);
    assert.match(judgeVersion("unix:///x", "", "1.9")?.what ?? "", /^Docker with API 1\.9 /);
  });
  it("is compared by numbers, not by letters", () => {
    assert.ok(compare("1.9", "1.41") < 0);
    assert.ok(compare("1.100", "1.41") > 0);
    assert.equal(compare("1.41", "1.41.0"), 0);
  });
});
