import { z } from "zod";
import {
  cpus,
  flag,
  id,
  imageReference,
  integer,
  mebibytes,
  optional,
  preset,
  seconds,
  serverOptions,
  text,
} from "../fields.ts";
import { isPassword, passwordExpects, passwordGenerator } from "../variableTypes.ts";
import { external } from "./external.ts";

/** The database server. */
export const database = z.strictObject({
  engine: preset(
    z.enum(["mariadb", "mysql"]).meta({ expects: '"mariadb" or "mysql"' }),
    "mariadb",
    "The database server",
  ),
  external: external("database", 3306),
  image: optional(imageReference(), "The database server's image", "**required** unless `external` is set"),
  uid: preset(id(), 999, "The user that it runs as"),
  gid: preset(id(), 999, "The group that it runs as"),
  memory: preset(mebibytes(128), 512, "Memory limit"),
  cpus: preset(cpus(), 1, "Processor limit"),
  bufferPool: preset(mebibytes(8), 128, "InnoDB's buffer pool, below the memory limit"),
  rootPassword: text(passwordExpects, isPassword).optional().meta({
    description: "The password of the server's root",
    secret: true,
    generator: passwordGenerator,
    computed: "**required** unless `external` is set",
  }),
  options: preset(
    serverOptions("max_connections"),
    {},
    "Further options of the server: `max_connections`, `sql_mode`, `collation_server`, `long_query_time`, " +
      "… (docs/data.md)",
  ),
  binlogDays: preset(integer(1, 99, "days"), 7, "How long the binary log is kept"),
  acceptPassword: preset(
    flag(),
    false,
    "Take a DB_PASSWORD in production that exists already and is short, simple or used twice; better: a new one",
  ),
  stopTimeout: preset(seconds(), 60, "How long the server may take to stop"),
});
