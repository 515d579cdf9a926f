import { COMPANION } from "./agent.ts";
import { SETTINGS } from "./monitoring.ts";

/** What Drydock sets in a container's environment: the contract between components/ and what runs in there. */
interface ContainerContract {
  /** Variables that are always there. */
  readonly env: readonly string[];
  /** Variables that some stacks, or some callers of a program in there, leave out. */
  readonly optional?: readonly string[];
}

/** By what runs in it. Of those that are not listed, nothing of ours reads a variable. */
export const CONTAINERS = {
  /** The application's, of every role, beside the user's own block: for runtime/, and for the application itself. */
  laravel: { env: ["DRYDOCK_RELEASE", "DRYDOCK_PATH", "DRYDOCK_CACHE"], optional: ["DRYDOCK_BEHIND_PROXY"] },
  /** For images/database/docker-entrypoint.sh, and for the official images under the same names. */
  database: {
    env: [
      "MYSQL_DATABASE",
      "MYSQL_USER",
      "MYSQL_PASSWORD_FILE",
      "MYSQL_ROOT_PASSWORD_FILE",
      "MYSQL_ROOT_HOST",
      "MARIADB_AUTO_UPGRADE",
    ],
  },
  /** For the agent's verbs. */
  agent: { env: [], optional: [COMPANION.host] },
  /** For collector/main.ts. */
  collector: { env: [SETTINGS] },
  /** For the companion of a single restore. */
  companion: { env: [], optional: [COMPANION.restores] },
} as const satisfies Readonly<Record<string, ContainerContract>>;

type Optional<Contract> = Contract extends { readonly optional: readonly (infer Name extends string)[] } ? Name : never;

/** The variables of a container, each with its value. */
export type EnvironmentOf<Name extends keyof typeof CONTAINERS> = Readonly<
  Record<(typeof CONTAINERS)[Name]["env"][number], string> &
    Partial<Record<Optional<(typeof CONTAINERS)[Name]>, string>>
>;

/** The variables of the scripts in commands/inside/, which whoever runs one in a container tells it. */
export const INSIDE = {
  dump: { env: ["ENGINE", "SCHEMA", "FILE", "KEEP"] },
  maintenance: { env: [] },
  "redis-cli": { env: [] },
  "redis-rights": { env: [] },
  "redis-start": { env: [] },
  /** The folder; a volume of a container where it is left out. */
  "restore-files": { env: [], optional: ["FILES"] },
  "restore-physical": { env: [], optional: ["DATA"] },
} as const satisfies Readonly<Record<string, ContainerContract>>;

/** A parameter of FastCGI: the folders of stored files, below public/ and with a colon between them. */
export const STORED = "DRYDOCK_STORED";
