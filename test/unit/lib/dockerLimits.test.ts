import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgeLimits } from "../../../lib/dockerLimits.ts";

describe("the limits that a Docker engine holds", () => {
  const all = { MemoryLimit: true, PidsLimit: true, CPUCfsQuota: true };

  it("are all, or not known", () => {
    for (const info of [all, {}]) assert.equal(judgeLimits("unix:///x", info), undefined);
  });

  it("are named where one is missing, with what brings it back", () => {
    const lost = judgeLimits("ssh://a@b", { ...all, MemoryLimit: false });
    assert.match(lost?.what ?? "", /^Docker at ssh:\/\/a@b does not hold limits of memory: /);
    assert.match(lost?.remedy ?? "", /cgroup_enable=memory/);
  });

  it("need control groups v2 where the engine runs without root", () => {
    const info = {
      ...{ MemoryLimit: false, PidsLimit: false, CPUCfsQuota: false, CgroupVersion: "1" },
      SecurityOptions: ["name=seccomp,profile=default", "name=rootless"],
    };
    const lost = judgeLimits("unix:///x", info);
    assert.match(lost?.what ?? "", /limits of memory, processes, processors: /);
    assert.match(lost?.remedy ?? "", /systemd and control groups v2.*there they are v1/);
  });
});
