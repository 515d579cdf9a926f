import { z } from "zod";
import { after, commandTexts, simpleCommands } from "../helpers/commands.ts";
import type { Container } from "../helpers/container.ts";
import { find } from "../helpers/env.ts";
import { isEveryInterface } from "../helpers/ports.ts";
import { COMMANDS, CONTAINER, CONTAINERS, NETWORK, type Resource, VOLUME } from "../helpers/resources.ts";
import { BUCKETS } from "../helpers/s3.ts";
import { flag, isUnknown, propertyAt, text } from "../helpers/values.ts";
import { type Report, resourceRule, stackRule } from "../rule.ts";
import { none, noSetting, onContainer, rolesParam } from "./shared.ts";

/** What destroys, and what to call it, by what follows `docker` and its own options. */
const DESTRUCTIVE: readonly (readonly [does: RegExp, name: string])[] = [
  [/^compose\b.*\s(?:down|rm)(?=\s|["')]|$)/, "docker compose down"],
  [/^(?:system|volume|image|container|network|builder|buildx)\s+prune\b/, "docker prune"],
  [/^volume\s+(?:rm|remove)\b/, "docker volume rm"],
  [/^(?:rmi|image\s+(?:rm|remove))\b/, "docker rmi"],
  [/^(?:stack|service)\s+(?:rm|remove)\b|^swarm\s+leave\b/, "docker stack rm"],
  [/^(?:container\s+)?(?:rm|stop|kill|pause)\b.*(?:\$\(|`)\s*docker\b.*\bps\b/, "docker rm of all that runs"],
];
const SYSTEM_FOLDER = new RegExp(
  String.raw`^["']?(?:/(?:\*|(?:bin|boot|data|etc|home|lib|mnt|opt|root|srv|usr|var|var/lib|var/run)/?\*?|` +
    String.raw`var/lib/(?:docker|containerd|mysql|postgresql|redis)(?:/\S*)?)?|\$\{\w+:?[-=]/\}\S*)["')]*$`,
);
const OTHERS: readonly (readonly [does: RegExp, name: string])[] = [
  [/\bDROP\s+(?:DATABASE|SCHEMA)\b|\bdropdb\s|\bmysqladmin\b.*\sdrop\s/i, "DROP DATABASE"],
  [/\bredis-cli\b.*\bFLUSH(?:ALL|DB)\b/i, "FLUSHALL"],
  [/\bmkfs(?:\.\w+)?\s|\bdd\b.*\sof=\/dev\/|\bwipefs\s/, "what overwrites a disk"],
  [/\bfind\s+["']?\/(?:\w+\/?)?["']?\s.*\s-delete\b/, "find -delete of a system folder"],
];
/** Options of docker itself that take the next word. */
const WITH_VALUE = [
  "-H",
  "--host",
  "-c",
  "--context",
  "--config",
  "-l",
  "--log-level",
  "--tlscacert",
  "--tlscert",
  "--tlskey",
];

/** What docker is told to do, without its own options: `--context prod volume rm` is `volume rm`. */
function dockerVerb(rest: string): string {
  const words = rest
    .trim()
    .replace(/^-compose\b/, "compose")
    .split(/\s+/);
  let first = 0;
  while (words[first]?.startsWith("-")) first += WITH_VALUE.includes(words[first]!) ? 2 : 1;
  return words.slice(first).join(" ");
}

function destructive(line: string): Set<string> {
  const found = new Set<string>();
  for (const command of simpleCommands(line)) {
    const rest = after(command, /\b(?:docker|podman|nerdctl)\b/);
    if (rest !== undefined) {
      const verb = dockerVerb(rest);
      for (const [does, name] of DESTRUCTIVE) if (does.test(verb)) found.add(name);
      if (/\bxargs\b.*\bdocker\b/.test(command) && /^(?:container\s+)?(?:rm|stop|kill)\b/.test(verb))
        found.add("docker rm of all that runs");
    }
    const words = (after(command, /(?:^|[\s"'(/])rm(?=\s)/) ?? "").split(/\s+/);
    if (words.some((word) => /^-\w*[rR]|^--recursive$/.test(word)) && words.some((word) => SYSTEM_FOLDER.test(word)))
      found.add("rm -rf of a system folder");
    for (const [does, name] of OTHERS) if (does.test(command)) found.add(name);
  }
  return found;
}

export const noDestructiveDocker = resourceRule({
  name: "no-destructive-docker",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours", "D1/9"],
  summary: "No command tears down, prunes or deletes what runs.",
  why: "docker compose down, run to try a new version, removed the production that worked, and there was no way back",
  remedy:
    "deploy the new version beside the old one under another name and port; what only a deletion may do belongs " +
    "into `delete`",
  setting: noSetting.commands,
  bad: 'create: "docker compose down && docker compose up -d"',
  good: 'create: "docker compose -f pr.yml up -d"',
  types: COMMANDS,
  params: none,
  check(resource, report, { settings }) {
    const texts = commandTexts(resource, settings, ["create", "update"]);
    for (const { value, path } of texts.known)
      for (const name of destructive(value)) report.violation(path, `the command runs ${name}`);
    for (const path of texts.unknown) report.undecided(path);
  },
});

/** Databases of cloud providers, which are data themselves. */
const DATABASES = [
  "aws:rds/instance:Instance",
  "aws:rds/cluster:Cluster",
  "aws:dynamodb/table:Table",
  "aws:elasticache/replicationGroup:ReplicationGroup",
];

export const statefulProtected = resourceRule({
  name: "stateful-protected",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "Data volumes, databases and buckets are protected.",
  why: "a working system was destroyed by one command, and its data was only safe by luck",
  remedy: "new docker.Volume(name, args, { protect: true, retainOnDelete: true })",
  setting: noSetting.container,
  bad: 'new docker.Volume("database")',
  good: 'new docker.Volume("database", {}, { protect: true })',
  types: [VOLUME, ...DATABASES, ...BUCKETS],
  params: z.strictObject({
    /**
     * Pattern on a volume's name: what a release can make again. A container that holds no volume holds no data, so it
     * needs no protection.
     */
    ephemeral: z.string().default("(^|[-_.])(public|assets?|proxy|restore|cache|tmp|run(time)?|logs|conf|config)$"),
    /** Pattern on a volume's name: data, whatever else the name says. */
    data: z
      .string()
      .default(
        "(^|[-_.])(db|data|database|mysql|mariadb|postgres(ql)?|pgsql|redis|storage|" +
          "uploads?|backups?|records)([-_.]|$)",
      ),
  }),
  check(resource, report, { params }) {
    if (resource.protect) return;
    const { name, type } = resource;
    if (type === VOLUME && new RegExp(params.ephemeral).test(name) && !new RegExp(params.data).test(name)) return;
    report.violation("option protect", "holds data, but is not protected");
  },
});

export const uniquePortsAndNames = stackRule({
  name: "unique-ports-and-names",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "No two resources want one port, name or alias.",
  why: "the second one fails in the middle of a deployment: address already in use, or a name that is taken",
  remedy:
    "give one of them another port (ports: [{ internal: 80, external: 8081 }]) or leave `name` out, " +
    "so that Pulumi makes one",
  setting: () => ({ path: "proxy.port", value: "8081" }),
  bad: "app and admin, both with external: 8080",
  good: "external: 8080 and external: 8081",
  params: z.strictObject({
    /** Roles whose replicas share an alias on purpose: the name then stands for all of them. */
    replicated: rolesParam(["app", "horizon", "worker"]),
  }),
  check(stack, { params, on }) {
    const taken = new Taken();
    for (const resource of stack.ofType(CONTAINER, VOLUME, NETWORK)) {
      const name = text(propertyAt(resource.props, "name"));
      if (typeof name === "string")
        taken.claim(on(resource), resource, "name", `${resource.type} ${name}`, "the same name");
    }
    for (const container of stack.containers) {
      const { resource } = container;
      for (const { value, path } of container.ports.known) {
        if (isUnknown(value.external) || isUnknown(value.ip)) on(resource).undecided(path);
        else if (value.external !== undefined)
          taken.port(
            on(resource),
            resource,
            path,
            value.external,
            isUnknown(value.protocol) ? "tcp" : (value.protocol ?? "tcp"),
            value.ip,
          );
      }
      for (const { value: network } of container.networks.known) {
        const shared = params.replicated.find((role) => role === container.role);
        for (const { value: alias, path } of network.aliases.known)
          if (typeof network.name === "string")
            taken.claim(on(resource), resource, path, `alias ${network.name} ${alias}`, "the same alias", shared);
      }
    }
  },
});

/** Who was first, by host: two providers are two machines. */
class Taken {
  readonly #first = new Map<string, { readonly resource: Resource; readonly role: string | undefined }>();
  readonly #ports = new Map<string, { readonly resource: Resource; readonly ip: string | undefined }[]>();

  claim(report: Report, resource: Resource, path: string, what: string, words: string, role?: string): void {
    const key = `${resource.provider} ${what}`;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, { resource, role });
    else if (first.resource !== resource && (role === undefined || first.role !== role))
      report.violation(path, `${words} as ${first.resource.title}`);
  }

  port(report: Report, resource: Resource, path: string, port: number, protocol: string, ip: string | undefined): void {
    const key = `${resource.provider} ${protocol} ${port}`;
    const others = this.#ports.get(key) ?? [];
    const clash = others.find((other) => other.ip === ip || isEveryInterface(other.ip) || isEveryInterface(ip));
    if (clash !== undefined) report.violation(path, `port ${port} is also published by ${clash.resource.title}`);
    this.#ports.set(key, [...others, { resource, ip }]);
  }
}

export const previewIsolated = stackRule({
  name: "preview-isolated",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "A preview stack shares no port, volume, network or database with production.",
  why: "a pull request was tried out on production's own files, and production did not survive it",
  remedy:
    "leave `name` out, publish another port (or none: external left out), and name the database after the stack: " +
    "DB_DATABASE=shop_pr_28",
  setting: () => ({ path: "proxy.port", value: "8081" }),
  bad: 'stack pr-28: volume with name "database", port 80',
  good: "stack pr-28: volume without a name, port left to Docker",
  params: z.strictObject({
    /** Pattern on the stack's name: these are previews. */
    stacks: z.string().default("^(pr|preview|review|feature)([-_.]|\\d|$)"),
    /** Ports that belong to production. */
    reservedPorts: z.array(z.number().int()).default([80, 443, 3306, 5432, 6379, 8080]),
  }),
  check(stack, { params, on }) {
    const pattern = new RegExp(params.stacks);
    const previews = stack.resources.filter((resource) => pattern.test(resource.stack));
    for (const resource of previews.filter(({ type }) => [CONTAINER, VOLUME, NETWORK].includes(type))) {
      const name = text(propertyAt(resource.props, "name"));
      // A name that Pulumi made starts with the logical name and ends in random digits.
      if (typeof name === "string" && !name.includes(resource.stack) && !/-[0-9a-f]{7}$/.test(name))
        on(resource).violation("name", "the name is not the preview's own");
      if (propertyAt(resource.props, "external") === true)
        on(resource).violation("external", "belongs to somebody else");
    }
    for (const container of stack.containers.filter(({ resource }) => pattern.test(resource.stack))) {
      const report = on(container.resource);
      for (const { value, path } of container.ports.known) {
        if (isUnknown(value.external)) report.undecided(path);
        else if (value.external !== undefined && params.reservedPorts.includes(value.external))
          report.violation(path, `port ${value.external} is production's`);
      }
      const [host, database] = [find(container.env, "DB_HOST"), find(container.env, "DB_DATABASE")];
      const isOwnServer = host.is === "present" && !/[.:]/.test(host.value);
      const isOwnSchema =
        database.is === "present" && normal(database.value).includes(normal(container.resource.stack));
      if (host.is === "present" && !isOwnServer && database.is === "present" && !isOwnSchema)
        report.violation(database.path, "DB_DATABASE on a shared server is not the preview's own");
    }
  },
});

function normal(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Ports on which databases and caches listen. */
const STORE_PORTS = [1433, 1521, 3306, 3307, 5432, 5433, 6379, 6380, 9042, 9200, 11211, 27017, 33060];
const STORE_IMAGE = new RegExp(
  "(^|[/_.-])(mysql|mariadb|percona|postgres|postgresql|postgis|timescaledb|redis|keydb|valkey|" +
    String.raw`mongo|mongodb|memcached|elasticsearch)([-_.:@]|\d|$)`,
);
const FORWARDER = /\b(socat|rinetd|redir|ncat?|haproxy|ssh)\b/;

export const datastoreNotPublished = resourceRule({
  name: "datastore-not-published",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours", "incidents, checklist", "D5.9"],
  summary: "A database or Redis publishes no port, not even through another container.",
  why: "Docker's ports go past the host's firewall: MySQL and Redis were open to the internet",
  remedy: "delete `ports`; containers reach it by its alias on their network, people by an ssh tunnel",
  setting: noSetting.ports,
  bad: "database: ports: [{ internal: 3306, external: 3306 }]",
  good: "database without ports",
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    const { value: image } = container.image;
    const name = typeof image === "string" ? image.replace(/@sha256:.*$/, "") : "";
    const isStore = ["database", "redis", "cache"].includes(container.role ?? "") || STORE_IMAGE.test(name);
    const forwards =
      FORWARDER.test([name, ...container.commandLine.known.map(({ value }) => value)].join(" ")) &&
      storePort(container);
    for (const { value: port, path } of container.ports.known) {
      const ports = [port.internal, port.external].filter((one) => typeof one === "number");
      if (isStore || forwards || ports.some((one) => STORE_PORTS.includes(one)))
        report.violation(path, "a data store's port is published");
      else if (isUnknown(port.internal)) report.mustKnow(`${path}.internal`);
    }
    for (const path of container.ports.unknown)
      if (isStore) report.mustKnow(path);
      else report.undecided(path);
    if (!isStore) return;
    const all = flag(container.raw("publishAllPorts"));
    if (isUnknown(all)) report.mustKnow("publishAllPorts");
    else if (all === true) report.violation("publishAllPorts", "all ports of a data store are published");
  }),
});

/** Whether a command line names a data store's port, as forwarders do. */
function storePort(container: Container): boolean {
  return container.commandLine.known.some(({ value }) =>
    [...value.matchAll(/:(\d{2,5})(?!\d)/g)].some(([, port]) => STORE_PORTS.includes(Number(port))),
  );
}

export const publishedPorts = resourceRule({
  name: "published-ports",
  family: "safety",
  level: "mandatory",
  source: ["D5.9"],
  summary: "The ports that are published are written down one by one.",
  why: "publishAllPorts opens whatever an image declares, and the next image may declare more",
  remedy: 'ports: [{ internal: 8080, external: 8080, ip: "127.0.0.1" }], on the proxy alone',
  setting: (_, property) => (property.startsWith("ports") ? { path: "proxy.port", value: "8080" } : undefined),
  bad: "publishAllPorts: true",
  good: "ports on the proxy, and on nothing else",
  production: "Only containers of listed roles publish any.",
  types: CONTAINERS,
  params: z.strictObject({ roles: rolesParam(["proxy", "app"]) }),
  check: onContainer((container, report, { params, settings: { facts } }) => {
    const all = flag(container.raw("publishAllPorts"));
    if (isUnknown(all)) report.mustKnow("publishAllPorts");
    else if (all === true) report.inProduction("publishAllPorts", "publishes every port that the image declares");
    // Where the settings say who publishes what, nobody else does.
    const roles = facts === undefined ? params.roles : Object.keys(facts.published);
    const may = container.role !== undefined && roles.includes(container.role);
    for (const { path } of container.ports.known)
      if (!may) report.inProduction(path, "publishes a port, and its role is not listed");
    for (const path of container.ports.unknown) if (!may) report.mustKnow(path);
  }),
});

export const waitForHealthy = resourceRule({
  name: "wait-for-healthy",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "The resource counts as created only when its health check passes.",
  why: "containers that restarted in a loop counted as deployed, and traffic was sent to them",
  remedy: 'wait: true, waitTimeout: 60; for a service convergeConfig: { timeout: "3m" }',
  setting: noSetting.container,
  bad: "a container with a health check, without wait",
  good: "wait: true",
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    if (container.isService)
      report.expect(
        { path: "convergeConfig", value: converges(container) },
        (value) => value === true,
        "nothing waits until the tasks run and are healthy",
      );
    else if (!container.isOneOff)
      report.expect(
        { path: "wait", value: flag(container.raw("wait")) },
        (value) => value === true,
        "nothing waits until it is healthy",
      );
  }),
});

function converges(container: Container) {
  const config = container.raw("convergeConfig");
  return isUnknown(config) ? config : typeof config === "object" && config !== null;
}
