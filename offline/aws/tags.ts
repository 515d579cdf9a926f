import type { Values } from "../plugin/values.ts";
import { allTags, tagList, tell } from "./clients.ts";

type Tag = { Key: string; Value: string };

export const tagsOf = (tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined): Values =>
  Object.fromEntries((tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));

/** Brings IAM's tags from what they were to what they shall be. */
export async function retag(
  what: string,
  state: Values,
  inputs: Values,
  put: (tags: Tag[]) => Promise<unknown>,
  remove: (keys: string[]) => Promise<unknown>,
): Promise<void> {
  const wanted = allTags(inputs);
  const gone = Object.keys((state.tagsAll ?? {}) as Values).filter((key) => wanted[key] === undefined);
  await tell(`tagging ${what}`, async () => {
    if (gone.length > 0) await remove(gone);
    if (tagList(inputs).length > 0) await put(tagList(inputs));
  });
}
