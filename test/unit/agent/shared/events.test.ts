import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { clean, redact } from "../../../../agent/shared/events.ts";

describe("what goes out", () => {
  it("has no secret", () => assert.equal(redact("with s3cret and s3cret", ["s3cret"]), "with *** and ***"));
  it("has nothing left of one that has another one in it", () => {
    const secrets = ["shop", "shopping", "my-shopping-key"];
    assert.equal(redact("shop shopping my-shopping-key my-shop", secrets), "*** *** *** my-***");
  });
  it("has none in JSON either, where a quote in it looks otherwise", () => {
    const secret = 'a"b\\c\nd';
    const event = { event: "log", message: `with ${secret}`, deep: [{ [secret]: secret, count: 1, none: null }] };
    assert.equal(
      JSON.stringify(clean(event, [secret])),
      '{"event":"log","message":"with ***","deep":[{"***":"***","count":1,"none":null}]}',
    );
  });
});
