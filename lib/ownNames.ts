import { z } from "zod";

/**
 * What a record has under a name that somebody else chose, such as a table's: `constructor` and `toString` are names
 * too, and every object has something called so.
 */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

/** A record by such names; zod's own leaves out what is called `__proto__`. */
export function recordOf<T>(value: z.ZodType<T>) {
  const isRecord = (found: unknown): boolean => typeof found === "object" && found !== null && !Array.isArray(found);
  return z.custom<Record<string, T>>(isRecord).transform((found, context): Record<string, T> => {
    const entries = Object.entries(found).map(([name, one]): [string, T] => {
      const { success, data, error } = value.safeParse(one);
      if (success) return [name, data];
      for (const { message, path } of error.issues)
        context.addIssue({ code: "custom", message, path: [name, ...path] });
      return [name, one];
    });
    return Object.fromEntries(entries);
  });
}
