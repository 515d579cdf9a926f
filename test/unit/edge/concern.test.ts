import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { concernOf } from "../../../certificates/concern.ts";
import type { NameStatus } from "../../../contracts/certificates.ts";

const NOW = Date.UTC(2026, 0, 31);
const [MINUTE, DAY] = [60_000, 86_400_000];

/** A certificate of so many days, of which so many are left. */
const status = (kind: NameStatus["kind"], left = 60, days = 90, problem?: string): NameStatus => ({
  ...{ name: "shop.example.com", stack: "prod", kind, issuer: "Test", hsts: false },
  notBefore: new Date(NOW + (left - days) * DAY).toISOString(),
  notAfter: new Date(NOW + left * DAY).toISOString(),
  ...(problem === undefined ? {} : { problem }),
});
const concern = (one: NameStatus, since = NOW - DAY) => concernOf(one, since, NOW);

describe("what a name is worth an alarm for", () => {
  it("is a certificate that is not there after ten minutes, with the reason as far as it is known", () => {
    const none = status("placeholder");
    assert.equal(concern(none, NOW - 9 * MINUTE), undefined);
    assert.equal(
      concern(none, NOW - 10 * MINUTE),
      "shop.example.com has no certificate, and browsers warn of the site: nothing is known of the reason yet",
    );
    assert.match(
      concern({ ...none, problem: "the name leads elsewhere" })!,
      /warn of the site: the name leads elsewhere$/,
    );
  });

  it("is less than a fifth of a lifetime, whatever that is", () => {
    assert.equal(concern(status("authority", 18)), undefined);
    assert.match(
      concern(status("authority", 17, 90, "refused"))!,
      /ends on 2026-02-17T.*could not be renewed: refused$/,
    );
    assert.equal(concern(status("local", 2, 6)), undefined);
    assert.match(concern(status("local", 1, 6))!, /could not be renewed/);
  });

  it("is two weeks of one's own, whose owner has to renew it", () => {
    assert.equal(concern(status("own", 15, 365)), undefined);
    assert.match(concern(status("own", 14, 365))!, /is your own and ends on .*: set a new one in drydock:domains$/);
  });
});
