import assert from "node:assert/strict";
import type { BackupHost } from "../../../../cli/backup/agent.ts";
import { isComplete, question, volumesAskedFor } from "../../../../cli/backup/choosing.ts";
import { entryLines } from "../../../../cli/backup/format.ts";
import { filesPlaces } from "../../../../cli/backup/places.ts";
import { entry } from "../../../support/agent/entries.ts";

describe("the places of a stack's files", () => {
  const mount = (Name: string, Destination: string) => ({ Type: "volume", Name, Destination });
  const inspections: Readonly<Record<string, unknown>> = {
    "backup-agent-1": {
      Config: { User: "33:33", Image: "backup:1" },
      Mounts: [
        mount("backups", "/backups"),
        mount("storage", "/storage"),
        mount("exports", "/volumes/storage%2Fexports"),
        mount("uploads", "/volumes/public%2Fuploads"),
      ],
    },
    "backup-service-search-1": {
      Config: { User: "999:998", Image: "backup:1" },
      Mounts: [mount("service-search-data", "/volume")],
    },
  };
  const host = (services: readonly object[]) =>
    ({
      docker: {
        run: async ([, container]: readonly string[]) =>
          container! in inspections
            ? { code: 0, stdout: JSON.stringify([inspections[container!]]), stderr: "" }
            : { code: 1, stdout: "", stderr: `No such object: ${container}` },
      },
      agent: "backup-agent-1",
      deployed: { outputs: { services } },
    }) as unknown as BackupHost;
  const reader = { name: "backup-service-search", role: "reader", container: "backup-service-search-1" };
  const service = { name: "service-search", role: "service", container: "service-search-1" };

  it("are storage/app and the folders as the application's user, and services as their own", async () => {
    const found = await filesPlaces(host([reader, service]));
    assert.deepEqual(
      found.map(({ title, volume, like: { Config }, service }) => [title, volume, Config.User, service]),
      [
        ["the files", "storage", "33:33", undefined],
        ["folder public/uploads", "uploads", "33:33", undefined],
        ["folder storage/exports", "exports", "33:33", undefined],
        ["service search", "service-search-data", "999:998", "service-search-1"],
      ],
    );
  });

  it("are said where a container of them is not there", async () => {
    await assert.rejects(filesPlaces(host([reader])), /service search has a reader/);
    await assert.rejects(
      filesPlaces(host([{ ...reader, container: "gone" }, service])),
      /gone can't be inspected: No such/,
    );
  });

  it("are all of a backup's, or those that are asked for", () => {
    const asked = (options: object) => {
      const all = { backup: true, ...options };
      return [isComplete(all), volumesAskedFor(all).map(({ kind, name }) => `${kind} ${name}`)];
    };
    assert.deepEqual(asked({}), [true, []]);
    assert.deepEqual(asked({ toTime: "2026-01-31 10:29:59" }), [true, []]);
    for (const one of [{ db: true }, { files: true }, { into: "look" }]) assert.deepEqual(asked(one), [false, []]);
    assert.deepEqual(asked({ folder: ["a", "b/c"], service: ["search"] }), [
      false,
      ["folder a", "folder b/c", "service search"],
    ]);
  });

  it("are named with what a backup has of them", async () => {
    const part = { count: 3, bytes: 2048, added: 1024, manifest: "", changed: 2 };
    const made = entry("a", 1, {
      volumes: { "service search": part, "folder public/uploads": { ...part, changed: 0 } },
    });
    const [storage, , , search] = await filesPlaces(host([reader, service]));
    assert.match(
      question(made, { database: true, places: [storage!, search!] }, undefined),
      /puts the database shop and 1 files and service search \(3 files\) of backup a /,
    );
    const said = entryLines(made);
    assert.ok(
      said.includes("files      service search: 3, 2.0 KiB, 1.0 KiB new; 2 were written to while they were read"),
      said.join("\n"),
    );
    assert.ok(said.includes("files      folder public/uploads: 3, 2.0 KiB, 1.0 KiB new"));
  });
});
