import { quote } from "../../lib/shell.ts";
import { select } from "../shared/project.ts";
import type { StateResource } from "../shared/stack.ts";
import { bare, type Finding, type Live, list, nameOf, text } from "./live.ts";

const MiB = 1024 * 1024;

/** What of a container, or that it is there, is not as the state says. */
export function compareContainer(stack: string, resource: StateResource, live: Live): Finding[] {
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
      `${text(inputs.image)} now refers to another image than the one that it runs`,
      `${again}\nor give the image its name back: docker tag ${found.Image} ${text(inputs.image)}`,
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
    changed(`it was disconnected from the network ${network}`, again);
  for (const network of Object.keys(NetworkSettings.Networks).filter(
    (one) => networks.length > 0 && !networks.includes(one),
  ))
    changed(`it was connected to the network ${network}`, `docker network disconnect ${quote(network)} ${container}`);

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
