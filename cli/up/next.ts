import { LOCAL, select } from "../shared/project.ts";
import { allHealthy, isGone, type Report } from "../shared/report.ts";

/** What a person may want to do after an `up`. */
export function next(report: Report): string {
  const tries = allHealthy(report) ? (isEdge(report) ? ofEdge(report) : ofStack(report)) : ofFailure(report);
  const width = Math.max(...tries.map(([command]) => command.length));
  return ["Try next:", ...tries.map(([command, why]) => `  ${command.padEnd(width)}  # ${why}`)].join("\n");
}

type Try = readonly [command: string, why: string];

const isEdge = ({ services }: Report): boolean => services.some(({ role }) => role === "edge");

function ofStack({ stack, url }: Report): Try[] {
  const s = select(stack);
  return [
    [`curl -i ${url}/up`, "is it up?"],
    [`./drydock artisan${s} -- about`, "artisan in a running replica"],
    [`./drydock logs app${s} --follow`, "what it says"],
    ['eval "$(./drydock env)"', "then: pulumi preview, pulumi config set --path drydock:app.replicas 4, …"],
  ];
}

function ofEdge({ stack }: Report): Try[] {
  const local = stack === "edge-local";
  const [name, site] = local ? ["shop.localhost", LOCAL] : ["shop.example.com", "prod"];
  // The server's edge is the one that is meant where both have a file.
  const s = stack === "edge" ? "" : select(stack);
  return [
    [`pulumi config set --path 'drydock:domains[0].name' ${name} -s ${site}`, "a stack's name; then:"],
    [`./drydock up${select(site)}`, "the stack behind this edge"],
    [`./drydock edge status${s}`, "names, stacks, certificates, and what is wrong"],
    local
      ? [`./drydock edge certificates${s} --root > drydock-ca.pem`, "for your browser to trust"]
      : [`./drydock edge certificates${s}`, "each name's certificate, and the alarms"],
  ];
}

function ofFailure({ stack, services }: Report): Try[] {
  const roles = services
    .filter((service) => service.health === "unhealthy" || isGone(service) || service.restarts !== undefined)
    .map(({ role }) => role);
  return [...new Set(roles)].map((role) => [`./drydock logs ${role}${select(stack)}`, "why it isn't healthy"]);
}
