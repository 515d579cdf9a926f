import { statusOf } from "../../status/run.ts";
import type { Target } from "../target.ts";
import { type Source, told } from "./source.ts";

/** What `./drydock status` says. */
export function containers(target: Target): Source {
  return {
    name: "containers",
    parts: ["containers"],
    every: 5_000,
    read: async () => ({ containers: told(await statusOf(await target.now())) }),
    // Containers that come and go are seen by their list first.
    key: ({ activity }) => JSON.stringify(activity.value?.releases ?? []),
  };
}
