import { reportOf } from "../../edge/show.ts";
import { readEdge } from "../../edge/target.ts";
import { CliError } from "../../shared/errors.ts";
import type { Target } from "../target.ts";
import { type Source, told } from "./source.ts";

const NONE = { absent: { what: "no edge of this Docker host serves a name of this stack (docs/domains.md)" } };

/** What `./drydock edge status` says of the stack's own names. */
export function certificates(target: Target): Source {
  return {
    name: "certificates",
    parts: ["certificates"],
    every: 60_000,
    async read() {
      const { docker, outputs } = await target.now();
      const edge = await readEdge({ docker, session: target.session }).catch((error: unknown) => {
        if (error instanceof CliError && error.message.startsWith("no edge runs")) return undefined;
        throw error;
      });
      if (edge === undefined) return { certificates: NONE };
      const { stdout } = await docker.run(["ps", "--format", "{{.Names}}"]);
      const names = reportOf(edge, new Set(stdout.split("\n"))).filter(({ stack }) => stack === outputs.stack);
      if (names.length === 0) return { certificates: NONE };
      const rows = names.map(({ name, certificate, until, problems }) => ({
        name,
        kind: certificate,
        until,
        problems,
      }));
      return { certificates: told(rows) };
    },
  };
}
