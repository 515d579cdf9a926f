import { asSetting, type Entry, type Unreadable } from "../../config/dotenvFile.ts";
import { VARIABLES } from "../../config/environment.ts";
import { resolveEnvironment } from "../../config/resolve.ts";
import { looksSecret } from "../../config/secretLike.ts";
import { stageOf } from "../../config/stage.ts";

/** What becomes of one variable of the file. Its value is in `value` alone, and shown nowhere. */
export interface Planned {
  readonly name: string;
  /** `skip`: it has no place here, and nothing is missing without it; `refuse`: it is wanted, but not like this. */
  readonly action: "set" | "secret" | "skip" | "refuse";
  readonly why?: string;
  /** What is hardly meant. */
  readonly warning?: string;
  readonly value?: string;
}

export interface Target {
  readonly stack: string;
  /** The variables that the stack has. */
  readonly present: ReadonlySet<string>;
}

const secretNames = new Set(VARIABLES.filter(({ secret }) => secret).map(({ name }) => name));
const NOTHING = /^\(?(null|empty)?\)?$/i;

const own = (what: string, as: string) => `${what} of the stack is \`${as}\` in its own network: Drydock sets it`;
const url = "would win over the host and the password that Drydock sets";
const process = "belongs to the processes of a container";
/** Names that have no place in a stack's file, and why. */
const PLACELESS: Readonly<Record<string, string>> = {
  DB_HOST: own("the database", "database"),
  DB_PORT: own("the database", "database:3306"),
  DB_SOCKET: own("the database", "database"),
  REDIS_HOST: own("Redis", "redis"),
  REDIS_PORT: own("Redis", "redis:6379"),
  REDIS_CACHE_HOST: own("the cache", "redis-cache"),
  REDIS_CLIENT: "the image's phpredis is used",
  DB_URL: url,
  DATABASE_URL: url,
  REDIS_URL: url,
  PATH: process,
  HOME: process,
  USER: process,
  PWD: process,
  SHELL: process,
  HOSTNAME: process,
};
/** As the file of one's own machine says it, and Laravel's own `.env.example`. */
const LOOPBACK = /^(localhost|127\.[\d.]+|\[?::1\]?)$/i;
/** What the stack's own servers are made with: another one later would lock the application out. */
const FIXED = new Set(["DB_CONNECTION", "DB_DATABASE", "DB_USERNAME", "DB_PASSWORD", "REDIS_PASSWORD"]);

/** Decides about each variable of a `.env` file; the last one of a name counts. */
export function planImport(entries: readonly (Entry | Unreadable)[], { stack, present }: Target): Planned[] {
  const stage = stageOf(stack);
  const last = new Map(entries.map((entry) => [entry.name, entry]));
  const decided = [...last.values()].map((entry): Planned => {
    const { name } = entry;
    if ("why" in entry) return { name, action: "refuse", why: entry.why };
    const value = asSetting(entry);
    if (entry.value === undefined) return { name, action: "skip", why: "has no value" };
    if (name.includes(".")) return { name, action: "refuse", why: "has a dot in its name" };
    const placeless = placelessBy(name, value);
    if (placeless !== undefined) return { name, action: "skip", why: placeless };
    const secret = secretNames.has(name) || looksSecret(name, value) !== undefined;
    return { name, action: secret ? "secret" : "set", value };
  });
  return judged(decided);

  function placelessBy(name: string, value: string): string | undefined {
    if (PLACELESS[name] !== undefined) return PLACELESS[name];
    if (name.toUpperCase().startsWith("DRYDOCK_")) return "is Drydock's own";
    if (FIXED.has(name) && present.has(name)) return "the stack has its own: its servers are made with it";
    const known = VARIABLES.some((variable) => variable.name === name);
    if (known && NOTHING.test(value)) return "is empty";
    if (name === "APP_ENV" && value !== stage) return `the stage of ${stack} is ${stage}`;
    if (name === "APP_DEBUG" && value !== "false" && stage === "production")
      return "would show secrets to visitors in production";
    if (name === "APP_URL" && /^https?:\/\/(localhost|127\.|\[::1\])/.test(value))
      return "is an address of one's own machine";
    if (/_HOST$/.test(name) && LOOPBACK.test(value))
      return "would be the container itself: name the server, if the application uses one";
    return undefined;
  }

  /** With what config/environment.ts says of them. */
  function judged(planned: readonly Planned[]): Planned[] {
    const taken = planned.filter(({ value }) => value !== undefined);
    const encrypted = new Set(taken.filter(({ action }) => action === "secret").map(({ name }) => name));
    const env = Object.fromEntries(taken.map(({ name, value }) => [name, value ?? ""]));
    // What the stack has already can be referred to; its value is not needed for that.
    const others = Object.fromEntries([...present].filter((name) => !(name in env)).map((name) => [name, "1"]));
    const { problems, warnings } = resolveEnvironment({ ...others, ...env }, { stack, settings: {} }, ([, name = ""]) =>
      encrypted.has(name),
    );
    const of =
      (name: string) =>
      ({ path }: { path: string }) =>
        path === `drydock:env.${name}`;
    return planned.map((one) => {
      if (one.value === undefined) return one;
      const problem = problems.find(of(one.name));
      if (problem !== undefined) return { name: one.name, action: "refuse", why: problem.message };
      const warning = warnings.find(of(one.name));
      return warning === undefined ? one : { ...one, warning: warning.message };
    });
  }
}
