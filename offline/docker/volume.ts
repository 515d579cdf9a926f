import type { Resource } from "../plugin/resource.ts";
import { computed, followed, map, object, required, set, str } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { ask, tell } from "./engine.ts";
import { labelsOf } from "./spec.ts";

/** docker.Volume. The id is the name; every change replaces. One that exists already is taken over, as Docker does. */
export const volume: Resource = {
  schema: {
    name: required(str),
    driver: computed(str),
    driverOpts: map(str),
    labels: set(object({ label: required(str), value: required(str) })),
  },
  autoname: true,
  computed: ["driver", "mountpoint"],
  async create(inputs) {
    const name = String(inputs.name);
    await tell((docker) =>
      docker.createVolume({
        Name: name,
        ...(inputs.driver === undefined ? {} : { Driver: String(inputs.driver) }),
        ...(inputs.driverOpts === undefined ? {} : { DriverOpts: inputs.driverOpts as Record<string, string> }),
        Labels: labelsOf(inputs.labels),
      }),
    );
    return { id: name, outputs: (await live(name, inputs))!.outputs };
  },
  compared: (state) => state,
  read: (id, inputs) => live(id, inputs),
  async update(id, _state, inputs) {
    return (await live(id, inputs))?.outputs ?? inputs;
  },
  async delete(id) {
    await ask((docker) => docker.getVolume(id).remove()).catch(async (error: Error) => {
      const users = await tell((docker) => docker.listContainers({ all: true, filters: { volume: [id] } }));
      if (users.length === 0) throw error;
      const names = users.map((container) => container.Names[0]?.slice(1) ?? container.Id).join(" ");
      throw new Error(`volume ${id} is in use by: ${names}. Remove them first: docker rm -f ${names}`);
    });
  },
};

async function live(id: string, inputs: Values): Promise<{ inputs: Values; outputs: Values } | undefined> {
  const found = await ask((docker) => docker.getVolume(id).inspect());
  if (!found) return undefined;
  const now: Values = {
    name: found.Name,
    labels: Object.entries(found.Labels ?? {}).map(([label, value]) => ({ label, value })),
    driver: found.Driver,
    driverOpts: found.Options ?? {},
    mountpoint: found.Mountpoint,
  };
  return {
    inputs: followed(volume.schema, inputs, now),
    outputs: { ...inputs, ...now, __meta: JSON.stringify({ schema_version: "1" }) },
  };
}
