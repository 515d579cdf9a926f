import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { gapsIn } from "../../../../cli/shared/gaps.ts";
import type { Report } from "../../../../cli/shared/report.ts";
import { translate } from "../../../../cli/shared/translations.ts";
import { next } from "../../../../cli/up/next.ts";

const report = (stack: string, role: string, health = "healthy"): Report => ({
  ...{ stack, url: "https://shop.example", release: "4f2a91c07b3e" },
  services: [{ name: role, role, container: `${role}-1`, image: "a:1", state: "running", health }],
});

describe("what to do after an up", () => {
  it("is a stack's, or an edge's, or the log of what is not healthy", () => {
    assert.match(next(report("prod", "app")), /artisan -s prod -- about {2,}# /);
    const edge = next(report("edge", "edge"));
    assert.match(edge, /drydock:domains\[0\]\.name' shop\.example\.com -s prod/);
    assert.match(edge, /\.\/drydock edge status {2,}#/);
    assert.doesNotMatch(edge, /artisan|\/up /);
    assert.match(next(report("edge-local", "edge")), /edge certificates -s edge-local --root > drydock-ca\.pem/);
    assert.match(next(report("edge", "edge", "unhealthy")), /drydock logs edge -s edge/);
  });
});

describe("what an update takes away before its successor is there", () => {
  const event = (op: string, role: string) => ({
    resourcePreEvent: {
      metadata: {
        ...{ op, urn: "urn:pulumi:edge::drydock::docker:index/container:Container::x" },
        type: "docker:index/container:Container",
        old: { inputs: { labels: [{ label: "drydock.role", value: role }] } },
      },
    },
  });

  it("is said of an edge that is made anew, and of nothing else", () => {
    assert.match(gapsIn([event("replace", "edge")])[0]!, /^the edge's nginx is made anew/);
    for (const other of [event("update", "edge"), event("replace", "app"), event("create-replacement", "edge")])
      assert.deepEqual(gapsIn([other]), []);
  });
});

describe("a failure of an edge, or for want of one", () => {
  const of = (said: string) => translate(said, { stack: "edge", passphrase: "FILE" });

  it("has what to do about it", () => {
    const none = of(
      "stack prod has drydock:domains, but no edge runs on its Docker host (ssh://a), so nobody would reach it",
    );
    assert.match(none!.what, /^stack prod has drydock:domains, and no edge runs on its Docker host \(ssh:\/\/a\)/);
    const taken = of(
      "drydock:domains of stack prod has names that are another stack's on this machine: a.b (of stack x); " +
        "nothing was changed.",
    );
    assert.match(taken!.what, /names of stack prod are another stack's on this machine: a\.b \(of stack x\)/);
    const overlap = of("invalid pool request: Pool overlaps with other one on this address space");
    assert.match(overlap!.remedy!, /drydock:edge\.subnet 10\.214\.77\.0\/24/);
    assert.match(of("network with name drydock-edge already exists")!.what, /another edge's/);
  });
});
