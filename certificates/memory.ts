import { z } from "zod";

/** What the keeper remembers of each name, beside its certificate; times in ms since 1970. */
export const memorySchema = z.record(
  z.string(),
  z.object({
    /** Since when a stack has wanted it. */
    since: z.number(),
    /** In a row. */
    failures: z.number(),
    /** When it is asked for again. */
    next: z.number(),
    problem: z.string().optional(),
    /** Since when it has had a certificate that browsers trust. */
    real: z.number().optional(),
  }),
);
export type Memory = z.output<typeof memorySchema>;
