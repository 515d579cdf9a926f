import type { Alert, Subject } from "./alert.ts";
import { backups } from "./backups.ts";
import { certificates } from "./certificates.ts";
import { containers } from "./containers.ts";
import { database } from "./database.ts";
import { host } from "./host.ts";
import { laravel } from "./laravel.ts";
import { monitoring } from "./monitoring.ts";
import { redis } from "./redis.ts";
import { site } from "./site.ts";

/** All alerts, by what they are about, in the order of the documents. */
export const ALERTS_BY_SUBJECT: Readonly<Record<Subject, readonly Alert[]>> = {
  site,
  laravel,
  database,
  redis,
  containers,
  host,
  backups,
  certificates,
  monitoring,
};

/** The names of all alerts. */
export const ALERTS: readonly string[] = Object.values(ALERTS_BY_SUBJECT).flatMap((alerts) =>
  alerts.map(({ name }) => name),
);
