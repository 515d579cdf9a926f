import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const wantedSchema = z.object({ stack: z.string(), names: z.array(z.string()) });
/** A name becomes a file's name and an argument. */
const isName = (name: string): boolean => /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name);

/**
 * The names that stacks want, with the stack that wants each.
 * @param state the folder into which stacks have put them
 */
export function wantedNames(state: string, log: (level: "error", line: string) => void): ReadonlyMap<string, string> {
  const folder = join(state, "wanted");
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".json")) : [];
  const pairs = files.sort().flatMap((file) => {
    try {
      const { stack, names } = wantedSchema.parse(JSON.parse(readFileSync(join(folder, file), "utf8")));
      return names.filter(isName).map((name) => [name, stack] as const);
    } catch (error) {
      log("error", `wanted/${file} can't be read, its names are left as they are: ${(error as Error).message}`);
      return [];
    }
  });
  return new Map(pairs);
}
