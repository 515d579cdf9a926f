import { z } from "zod";
import { flag, optional, preset, seconds } from "../fields.ts";

/** The migrations of a release. */
export const migrate = z.strictObject({
  enabled: preset(flag(), true, "Run `migrate --force` in each release"),
  timeout: preset(seconds(), 600, "How long the migrations may take; then they are ended, and so is their lock"),
  lockTimeout: preset(
    seconds(3600),
    5,
    "How long a statement of a migration waits for a table that others use, while those who come later wait for " +
      "it; it is tried six times",
  ),
  breaking: optional(
    z.enum(["warn", "refuse"]).meta({ expects: '"warn" or "refuse"' }),
    "What is done with a migration that breaks the release which still serves",
    "`refuse`; on a local stack `warn`",
  ),
});
