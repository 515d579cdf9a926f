import type { NameStatus } from "../../contracts/certificates.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { painter, table } from "../shared/ui.ts";
import { exportAccounts, importAccounts } from "./copy.ts";
import { type EdgeState, openEdge, readEdge, type Target } from "./target.ts";

export interface ShowOptions {
  readonly stack?: string;
  readonly json?: true;
}

/** One name, as `edge status` shows it. */
interface NameReport {
  readonly name: string;
  readonly stack: string;
  readonly certificate: NameStatus["kind"] | "none";
  readonly until: string;
  readonly hsts: boolean;
  /** What is wrong, each in a sentence. */
  readonly problems: readonly string[];
}

/** @param running the names of the containers that run on the Docker host */
export function reportOf({ claims, proxies, refused, status }: EdgeState, running: ReadonlySet<string>): NameReport[] {
  return claims.map(({ name, id, stack }) => {
    const certificate = status?.names.find((one) => one.name === name);
    const proxy = proxies[id];
    const problems = [
      ...(refused.includes(id) ? ["nginx has refused its route: deploy the stack again"] : []),
      ...(proxy === undefined && !refused.includes(id) ? ["it has no route: deploy the stack again"] : []),
      ...(proxy !== undefined && !running.has(proxy) ? [`its proxy ${proxy} does not run`] : []),
      ...(certificate === undefined ? ["its certificate is not looked after yet"] : []),
      ...(certificate?.problem === undefined
        ? certificate?.kind === "placeholder"
          ? ["its certificate is not there yet"]
          : []
        : [`${certificate.problem}${certificate.next === undefined ? "" : `; tried again at ${certificate.next}`}`]),
    ];
    return {
      name,
      stack,
      certificate: certificate?.kind ?? "none",
      until: certificate?.notAfter ?? "",
      hsts: certificate?.hsts ?? false,
      problems,
    };
  });
}

/** Shows the names of all stacks of the machine. Returns the exit code. */
export async function status(options: ShowOptions): Promise<number> {
  const target = await openEdge(options.stack);
  const state = await readEdge(target);
  const names = reportOf(state, await running(target));
  const alarms = state.status?.alarms ?? [];
  if (options.json)
    print(JSON.stringify({ edge: state.container, certificates: state.keeper, names, alarms }, null, 2));
  else {
    const paint = painter(process.stdout);
    print(
      `edge ${state.container}, certificates ${state.keeper === "" ? paint("red", "not running") : state.keeper}\n`,
    );
    print(
      names.length === 0
        ? "No stack has a name here yet. Set drydock:domains in a stack's file, and deploy it: ./drydock up"
        : table(
            ["NAME", "STACK", "CERTIFICATE", "UNTIL", "PROBLEM"],
            names.map((one) => [
              one.name,
              one.stack,
              one.certificate,
              one.until.slice(0, 16).replace("T", " "),
              one.problems.join("; "),
            ]),
            (cell, column) => (column === 4 || cell === "placeholder" ? paint("red", cell) : cell),
          ),
    );
  }
  return names.every(({ problems }) => problems.length === 0) && state.keeper !== "" ? Exit.ok : Exit.failed;
}

export interface CertificatesOptions extends ShowOptions {
  readonly root?: true;
  readonly export?: string;
  readonly import?: string;
}

/** Shows the certificates, or the edge's own authority's, or copies the accounts. Returns the exit code. */
export async function certificates(options: CertificatesOptions): Promise<number> {
  const target = await openEdge(options.stack);
  const { keeper, status } = await readEdge(target);
  if (options.export !== undefined) return await exportAccounts(target, keeper, options.export);
  if (options.import !== undefined) return await importAccounts(target, keeper, options.import);
  if (options.root) {
    const { code, stdout } = await target.docker.run(["exec", keeper, "cat", "/accounts/local/root.pem"]);
    if (code !== 0)
      throw new CliError({
        what: "this edge has no authority of its own",
        remedy: "that of a laptop has: ./drydock edge up --local",
      });
    process.stdout.write(stdout);
    return Exit.ok;
  }
  const names = status?.names ?? [];
  if (options.json) print(JSON.stringify({ names, alarms: status?.alarms ?? [] }, null, 2));
  else {
    print(
      table(
        ["NAME", "FROM", "SINCE", "UNTIL", "HSTS", "PROBLEM"],
        names.map((one) => [
          one.name,
          one.kind === "authority" ? one.issuer : one.kind,
          one.notBefore.slice(0, 10),
          one.notAfter.slice(0, 16).replace("T", " "),
          one.hsts ? "yes" : "not yet",
          one.problem ?? "",
        ]),
      ),
    );
    for (const { since, message } of status?.alarms ?? []) print(`\nALARM since ${since}: ${message}`);
  }
  return (status?.alarms ?? []).length === 0 ? Exit.ok : Exit.failed;
}

async function running({ docker }: Target): Promise<ReadonlySet<string>> {
  const { stdout } = await docker.run(["ps", "--format", "{{.Names}}"]);
  return new Set(stdout.split("\n"));
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
