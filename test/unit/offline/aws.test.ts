import assert from "node:assert/strict";
import { asWritten, fromSdk, sameJson, toSdk } from "../../../offline/aws/wire.ts";
import type { Values } from "../../../offline/plugin/values.ts";

describe("offline aws: properties", () => {
  it("are spelt as the SDK spells them, and back", () => {
    const rules = [
      {
        id: "a",
        filter: { prefix: "x/" },
        transitions: [{ days: 30, storageClass: "STANDARD_IA" }],
        applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: "k" },
      },
    ];
    const there = toSdk(rules);
    assert.deepEqual(there, [
      {
        ID: "a",
        Filter: { Prefix: "x/" },
        Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }],
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "k" },
      },
    ]);
    assert.deepEqual(fromSdk(there), rules);
  });

  it("stay as they were written where S3 answers the same in other words", () => {
    const schema = { policy: { kind: "string" }, rules: { kind: "set", of: { kind: "any" } } } as const;
    const policy = '{"Statement":[{"Action":["a","b"],"Resource":"r"}]}';
    const live: Values & { policy: string } = {
      policy: '{ "Statement": {"Resource":["r"],"Action":["b","a"]} }',
      rules: [{ b: 2 }, { a: 1 }],
    };
    assert.deepEqual(asWritten(schema, { policy, rules: [{ a: 1 }, { b: 2 }] }, live), {
      policy,
      rules: [{ a: 1 }, { b: 2 }],
    });
    assert.deepEqual(asWritten(schema, { policy: "{}" }, { policy: live.policy }), { policy: live.policy });
  });

  it("compares policies by their meaning", () => {
    assert.ok(sameJson('{"a":true,"b":[1,2]}', '{"b":[2,1],"a":"true"}'));
    assert.ok(!sameJson('{"a":["x"]}', '{"a":["y"]}'));
    assert.ok(!sameJson('{"a":["x","y"]}', '{"a":["x"]}'));
  });
});
