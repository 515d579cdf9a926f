// The allowed arrows between folders: docs/architecture.md draws them. What isn't listed is forbidden.
const LAYERS = {
  lib: [],
  config: ["alerts", "lib"],
  // What people are told of, and when: the rules of monitoring.
  alerts: ["lib"],
  migrations: ["lib"],
  records: ["lib", "migrations"],
  policies: ["config", "lib", "start"],
  // What programs of several languages, or several programs, have to agree on.
  contracts: ["lib"],
  // The agent is a program of its own; others know what it is told and answers alone: contracts/agent.ts.
  agent: ["contracts", "lib"],
  // What servers are told: the texts of their configurations.
  servers: ["alerts", "config", "contracts", "lib"],
  components: ["servers", "config", "lib", "records", "policies/guard.ts", "policies/helpers/env.ts", "contracts"],
  // The keeper of the edge's certificates, a program of its own as well: contracts/certificates.ts.
  certificates: ["contracts", "lib"],
  // What measures a stack, a program of its own as well: contracts/monitoring.ts.
  collector: ["contracts", "lib"],
  // What makes an npm package and a Pulumi plugin of the components.
  package: ["components", "config", "lib"],
  commands: ["lib", "migrations", "records"],
  offline: ["lib"],
  start: ["lib"],
  cli: ["alerts", "config", "contracts", "lib", "migrations", "offline", "policies", "records"],
};

/** Parts of agent/: each imports only what stands before it. main.ts, which starts them, imports any. */
const AGENT = [
  ...["shared", "files", "database", "store", "binlog", "companion", "reader"],
  // One of them, with its places and settings: what all that follows works with.
  ...["agent.ts", "hooks.ts"],
  ...["schedule", "upkeep", "restore", "snapshot"],
];

/** Folders that only people and tests start. */
const ENDS = ["bench", "test", "examples"];

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "nothing-imports-the-ends",
      severity: "error",
      from: { path: `^(${Object.keys(LAYERS).join("|")})/` },
      to: { path: `^(${ENDS.join("|")})/` },
    },
    {
      name: "verbs-share-what-is-in-cli-shared",
      severity: "error",
      from: { path: "^cli/shared/" },
      to: { path: "^cli/(?!shared/|setup/)" },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "^tsx/" } },
    ...AGENT.map((part, index) => ({
      name: `agent-${part}-imports-only-what-stands-before-it`,
      severity: "error",
      from: { path: `^agent/${part}(/|$)` },
      to: { path: `^agent/(${["main.ts", ...AGENT.slice(index + 1)].join("|")})(/|$)` },
    })),
    ...Object.entries(LAYERS).map(([folder, allowed]) => ({
      name: `${folder}-imports-only-${allowed.join("-and-") || "packages"}`,
      severity: "error",
      from: { path: `^${folder}/` },
      to: {
        path: "^[^/]+/",
        pathNot: [`^${folder}/`, "^node_modules/", "^tsx/", "^\\.\\./", ...allowed.map((path) => `^${path}(/|$)`)],
        dependencyTypesNot: ["core", "npm", "npm-dev"],
      },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(\\.drydock|examples)/" },
  },
};
