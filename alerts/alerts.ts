import type { Alert, Subject } from "./alert.ts";
import { backups } from "./backups.ts";
import { certificates } from "./certificates.ts";
import { containers } from "./containers.ts";
import { database } from "./database.ts";
import { host } from "./host.ts";
import { laravel } from "./laravel.ts";
import { monitoring, WATCHDOG } from "./monitoring.ts";
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

const all = Object.values(ALERTS_BY_SUBJECT).flat();

/** The names of all alerts. */
export const ALERTS: readonly string[] = all.map(({ name }) => name);

/** Those that Alertmanager tells people of. */
export const TOLD_HERE: readonly string[] = all
  .filter(({ name, told }) => told === undefined && name !== WATCHDOG)
  .map(({ name }) => name);
