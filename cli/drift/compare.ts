import { quote } from "../../lib/shell.ts";
import { imageOf } from "../shared/lostImages.ts";
import { select } from "../shared/project.ts";
import type { StateResource } from "../shared/stack.ts";

/** One thing that is not as the last deployment left it. */
export interface Finding {
  readonly kind: "missing" | "stopped" | "changed" | "foreign";
  /** The name in the stack; of what isn't the stack's, its name in Docker. */
  readonly name: string;
  /** What was seen; never a value that may be secret. */
  readonly what: string;
  /** What puts it right: whole commands, one a line. */
  readonly remedy: string;
}

/** What `docker inspect` says of a container, as far as it is compared. */
export interface LiveContainer {
  readonly Id: string;
  readonly Name: string;
  /** The id of the image that it runs. */
  readonly Image: string;
  readonly Config: {
    readonly Image: string;
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Paused?: boolean;
    readonly ExitCode?: number;
  };
  readonly HostConfig: {
    readonly Memory?: number;
    readonly NanoCpus?: number;
    readonly RestartPolicy?: { readonly Name: string };
  };
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Name?: string;
    readonly Source?: string;
    readonly Destination: string;
  }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
}

/** What was found on the Docker host. */
export interface Live {
  /** The stack's own, and all that use its networks, its volumes or its labels. */
  readonly containers: readonly LiveContainer[];
  /** By name. */
  readonly networks: Readonly<Record<string, { readonly Internal: boolean }>>;
  readonly volumes: readonly string[];
  /** The id of the image that a reference names now. */
  readonly images: Readonly<Record<string, string>>;
  /** By container id: what `docker diff` lists, without its letter. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** The proxy's site, as it is; undefined: it could not be read. */
  readonly site?: string;
}

const CONTAINER = "docker:index/container:Container";
const NETWORK = "docker:index/network:Network";
const VOLUME = "docker:index/volume:Volume";
const MiB = 1024 * 1024;

