import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { dataNetworkOf } from "../../../../cli/shared/networks.ts";

describe("the network that tells stacks of the same name apart", () => {
  it("is the data network, whatever the names begin with", () => {
    for (const prefix of ["", "shop-", "network-data-"])
      assert.equal(
        dataNetworkOf(["app", "public", "data", "restore"].map((one) => `${prefix}network-${one}-0a1b2c3`)),
        `${prefix}network-data-0a1b2c3`,
      );
    assert.equal(dataNetworkOf(["bridge", "network-app-0a1b2c3", "drydock-edge"]), undefined);
  });
});
