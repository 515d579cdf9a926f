import { z } from "zod";
import { healthEndpoint } from "../helpers/health.ts";
import { CONTAINERS } from "../helpers/resources.ts";
import { resourceRule } from "../rule.ts";
import { none, onContainer, onRoles, rolesParam } from "./shared.ts";

const LOCALHOST = /(:\/\/)localhost(?=[:/?#\s"']|$)|(^|[\s"'=])localhost(?=:\d)/g;

export const healthcheckIpv4 = resourceRule({
  name: "healthcheck-ipv4",
  family: "laravel",
  level: "remediate",
  source: ["incident 7"],
  summary: "A health check asks 127.0.0.1, not localhost.",
  why:
    "localhost was ::1 first, where nobody listened: the check ran into its time limit and the container stayed in " +
    "starting",
  remedy: 'healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1/up"] }',
  setting: (group) =>
    group === "services"
      ? { path: "services.NAME.health", value: `'["wget","-q","-O","-","http://127.0.0.1:PORT/"]'` }
      : undefined,
  bad: 'tests: ["CMD", "wget", "--spider", "http://localhost/up"]',
  good: 'tests: ["CMD", "wget", "--spider", "http://127.0.0.1/up"]',
  types: CONTAINERS,
  params: none,
  check: onContainer((container, report) => {
    for (const { value, path } of container.healthTests.known)
      if (value.search(LOCALHOST) >= 0) report.violation(path, "the health check asks localhost");
    for (const path of container.healthTests.unknown) report.undecided(path);
  }),
  fix(props, type) {
    let tests: unknown;
    try {
      const owner = type.includes("service")
        ? (props as { taskSpec?: { containerSpec?: Props } }).taskSpec?.containerSpec
        : (props as Props);
      tests = owner?.healthcheck?.tests;
    } catch {
      return false; // Not known yet; the check says so.
    }
    if (!Array.isArray(tests)) return false;
    let changed = false;
    for (let i = 0; i < tests.length; i++) {
      let test: unknown;
      try {
        test = tests[i];
      } catch {
        continue;
      }
      if (typeof test !== "string" || test.search(LOCALHOST) < 0) continue;
      tests[i] = test.replace(LOCALHOST, "$1$2127.0.0.1");
      changed = true;
    }
    return changed;
  },
});

interface Props {
  healthcheck?: { tests?: unknown[] };
}

export const healthcheckEndpoint = resourceRule({
  name: "healthcheck-endpoint",
  family: "laravel",
  level: "mandatory",
  source: ["incident 8"],
  summary:
    "The application's health check asks a port and a path: the configured ones, " +
    "where Drydock's settings or this rule's say them.",
  why: "a check copied from another project asked port 8081 and /health, which nobody served",
  remedy: 'healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1/up"] }, or set ports and path of this rule',
  setting: (_, property) => (property.startsWith("option") ? undefined : { path: "app.healthPath", value: "/up" }),
  bad: 'tests: ["CMD", "curl", "-f", "http://127.0.0.1:8081/health"]',
  good: 'tests: ["CMD", "curl", "-f", "http://127.0.0.1/up"]',
  types: CONTAINERS,
  params: z.strictObject({
    roles: rolesParam(["app"]),
    /** Ports; left out, the one of Drydock's settings, or any. */
    ports: z.array(z.number().int()).optional(),
    /** Path; left out, that of Drydock's settings, or any. */
    path: z.string().startsWith("/").optional(),
  }),
  check: onRoles((container, report, { params, settings: { facts } }) => {
    const { known, unknown } = container.healthTests;
    for (const path of unknown) report.undecided(path);
    const endpoint = healthEndpoint(known);
    // Whether there is a check at all is another rule's question.
    if (known.length === 0 || known[0]?.value === "NONE") return;
    const ports = params.ports ?? (facts === undefined ? undefined : [facts.health.port]);
    const path = params.path ?? facts?.health.path;
    if (endpoint === undefined) {
      const expected =
        ports === undefined && path === undefined
          ? ""
          : `; expected ${path ?? "any path"} at port ${ports?.join(" or ") ?? "of any number"}`;
      if (unknown.length === 0)
        report.violation(container.path("healthcheck.tests"), `the health check asks no port and path${expected}`);
      return;
    }
    if (ports !== undefined && !ports.includes(endpoint.port))
      report.violation(endpoint.at, `the health check asks another port than ${ports.join(" or ")}`);
    if (path !== undefined && endpoint.path !== path)
      report.violation(endpoint.at, `the health check asks another path than ${path}`);
  }),
});
