import { z } from "zod";
import type { Container } from "../helpers/container.ts";
import { find } from "../helpers/env.ts";
import { isEveryInterface } from "../helpers/ports.ts";
import { CONTAINER, CONTAINERS, NETWORK, type Resource, VOLUME } from "../helpers/resources.ts";
import { BUCKETS } from "../helpers/s3.ts";
import { flag, isUnknown, propertyAt, text } from "../helpers/values.ts";
import { type Report, resourceRule, stackRule } from "../rule.ts";
import { none, noSetting, onContainer, rolesParam } from "./shared.ts";

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
    ephemeral: z
      .string()
      .default("(^|[-_.])(public|assets?|proxy|restore|cache|tmp|run(time)?|logs|conf|config|metrics|silences)$"),
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
