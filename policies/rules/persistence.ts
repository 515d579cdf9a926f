import { z } from "zod";
import { isWithin, unknownTargets } from "../helpers/mounts.ts";
import { directive, redisSettings } from "../helpers/redis.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { resourceRule } from "../rule.ts";
import { noSetting, onContainer } from "./shared.ts";

export const redisPersistent = resourceRule({
  name: "redis-persistent",
  family: "laravel",
  level: "mandatory",
  source: ["incident 13"],
  summary: "Redis writes to disk, on a volume.",
  why: "after a restart sessions, queued jobs and the maintenance page's settings were gone",
  remedy:
    'command: ["redis-server", "--appendonly", "yes"], mounts: [{ type: "volume", source: volume.name, target: ' +
    '"/data" }]',
  setting: noSetting.container,
  bad: 'command: ["redis-server", "--save", ""] without a volume',
  good: "appendonly yes, and a volume at /data",
  types: CONTAINERS,
  params: z.strictObject({ data: z.string().startsWith("/").default("/data") }),
  check: onContainer((container, report, { params }) => {
    if (container.role !== "redis") return;
    const settings = redisSettings(container);
    const [save, appendonly] = [directive(settings, "save"), directive(settings, "appendonly")];
    const persistent = appendonly?.value === "yes" || (save !== undefined && /\d/.test(save.value));
    if (!persistent && settings.unknown.length > 0) for (const path of settings.unknown) report.undecided(path);
    else if (!persistent)
      report.violation(
        (appendonly ?? save)?.path ?? container.path("command", "taskSpec.containerSpec.args"),
        "neither save nor appendonly is set",
      );
    const data = directive(settings, "dir")?.value ?? params.data;
    const holds = container.mounts.known.some(
      ({ value }) =>
        value.type !== "tmpfs" &&
        value.readOnly !== true &&
        typeof value.target === "string" &&
        value.target !== "/" &&
        isWithin(data, value.target),
    );
    const open = unknownTargets(container.mounts);
    if (!holds && open.length > 0) for (const path of open) report.undecided(path);
    else if (!holds) report.violation(container.path("mounts"), "no volume holds Redis's data");
  }),
});

export const databasePersistent = resourceRule({
  name: "database-persistent",
  family: "laravel",
  level: "mandatory",
  source: ["incident 13"],
  summary: "A database writes to a volume.",
  why: "what is in the container itself, or in memory, is gone with the next image",
  remedy: 'mounts: [{ type: "volume", source: volume.name, target: "/var/lib/mysql" }]',
  setting: noSetting.container,
  bad: "database without mounts",
  good: "a volume at /var/lib/mysql",
  types: CONTAINERS,
  params: z.strictObject({
    /** Folders in which databases keep their data. */
    data: z
      .array(z.string().startsWith("/"))
      .default([
        "/var/lib/mysql",
        "/var/lib/postgresql/data",
        "/var/lib/postgresql",
        "/bitnami/mariadb",
        "/bitnami/mysql",
        "/bitnami/postgresql",
        "/data",
      ]),
  }),
  check: onContainer((container, report, { params }) => {
    if (container.role !== "database") return;
    const { known, unknown } = container.mounts;
    const lasting = known.filter(({ value }) => value.type !== "tmpfs" && value.readOnly !== true);
    const holds = lasting.some(
      ({ value: { target } }) =>
        typeof target === "string" &&
        target !== "/" &&
        params.data.some((folder) => isWithin(folder, target) || isWithin(target, folder)),
    );
    if (holds) return;
    const open = unknownTargets({ known: lasting, unknown });
    if (open.length > 0) for (const path of open) report.undecided(path);
    else report.violation(container.path("mounts"), "no volume holds the database's data");
  }),
});
