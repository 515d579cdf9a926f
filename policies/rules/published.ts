import { z } from "zod";
import type { Container } from "../helpers/container.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { flag, isUnknown } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import { none, noSetting, onContainer, rolesParam } from "./shared.ts";

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
