import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { namesOf, type WantedName } from "../../config/domains.ts";
import type { Settings } from "../../config/settings.ts";
import { NETWORK, PLACES } from "../../contracts/edge.ts";
import type { EdgeTraits } from "../../servers/nginx/edge.ts";

/** How long the Docker host may take to answer, in ms. */
const PATIENCE = 20_000;

/** The edge of a Docker host, as a stack finds it there. */
export interface FoundEdge {
  readonly traits: EdgeTraits;
  /** Its addresses in the network between it and the stacks: what comes from there is believed. */
  readonly addresses: readonly string[];
  /** Whose each name is that some stack claims: the id of its route. */
  readonly claims: ReadonlyMap<string, { readonly id: string; readonly stack: string }>;
  /** Another one where what stacks have told the edge was lost: then they tell it again. */
  readonly generation: string;
}

interface Inspected {
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress?: string; readonly GlobalIPv6Address?: string }>>;
  };
}

/** What names a route, one line for each name: the name, the route's id, the stack. */
const CLAIMS =
  `cd ${PLACES.state}; cat generation; echo; cd claims; ` +
  'for name in *; do [ ! -f "$name" ] || echo "$name $(cat "$name")"; done';

/**
 * Asks the Docker host for its edge.
 * @param host as in DOCKER_HOST
 * @throws pulumi.RunError where there is none, or the host doesn't answer
 */
export async function findEdge(host: string, stack: string): Promise<FoundEdge> {
  const docker = async (...words: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)("docker", words, {
      env: { ...process.env, DOCKER_HOST: host },
      timeout: PATIENCE,
      maxBuffer: 16 << 20,
    });
    return stdout;
  };
  let running: string;
  try {
    running = await docker("ps", "--quiet", "--filter", "label=drydock.role=edge");
  } catch (error) {
    throw new pulumi.RunError(
      `stack ${stack} has drydock:domains, and the Docker host ${host} doesn't say whether it has an edge: ` +
        `${lastLine(error)}`,
    );
  }
  const [id] = running.split("\n");
  if (id === undefined || id === "")
    throw new pulumi.RunError(
      `stack ${stack} has drydock:domains, but no edge runs on its Docker host (${host}), ` +
        "so nobody would reach it; nothing was changed.\n" +
        "  ./drydock edge up        makes one: docs/domains.md",
    );
  const [inspected, told] = await Promise.all([
    docker("container", "inspect", id),
    docker("exec", id, "/bin/sh", "-c", CLAIMS),
  ]);
  const [{ Config, NetworkSettings }] = JSON.parse(inspected) as [Inspected];
  const labels = Config.Labels ?? {};
  const { IPAddress = "", GlobalIPv6Address = "" } = NetworkSettings.Networks[NETWORK] ?? {};
  const [generation = "", ...claims] = told.trim().split("\n");
  return {
    traits: {
      httpsPort: Number(labels["drydock.edge.httpsPort"] ?? 443),
      http3: labels["drydock.edge.http3"] === "true",
      ipv6: labels["drydock.edge.ipv6"] === "true",
    },
    addresses: [IPAddress, GlobalIPv6Address].filter((address) => address !== ""),
    generation,
    claims: new Map(
      claims
        .map((line) => line.split(" "))
        .map(([name = "", id = "", stack = ""]) => [name.replace(/^_/, "*"), { id, stack }] as const),
    ),
  };
}

/** The names of these domains that another stack has. @param id of this stack's own route */
export function taken(
  domains: Settings["domains"],
  { claims }: FoundEdge,
  id: string,
): readonly (WantedName & { readonly by: string })[] {
  return namesOf(domains).flatMap((wanted) => {
    const claim = claims.get(wanted.name);
    return claim === undefined || claim.id === id ? [] : [{ ...wanted, by: claim.stack }];
  });
}

/** The settings of a stack behind an edge: its proxy believes the edge, and serves the site under its names. */
export function behindEdge(settings: Settings, { addresses }: FoundEdge): Settings {
  const names = namesOf(settings.domains).map(({ name }) => name);
  const { proxy } = settings;
  return {
    ...settings,
    proxy: { ...proxy, trustedProxies: addresses, hosts: [...new Set([...names, ...proxy.hosts])] },
  };
}

const lastLine = (error: unknown): string =>
  (error as { stderr?: string; message: string }).stderr?.trim().split("\n").at(-1) ?? (error as Error).message;
