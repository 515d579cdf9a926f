import type { z } from "zod";
import { settingsSchema } from "./schema.ts";

/** Whether a setting may be left out where the object that it is in is there. */
export function isOptional(path: readonly string[]): boolean {
  const object = path.slice(0, -1).reduceRight<object>((inner, key) => ({ [key]: inner }), {});
  const parsed = settingsSchema.safeParse(object);
  return !parsed.error?.issues.some((issue: z.core.$ZodIssue) => issue.path.join(".") === path.join("."));
}
