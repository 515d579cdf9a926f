import { existsSync } from "node:fs";
import type { KeeperStatus } from "../../contracts/certificates.ts";
import { PLACES } from "../../contracts/edge.ts";
import { PORTS } from "../../contracts/proxy.ts";
import { connect } from "../shared/connection.ts";
import { type Docker, dockerFor } from "../shared/docker.ts";
import { CliError } from "../shared/errors.ts";
import { pathsOf } from "../shared/project.ts";
import { openSession, type Session } from "../shared/session.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";

/** The stack of a server's edge, and that of one's own machine. */
export const [EDGE, EDGE_LOCAL] = ["edge", "edge-local"] as const;

/** The edge that a command is about. */
export interface Target {
  readonly session: Session;
  readonly docker: Docker;
}

/** @param stack the edge's; where nothing is said the one that has a file here, a server's before the local one */
export async function openEdge(stack: string | undefined): Promise<Target> {
  const { stackFile } = pathsOf();
  const session = await openSession({
    stack: stack ?? [EDGE, EDGE_LOCAL].find((one) => existsSync(stackFile(one))) ?? EDGE,
    brief: true,
  });
  const host = settingAt(stackConfig(session.paths, session.stack), "docker.host");
  const docker = dockerFor(typeof host === "string" ? host : undefined, session.env);
  await connect(docker.env.DOCKER_HOST, session.env);
  return { session, docker };
}

/** A name that a stack has claimed on this machine. */
interface Claim {
  readonly name: string;
  /** The route's id. */
  readonly id: string;
  readonly stack: string;
}

/** What the edge of a Docker host says of itself. */
export interface EdgeState {
  readonly container: string;
  readonly keeper: string;
  readonly claims: readonly Claim[];
  /** Where each route leads: by its id, the proxy's container. */
  readonly proxies: Readonly<Record<string, string>>;
  /** Routes that nginx has refused, by id. */
  readonly refused: readonly string[];
  readonly status: KeeperStatus | undefined;
}

const ASK = `cd ${PLACES.state} || exit 1
for claim in claims/*; do [ ! -f "$claim" ] || echo "claim \${claim#claims/} $(cat "$claim")"; done
for route in routes/*.conf; do [ ! -f "$route" ] ||
  echo "route $(basename "$route" .conf)" \\
    "$(sed -n 's/^ *server \\([^ :]*\\):${PORTS.site} resolve.*/\\1/p' "$route")"; done
for route in routes/*.refused; do [ ! -f "$route" ] || echo "refused $(basename "$route" .conf.refused)"; done
echo "status $(cat /certs/status.json 2>/dev/null)"`;

/** @throws CliError where no edge runs there */
export async function readEdge({ docker, session }: Target): Promise<EdgeState> {
  const named = async (role: string): Promise<string | undefined> => {
    const { stdout } = await docker.run(["ps", "--filter", `label=drydock.role=${role}`, "--format", "{{.Names}}"]);
    return stdout.split("\n").find((name) => name !== "");
  };
  const container = await named("edge");
  if (container === undefined)
    throw new CliError({
      what: "no edge runs on this Docker host",
      remedy: `./drydock edge up${session.stack === EDGE_LOCAL ? " --local" : ""}`,
    });
  const { stdout } = await docker.run(["exec", container, "/bin/sh", "-c", ASK]);
  return { container, keeper: (await named("certificates")) ?? "", ...parseEdge(stdout) };
}

export function parseEdge(told: string): Pick<EdgeState, "claims" | "proxies" | "refused" | "status"> {
  const claims: Claim[] = [];
  const proxies: Record<string, string> = {};
  const refused: string[] = [];
  let status: KeeperStatus | undefined;
  for (const line of told.split("\n")) {
    const [kind, first = "", second = "", third = ""] = line.split(" ");
    if (kind === "claim") claims.push({ name: first.replace(/^_/, "*"), id: second, stack: third });
    else if (kind === "route") proxies[first] = second;
    else if (kind === "refused") refused.push(first);
    else if (kind === "status" && first !== "") status = JSON.parse(line.slice("status ".length)) as KeeperStatus;
  }
  return { claims, proxies, refused, status };
}
