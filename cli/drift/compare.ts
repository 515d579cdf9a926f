import { quote } from "../../lib/shell.ts";
import { imageOf } from "../shared/lostImages.ts";
import { isOfStack } from "../shared/networks.ts";
import { select } from "../shared/project.ts";
import type { StateResource } from "../shared/stack.ts";
import { compareContainer } from "./compareContainer.ts";
import { bare, type Finding, type Live, nameOf, text } from "./live.ts";

const CONTAINER = "docker:index/container:Container";
const NETWORK = "docker:index/network:Network";
const VOLUME = "docker:index/volume:Volume";

/** The names in Docker of the stack's networks and volumes. */
export function namesOf(resources: readonly StateResource[], kind: "network" | "volume"): readonly string[] {
  const type = kind === "network" ? NETWORK : VOLUME;
  return resources.filter((one) => one.type === type).map(({ outputs, id }) => text(outputs?.name) || (id ?? ""));
}

/** All that is not as the state says, and what is there besides. */
export function compare(stack: string, resources: readonly StateResource[], live: Live): readonly Finding[] {
  const containers = resources.filter(({ type }) => type === CONTAINER);
  return [
    ...containers.flatMap((one) => compareContainer(stack, one, live)),
    ...resources.filter(({ type }) => type === NETWORK).flatMap((one) => compareNetwork(stack, one, live)),
    ...resources.filter(({ type }) => type === VOLUME).flatMap((one) => compareVolume(stack, one, live)),
    ...resources.flatMap((one) => compareImage(stack, one, live)),
    ...compareSite(stack, resources, live),
    ...foreign(stack, resources, live),
  ];
}

function compareNetwork(stack: string, resource: StateResource, { networks }: Live): Finding[] {
  const name = nameOf(resource);
  const found = networks[text(resource.outputs?.name)];
  if (found === undefined)
    return [
      { kind: "missing", name, what: "the network was removed", remedy: `./drydock up${select(stack)} --refresh` },
    ];
  const internal = resource.inputs?.internal === true;
  return found.Internal === internal
    ? []
    : [
        {
          kind: "changed",
          name,
          what: internal ? "the network is no longer internal" : "the network has become internal",
          remedy: `./drydock up${select(stack)} --refresh`,
        },
      ];
}

function compareVolume(stack: string, resource: StateResource, { volumes }: Live): Finding[] {
  const volume = text(resource.outputs?.name);
  if (volumes.includes(volume)) return [];
  return [
    {
      kind: "missing",
      name: nameOf(resource),
      what: `the volume ${volume} was removed, with all that was in it`,
      remedy: `./drydock up${select(stack)} --refresh (an empty one), then restore its data from a backup`,
    },
  ];
}

function compareImage(stack: string, resource: StateResource, { images }: Live): Finding[] {
  const image = imageOf(resource.type, resource.inputs);
  if (image === undefined || image in images) return [];
  const what = `the image ${image} was removed: what runs from it goes on, and no container can be made of it`;
  return [{ kind: "missing", name: nameOf(resource), what, remedy: `./drydock up${select(stack)}` }];
}

/** The site that the last switch wrote. */
function compareSite(stack: string, resources: readonly StateResource[], { site }: Live): Finding[] {
  const resource = resources.find((one) => one.type === "command:local:Command" && nameOf(one) === "switch");
  const planned = resource?.inputs?.stdin;
  if (site === undefined || typeof planned !== "string") return [];
  return site.trim() === planned.trim()
    ? []
    : [
        {
          kind: "changed",
          name: "proxy",
          what: "the site's configuration was changed in the proxy",
          remedy: `./drydock up${select(stack)} --replace app-1 (its switch writes it anew)`,
        },
      ];
}

/** What is not the stack's and uses its networks, its volumes or its labels. */
function foreign(stack: string, resources: readonly StateResource[], { containers }: Live): Finding[] {
  const known = new Set(resources.map(({ id }) => id));
  const networks = namesOf(resources, "network");
  const volumes = namesOf(resources, "volume");
  return containers
    .filter(({ Id }) => !known.has(Id))
    .flatMap((one): Finding[] => {
      const name = bare(one.Name);
      const on = Object.keys(one.NetworkSettings.Networks);
      const reaches = on.filter((network) => networks.includes(network));
      const mounts = one.Mounts.filter(({ Name }) => volumes.includes(Name ?? "")).map(({ Name }) => Name ?? "");
      const labelled =
        one.Config.Labels?.["drydock.stack"] === stack && one.Config.Labels?.["drydock.role"] !== undefined;
      // Another clone's stack may have the same name: its containers are on networks of its own.
      const another = labelled && reaches.length + mounts.length === 0 && on.some(isOfStack);
      if (another || (reaches.length + mounts.length === 0 && !labelled)) return [];
      const what = [
        ...(reaches.length > 0 ? [`is on ${reaches.join(", ")}`] : []),
        ...(mounts.length > 0 ? [`mounts ${mounts.join(", ")}`] : []),
        ...(labelled
          ? [
              "has the stack's labels" +
                (one.Config.Labels?.["drydock.role"] === "migrate"
                  ? " (a step of a release that runs, or was interrupted)"
                  : ""),
            ]
          : []),
      ].join(", ");
      const off =
        reaches.length > 0 && mounts.length === 0 && !labelled
          ? "\nor only off the network: " +
            `${reaches.map((network) => `docker network disconnect ${network} ${quote(name)}`).join(" && ")}`
          : "";
      return [
        {
          kind: "foreign",
          name,
          what: `${what}, and is not of the stack (${one.State.Status}, image ${one.Config.Image})`,
          remedy: `docker rm --force ${quote(name)}${off}`,
        },
      ];
    });
}