const nameOf = ({ urn }: StateResource): string => urn.split("::").at(-1) ?? urn;
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = <T>(value: unknown): readonly T[] => (Array.isArray(value) ? (value as T[]) : []);
const bare = (name: string): string => name.replace(/^\//, "");

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

function compareContainer(stack: string, resource: StateResource, live: Live): Finding[] {
  const { id, inputs = {}, outputs = {} } = resource;
  const name = nameOf(resource);
  const found = live.containers.find(({ Id }) => Id === id);
  const up = `./drydock up${select(stack)}`;
  if (found === undefined) {
    const usurper = live.containers.find(({ Name }) => bare(Name) === outputs.name);
    const what =
      usurper === undefined
        ? "its container was removed"
        : `its container was removed, and another one has its name (${text(outputs.name)})`;
    return [
      {
        kind: "missing",
        name,
        what,
        remedy: usurper === undefined ? up : `docker rm --force ${text(outputs.name)}\n${up}`,
      },
    ];
  }
  const { State, Config, HostConfig, Mounts, NetworkSettings } = found;
  const container = bare(found.Name);
  if (State.Paused === true)
    return [{ kind: "stopped", name, what: "was paused", remedy: `docker unpause ${container}` }];
  if (!State.Running)
    return [
      {
        kind: "stopped",
        name,
        what: `is ${State.Status}${State.ExitCode === undefined ? "" : ` (exit code ${State.ExitCode})`}`,
        remedy: up,
      },
    ];

  const findings: Finding[] = [];
  const changed = (what: string, remedy: string): void => {
    findings.push({ kind: "changed", name, what, remedy });
  };
  const again = `${up} --replace ${name}`;
  if (container !== outputs.name)
    changed(`its container was renamed to ${container}`, `docker rename ${quote(container)} ${text(outputs.name)}`);

  const memory = Math.round((HostConfig.Memory ?? 0) / MiB);
  if (typeof inputs.memory === "number" && memory !== inputs.memory)
    changed(
      `memory is ${memory} MiB instead of ${inputs.memory}`,
      `docker update --memory ${inputs.memory}m --memory-swap ${inputs.memory * 2}m ${container}`,
    );
  const cpus = (HostConfig.NanoCpus ?? 0) / 1e9;
  if (text(inputs.cpus) !== "" && cpus !== Number(inputs.cpus))
    changed(
      `cpus is ${cpus} instead of ${text(inputs.cpus)}`,
      `docker update --cpus ${text(inputs.cpus)} ${container}`,
    );
  const restart = HostConfig.RestartPolicy?.Name || "no";
  if (text(inputs.restart) !== "" && restart !== inputs.restart)
    changed(
      `restart is ${restart} instead of ${text(inputs.restart)}`,
      `docker update --restart ${text(inputs.restart)} ${container}`,
    );

  if (text(inputs.image) !== "" && Config.Image !== inputs.image && found.Image !== inputs.image)
    changed(`its image is ${Config.Image} instead of ${text(inputs.image)}`, again);
  else if (live.images[text(inputs.image)] !== undefined && live.images[text(inputs.image)] !== found.Image)
    changed(
      `${text(inputs.image)} names another image now than the one that it runs`,
      `${again}\nor have the image back under its name: docker tag ${found.Image} ${text(inputs.image)}`,
    );

  const env = new Set(Config.Env ?? []);
  const names = list<string>(inputs.envs)
    .filter((entry) => typeof entry === "string" && !env.has(entry))
    .map((entry) => entry.split("=")[0] ?? "");
  if (names.length > 0) changed(`its environment has another ${names.join(", ")}`, again);
  const labels = list<{ label?: string; value?: string }>(inputs.labels)
    .filter(({ label = "", value }) => Config.Labels?.[label] !== value)
    .map(({ label }) => label);
  if (labels.length > 0) changed(`its labels have another ${labels.join(", ")}`, again);

  const wanted = list<{ target?: string; source?: string }>(inputs.mounts);
  const lost = wanted
    .filter(
      ({ target, source }) =>
        !Mounts.some((mount) => mount.Destination === target && [mount.Name, mount.Source].includes(source)),
    )
    .map(({ target }) => target);
  const added = Mounts.filter(
    ({ Type, Destination }) => Type === "bind" && !wanted.some(({ target }) => target === Destination),
  ).map(({ Destination }) => Destination);
  if (lost.length + added.length > 0)
    changed(
      "its mounts differ: " +
        `${[...lost.map((path) => `${path} is another`), ...added.map((path) => `${path} was added`)].join(", ")}`,
      again,
    );

  const networks = list<{ name?: string }>(inputs.networksAdvanced).map(({ name: network }) => network ?? "");
  for (const network of networks.filter((one) => !(one in NetworkSettings.Networks)))
    changed(`it was taken off the network ${network}`, again);
  for (const network of Object.keys(NetworkSettings.Networks).filter(
    (one) => networks.length > 0 && !networks.includes(one),
  ))
    changed(`it was put on the network ${network}`, `docker network disconnect ${quote(network)} ${container}`);

  const files = changedFiles(inputs, live.files[found.Id] ?? []);
  if (files.length > 0)
    changed(
      "files were changed in it: " +
        `${files.slice(0, 5).join(", ")}${files.length > 5 ? ` and ${files.length - 5} more` : ""}`,
      again,
    );
  return findings;
}

/**
 * Code and Drydock's own files, without what was delivered before the start and the folders above; what Laravel writes
 * is mounted.
 */
export function changedFiles(inputs: Readonly<Record<string, unknown>>, paths: readonly string[]): readonly string[] {
  const delivered = list<{ file?: string }>(inputs.uploads).map(({ file }) => file ?? "");
  const root = delivered.find((file) => file.endsWith("/.env"))?.replace(/\/\.env$/, "");
  if (root === undefined) return [];
  const own = [`${root}/storage`, `${root}/bootstrap/cache`];
  return paths.filter(
    (path) =>
      (path.startsWith(`${root}/`) || path.startsWith("/drydock/")) &&
      !delivered.includes(path) &&
      !own.some((folder) => path === folder || path.startsWith(`${folder}/`) || folder.startsWith(`${path}/`)) &&
      // The folder of a changed file is listed as well.
      !paths.some((other) => other.startsWith(`${path}/`)),
  );
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
          what: internal ? "the network has a way out, and must not" : "the network has no way out",
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
      remedy: `./drydock up${select(stack)} --refresh (an empty one), then have its data back from a backup`,
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
  const planned = (resource?.inputs?.environment as { SITE_CONF?: unknown } | undefined)?.SITE_CONF;
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
      const another =
        labelled &&
        reaches.length + mounts.length === 0 &&
        on.some((network) => /^network-(app|data|public)-[0-9a-f]{7}$/.test(network));
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
