import { defined } from "../lib/defined.ts";
import type { LenientSettings } from "./found.ts";
import { readRaw } from "./raw.ts";
import { ROLES, type Role, USER_FROM } from "./roles.ts";
import { leniently } from "./settings.ts";

/**
 * What a stack's settings say of its containers, for who judges them from outside (the policy pack, the guard): so that
 * nobody writes it twice. Whoever adds a container that needs more adds it here.
 */
export interface Facts {
  /** APP_ENV, where it is set. */
  readonly appEnv?: string;
  /** uid by role. */
  readonly uids: Readonly<Partial<Record<Role, number>>>;
  /** Groups that a role may have beside its user's own, as gids. */
  readonly groups: Readonly<Partial<Record<Role, readonly number[]>>>;
  /** Where a replica answers that it is healthy. */
  readonly health: { readonly port: number; readonly path: string };
  /** How many containers of these roles run. */
  readonly counts: Readonly<Partial<Record<Role, number>>>;
  /** Roles that publish a port, with the host's port. */
  readonly published: Readonly<Partial<Record<Role, readonly number[]>>>;
  /** Folders of the application that are volumes of their own, from its folder. */
  readonly persistent: readonly string[];
  /** The folder with Drydock's scripts, from the program's. @default the program's own */
  readonly scripts?: string | undefined;
}

/** Every Drydock stack has these groups of settings, and hardly another program has all of them. */
const OURS = ["app", "database", "redis", "proxy"];

/**
 * The facts in a program's configuration, or undefined where it is not Drydock's. What is wrong in the settings counts
 * as not set: the program itself says so.
 * @param raw configuration keys without their namespace; values are objects or JSON texts
 */
export function factsIn(raw: Readonly<Record<string, unknown>>, stack: string): Facts | undefined {
  const { values, env } = readRaw(raw, stack);
  if (Object.keys(values["edge"] ?? {}).length > 0) return edgeFacts(leniently(values));
  return OURS.every((group) => group in values) ? factsOf(leniently(values), env["APP_ENV"]) : undefined;
}

/** Of the stack of a machine's edge, which has no application. */
function edgeFacts({ edge = {} }: LenientSettings): Facts {
  const { uid = 101, httpPort = 80, httpsPort = 443, ca } = edge;
  return {
    // Nobody but its own machine trusts such an authority.
    ...(ca === "local" ? { appEnv: "local" } : {}),
    uids: { edge: uid, certificates: uid },
    groups: {},
    health: { port: 9000, path: "/up" },
    counts: {},
    published: { edge: [httpPort, httpsPort] },
    persistent: [],
  };
}

export function factsOf(settings: LenientSettings, appEnv?: string): Facts {
  const { app = {}, proxy = {}, scheduler, horizon, backup } = settings;
  const users = settings as Readonly<Record<string, { readonly uid?: number } | undefined>>;
  const uids = ROLES.flatMap((role) => {
    const group = USER_FROM[role];
    // The edge has a stack of its own.
    const uid = group === undefined || group === "edge" ? undefined : users[group]?.uid;
    return uid === undefined ? [] : [[role, uid] as const];
  });
  return {
    ...defined({ appEnv }),
    uids: Object.fromEntries(uids),
    // The state of maintenance mode is the proxy's, and the agent reads it.
    groups: proxy.gid === undefined ? {} : { backup: [proxy.gid] },
    health: { port: app.port ?? (app.server === "http" ? 80 : 9000), path: app.healthPath ?? "/up" },
    counts: {
      app: app.replicas ?? 1,
      scheduler: scheduler?.enabled === false ? 0 : 1,
      horizon: horizon?.enabled === false ? 0 : 1,
      backup: backup?.enabled === false ? 0 : 1,
      restore: backup?.enabled === false ? 0 : 1,
    },
    published: proxy.port === undefined ? {} : { proxy: [proxy.port] },
    persistent: Object.keys(app.persistent ?? {}),
  };
}
