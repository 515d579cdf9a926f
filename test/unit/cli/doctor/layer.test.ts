import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { writtenTo } from "../../../../cli/doctor/layer.ts";

describe("what a container has written to its own layer", () => {
  const path = "/var/www/html";
  const mounts = [`${path}/storage/app`, "/drydock"];

  it("is named by the folder that could be kept, once for many files", () => {
    const diff = [
      "C /var",
      "C /var/www",
      `C ${path}`,
      `C ${path}/storage`,
      `A ${path}/storage/uploads`,
      `A ${path}/storage/uploads/2026`,
      `A ${path}/storage/uploads/2026/a.png`,
      `A ${path}/storage/uploads/b.png`,
      `C ${path}/public`,
      `A ${path}/public/uploads`,
      `A ${path}/public/uploads/c.png`,
      `A ${path}/storage/installed`,
      `C ${path}/storage/changed`,
      "A /tmp/x",
      `D ${path}/gone`,
    ].join("\n");
    assert.deepEqual(writtenTo(diff, path, mounts), ["public/uploads", "storage/installed", "storage/uploads"]);
  });

  it("is nothing where only mounts, Laravel's own folders and what Drydock delivers are new", () => {
    const diff = [
      `A ${path}/.env`,
      `A ${path}/.env.production`,
      `A ${path}/storage`,
      `A ${path}/storage/app`,
      `A ${path}/storage/framework`,
      `A ${path}/storage/logs`,
      `A ${path}/bootstrap/cache`,
      "A /drydock",
      "A /run/drydock/fpm.conf",
    ].join("\n");
    assert.deepEqual(writtenTo(diff, path, mounts), []);
  });
});
