import type { Problem } from "./problems.ts";
import type { SettingsWithoutEnv } from "./schema.ts";

/** The settings of which each is right by itself; a wrong one is left out. */
export type LenientSettings = { readonly [G in keyof SettingsWithoutEnv]?: Partial<SettingsWithoutEnv[G]> };

/** What is wrong, and what is possible but hardly meant. */
export interface Found {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}
