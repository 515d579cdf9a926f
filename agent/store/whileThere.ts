import { setTimeout } from "node:timers/promises";
import { AgentError } from "../shared/errors.ts";
import type { Restic } from "./restic.ts";
import type { Store } from "./store.ts";

/**
 * restic goes on trying for a quarter of an hour where S3 has gone away, and everything else waits for it: so S3 itself
 * is asked before and meanwhile, and what is at work is ended when it has not answered twice. Its client, too, waits
 * for minutes where a connection is there and nothing comes.
 *
 * @param every milliseconds; an answer may take as long
 * @throws what S3, or the way to it, said last
 */
export async function whileThere<T>(
  {
    catalogue: { store },
    restic,
  }: { readonly catalogue: { readonly store: Pick<Store, "list"> }; readonly restic: Pick<Restic, "end"> },
  work: () => Promise<T>,
  every = 15_000,
): Promise<T> {
  const ask = async (): Promise<void> => {
    const silence = new AbortController();
    const silent = setTimeout(every, undefined, silence).then(() => {
      throw new AgentError(`S3 has not answered for ${every / 1000} s`, { transient: true });
    });
    await Promise.race([store.list("latest"), silent]).finally(() => silence.abort());
  };
  await ask();
  let missed = 0;
  let gone: unknown;
  const look = setInterval(
    () =>
      void ask().then(
        () => {
          missed = 0;
        },
        (error: unknown) => {
          if (++missed < 2) return;
          gone = error;
          restic.end();
        },
      ),
    every,
  );
  try {
    return await work();
  } catch (error) {
    throw gone ?? error;
  } finally {
    clearInterval(look);
  }
}
