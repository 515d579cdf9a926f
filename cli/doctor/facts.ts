import type { EngineLimits } from "../../lib/dockerLimits.ts";
import type { Shown } from "../maintenance/proxy.ts";
import type { Reach } from "./confinement.ts";

/** What runtime/doctor.php says of one process of a Laravel container. */
export interface LaravelFacts {
  readonly sapi: string;
  readonly release: string | null;
  readonly env: { readonly checked: number; readonly missing: readonly string[]; readonly differs: readonly string[] };
  readonly dbConnection: { readonly value: string | null; readonly explicit: boolean };
  readonly redisPassword: boolean;
  readonly appKey: boolean;
  readonly redisExtension: boolean;
  /** Whether the image has the package. */
  readonly predis: boolean;
  readonly redisClient?: string | null;
  /** Null where it can write nowhere. */
  readonly uid: number | null;
  readonly unwritable: readonly string[];
  readonly configCache: { readonly exists: boolean; readonly older: boolean; readonly differs: readonly string[] };
  /** PHP-FPM only. `since` in seconds since 1970. */
  readonly opcache?: {
    readonly enabled: boolean;
    readonly since?: number;
    readonly stale?: readonly string[];
    readonly staleCount?: number;
    readonly full?: boolean;
  };
  /** The command line only, as the rest. */
  readonly database?: ServiceFacts;
  readonly redis?: ServiceFacts;
  readonly down?: boolean | null;
  /** The queue that is used, and after how many seconds its jobs are run again. */
  readonly queue?: { readonly connection: string; readonly retryAfter: number | null };
  /** The class of what stopped the application from starting. */
  readonly boot?: string;
}

interface ServiceFacts {
  readonly host: string | null;
  readonly loopback?: boolean;
  readonly resolves?: boolean;
  readonly error: string | null;
}

/** One container of the stack, as Docker has it. */
export interface ContainerFacts {
  readonly name: string;
  readonly role: string;
  readonly container: string;
  readonly state: string;
  readonly health: string;
  /** In ms since 1970. */
  readonly startedAt?: number;
  /** As in a Dockerfile; undefined: none. */
  readonly healthTest?: readonly string[];
  readonly image?: string;
  /** What it has that no container of a stack ought to have. @default nothing */
  readonly loose?: readonly string[];
  readonly mounts: readonly { readonly volume: string; readonly path: string }[];
  /**
   * Of Laravel containers that run: folders of the application that it has written to in its own layer. @default none,
   * or not known
   */
  readonly written?: readonly string[];
  /**
   * Of Laravel containers that run: what the command line and, where it serves, PHP-FPM say; or why they said nothing.
   */
  readonly laravel?:
    | { readonly cli: LaravelFacts; readonly fpm?: LaravelFacts; readonly fpmSilent?: string }
    | { readonly silent: string };
}

/** What the stack's configuration asks for. */
interface PlanFacts {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly port: number;
  readonly server: string;
  readonly healthPath: string;
  readonly scheduler: boolean;
  /** Seconds that a job may take; 0 where nothing takes jobs. */
  readonly longestJob: number;
  /** The limit of each container. */
  readonly processes: number;
  /** The address that the proxy is published on. @default none: an edge is in front of it */
  readonly interface?: string;
  /** Whether the variables are still those of the last release. */
  readonly released: boolean;
}

/** All that the judgement rests on. */
export interface Facts {
  readonly stack: string;
  readonly release: string;
  /** A release that has not gone through all its steps, and whether visitors are served by it. */
  readonly unfinished?: { readonly release: string; readonly serves: boolean };
  /** In ms since 1970. */
  readonly now: number;
  /** What the Docker engine says of itself; undefined where it did not. */
  readonly engine?: {
    readonly host: string;
    readonly version: string;
    readonly api: string;
    readonly limits?: EngineLimits;
  };
  readonly plan: PlanFacts;
  readonly containers: readonly ContainerFacts[];
  /**
   * Redis's own words: `save`, `appendonly`, `maxmemory-policy`, its INFO persistence, and how many `passwords` it
   * takes, whether the application is an `admin`, how many `others` there are; or why it said nothing. Absent where
   * the server is none of the stack's (drydock:redis.external).
   */
  readonly redis?: { readonly values: Readonly<Record<string, string>> } | { readonly silent: string };
  readonly schedule: {
    /** How many containers of the stack run as its scheduler. */
    readonly running: number;
    /** When the scheduler last said that it looked for due tasks, in ms since 1970. */
    readonly last?: number;
  };
  /** What a request to the health path through the proxy, from inside, came to; undefined: fine. */
  readonly site: { readonly error?: string } | { readonly silent: string };
  readonly maintenance: Shown | { readonly silent: string };
  /** What a replica reaches and may do beyond its own; or why none said. */
  readonly reach: Reach | { readonly silent: string };
}

export type Verdict = "fine" | "broken" | "unknown";

/** One line of the report. */
export interface Check {
  /** The number in the list of known issues; null for what is not in it. */
  readonly issue: number | null;
  readonly id: string;
  readonly title: string;
  readonly verdict: Verdict;
  /** What was seen, one thing a line; never a secret. */
  readonly details: readonly string[];
  /** What fixes it: whole commands, one a line. */
  readonly remedies: readonly string[];
}
