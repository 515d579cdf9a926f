import { z } from "zod";
import {
  argv,
  cpus,
  flag,
  globs,
  imageReference,
  integer,
  mebibytes,
  notEmpty,
  optional,
  preset,
  required,
  schedule,
  seconds,
  text,
  url,
} from "../fields.ts";
import { isPassword, passwordExpects, passwordGenerator } from "../variableTypes.ts";
import { earlierAlarms } from "./alarms.ts";

const hook = (when: string) =>
  optional(
    z
      .strictObject({
        command: required(argv(), "The command, run in the backup container"),
        timeout: preset(seconds(), 60, "How long it may take"),
      })
      .meta({ expects: "an object with command, and if needed timeout" }),
    `A command that runs ${when}; where it fails, so does the backup`,
    "none",
  );

const secretText = (description: string) =>
  text(passwordExpects, isPassword)
    .optional()
    .meta({ description, secret: true, generator: passwordGenerator, computed: "**required** where `enabled`" });
const s3 = z.strictObject({
  bucket: required(
    text("a bucket's name", (value) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value), "shop-backups"),
    "The bucket",
  ),
  region: required(
    text("a region, such as eu-central-1", (value) => /^[a-z0-9-]+$/.test(value), "eu-central-1"),
    "Its region",
  ),
  prefix: preset(
    text("nothing, or a path that ends with /", (value) => /^([\w.-]+\/)*$/.test(value)),
    "",
    "Before the name of each object",
  ),
  endpoint: optional(url(), "Where it isn't Amazon's", "Amazon S3 of the region"),
  accessKeyId: optional(text("an access key's id", notEmpty), "The access key", "the machine's own role"),
  secretAccessKey: text("a secret access key", notEmpty)
    .optional()
    .meta({ description: "Its secret", secret: true, computed: "the machine's own role" }),
});

/** Backups, their proof, and who is told. */
export const backup = z.strictObject({
  enabled: preset(flag(), true, "Back up, restore each backup to prove it, and keep the binary log for points in time"),
  image: optional(imageReference(), "The image of the backup agent", "**required** where `enabled`"),
  memory: preset(mebibytes(384), 512, "Memory limit of the agent"),
  cpus: preset(cpus(), 1, "Processor limit of the agent"),
  restoreMemory: preset(mebibytes(256), 768, "Memory limit of the container in which backups are restored"),
  restoreCpus: preset(cpus(), 1, "Processor limit of that container"),
  readerMemory: preset(
    mebibytes(64),
    128,
    "Memory limit of each container that reads the volume of one of `services` for the agent",
  ),
  key: secretText(
    "The repository's key (restic's repository password): without it no backup can be read, so keep a copy elsewhere",
  ),
  databasePassword: secretText("The password of the database account `drydock_backup`"),
  token: secretText("What the agent shows to the container in which it restores"),
  type: preset(
    z.enum(["full", "db", "files", "incremental"]).meta({ expects: '"full", "db", "files" or "incremental"' }),
    "full",
    "What the daily backup holds",
  ),
  schedule: preset(schedule("0 2 * * *"), "0 2 * * *", "When a backup is made (UTC)"),
  healthSchedule: preset(schedule("0 1 * * 0"), "0 1 * * 0", "When the whole repository is checked (UTC)"),
  cleanupSchedule: preset(schedule("0 3 1 * *"), "0 3 1 * *", "When backups past their time are removed (UTC)"),
  include: preset(globs(), ["."], "What of Laravel's storage/app is backed up, from there"),
  exclude: preset(
    globs(),
    [".drydock-*", "**/cache/**", "**/tmp/**", "*.log", "livewire-tmp"],
    "What of it is left out, as restic reads patterns",
  ),
  hostRole: preset(
    flag(),
    false,
    "Accept that the bucket is written to with the role of the Docker host: every container of the host that reaches " +
      "out has that role as well, Laravel's too, and may read, hide and overwrite all backups",
  ),
  physical: preset(
    flag(),
    true,
    "MariaDB: copy the server's files instead of dumping tables, so that a restore takes as long as the disk",
  ),
  keepRestored: preset(
    flag(),
    true,
    "Leave the files that the proof of the newest backup has restored, where there is room for them once more: " +
      "a restore copies them. They are as large as the database, and not encrypted",
  ),
  localDays: preset(integer(1, 3650, "days"), 7, "How long backups are kept on the Docker host"),
  s3Days: preset(integer(1, 3650, "days"), 30, "How long they are kept in S3"),
  maxAge: preset(integer(1, 8760, "hours"), 26, "An alarm is raised when the newest verified backup is older"),
  binlogInterval: preset(
    integer(1, 5, "seconds"),
    5,
    "How often what is new in the binary log is put into the repository",
  ),
  pre: hook("before a backup"),
  post: hook("after a backup"),
  validate: hook("when a backup has been restored"),
  alarms: earlierAlarms.prefault({}).meta({
    description: "The earlier place of `drydock:alarms`, which holds where both are set",
    expects: "an object with email or webhook",
  }),
  s3: optional(s3.meta({ expects: "an object with bucket and region" }), "A second place for every backup", "none"),
});
