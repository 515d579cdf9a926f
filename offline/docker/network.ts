import type { Resource } from "../plugin/resource.ts";
import { any, bool, computed, followed, map, object, required, set, str, withDefault } from "../plugin/schema.ts";
import type { Value, Values } from "../plugin/values.ts";
import { ask, Refused, tell } from "./engine.ts";
import * as journal from "./journal.ts";
import { removeLeftover } from "./leftover.ts";
import { labelsOf } from "./spec.ts";

/** docker.Network. The id is Docker's; every change replaces. */
export const network: Resource = {
  schema: {
    name: required(str),
    attachable: bool,
    driver: computed(str),
    ingress: bool,
    internal: computed(bool),
    ipamConfigs: computed(set(object({ auxAddress: map(str), gateway: str, ipRange: str, subnet: str }))),
    ipamDriver: withDefault(str, "default"),
    ipamOptions: map(str),
    ipv6: bool,
    labels: set(object({ label: required(str), value: required(str) })),
    options: computed(map(any)),
  },
  autoname: true,
  computed: ["driver", "internal", "ipamConfigs", "options", "scope"],
  async create(inputs, call) {
    await removeLeftover(call);
    const entry = journal.begin(call, String(inputs.name));
    const created = await tell((docker) =>
      docker.createNetwork({
        Name: String(inputs.name),
        CheckDuplicate: true,
        Labels: labelsOf(inputs.labels),
        Driver: String(inputs.driver ?? "bridge"),
        Attachable: inputs.attachable === true,
        Ingress: inputs.ingress === true,
        Internal: inputs.internal === true,
        EnableIPv6: inputs.ipv6 === true,
        Options: inputs.options as any,
        IPAM: {
          Driver: String(inputs.ipamDriver),
          Options: inputs.ipamOptions as any,
          Config: ((inputs.ipamConfigs ?? []) as Values[]).map((config) =>
            defined({
              Subnet: config.subnet,
              Gateway: config.gateway,
              IPRange: config.ipRange,
              AuxiliaryAddresses: config.auxAddress,
            }),
          ) as any,
        },
      }),
    ).catch((error) => {
      if (error instanceof Refused) journal.abandoned(entry);
      throw error;
    });
    const { outputs } = (await live(created.id, inputs))!;
    journal.created(entry, created.id);
    return { id: created.id, outputs };
  },
  compared: (state) => state,
  read: (id, inputs) => live(id, inputs),
  async update(id, _state, inputs) {
    return (await live(id, inputs))?.outputs ?? inputs;
  },
  async delete(id, _state, call) {
    for (const container of await attached(id)) {
      // A container that an interrupted creation has left is in nobody's state, and would hold the network for ever.
      const left = journal.leftovers().find((entry) => entry.name === container.name);
      if (left) await removeLeftover({ ...call, urn: left.urn });
    }
    await ask((docker) => docker.getNetwork(id).remove()).catch(async (error: Error) => {
      const names = (await attached(id)).map(({ name }) => name);
      if (names.length === 0) throw error;
      throw new Error(
        `network ${id.slice(0, 12)} still has containers: ${names.join(", ")}. Remove them first: ` +
          `docker rm -f ${names.join(" ")}`,
      );
    });
  },
};

async function attached(id: string): Promise<{ name: string }[]> {
  const found = await ask((docker) => docker.listContainers({ all: true, filters: { network: [id] } }));
  return (found ?? []).map((container) => ({ name: container.Names[0]?.slice(1) ?? container.Id }));
}

async function live(id: string, inputs: Values): Promise<{ inputs: Values; outputs: Values } | undefined> {
  const found: any = await ask((docker) => docker.getNetwork(id).inspect());
  if (!found) return undefined;
  const now: Values = {
    name: found.Name,
    labels: Object.entries(found.Labels ?? {}).map(([label, value]) => ({ label, value })) as Values[],
    driver: found.Driver,
    internal: found.Internal,
    attachable: found.Attachable,
    ingress: found.Ingress,
    ipv6: found.EnableIPv6,
    ipamDriver: found.IPAM.Driver,
    ipamOptions: found.IPAM.Options ?? {},
    ipamConfigs: (found.IPAM.Config ?? []).map((config: any) =>
      defined({
        subnet: config.Subnet,
        gateway: config.Gateway,
        ipRange: config.IPRange,
        auxAddress: config.AuxiliaryAddresses,
      }),
    ),
    options: found.Options ?? {},
    scope: found.Scope,
  };
  return {
    inputs: followed(network.schema, inputs, now),
    // lets the official plugin take the state over
    outputs: { ...inputs, ...now, __meta: JSON.stringify({ schema_version: "1" }) },
  };
}

const defined = (values: { [key: string]: Value | undefined }): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Values;
