import type { Call } from "../plugin/resource.ts";
import { ask, tell } from "./engine.ts";
import * as journal from "./journal.ts";

/** Removes the container or network that an interrupted creation of this resource has left: it is in no state. */
export async function removeLeftover(call: Pick<Call, "urn" | "log">): Promise<void> {
  const entry = journal.leftover(call.urn);
  if (!entry) return;
  const { name } = entry;
  if (name !== undefined) {
    for (const container of await tell((docker) =>
      docker.listContainers({ all: true, filters: { name: [`^/${name}$`] } }),
    )) {
      call.log("info", `removing ${name}, which an interrupted update has left`);
      await ask((docker) => docker.getContainer(container.Id).remove({ force: true, v: true }));
    }
    for (const network of await tell((docker) => docker.listNetworks({ filters: { name: [`^${name}$`] } }))) {
      call.log("info", `removing network ${name}, which an interrupted update has left`);
      await ask((docker) => docker.getNetwork(network.Id).remove());
    }
  }
  journal.abandoned(entry);
}
