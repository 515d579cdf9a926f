import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Facts } from "../config/facts.ts";
import { catalogue } from "./catalogue.ts";
import { configurationFile, readConfiguration } from "./configuration.ts";
import { SETTINGS_POLICY } from "./names.ts";
import { checkState, NOT_IN_STATE, type StateResource } from "./state.ts";

/** Pulumi's CLI as far as it is needed here. */
export interface Cli {
  capture(
    args: readonly string[],
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
}

export interface DeployedFinding {
  readonly rule: string;
  readonly level: string;
  readonly resource: string;
  readonly message: string;
}

/**
 * Asks the rules about a stack's state. The engine does it (`pulumi policy analyze`), which decrypts secrets for the
 * pack alone; an older one without that command exports the state, whose secrets then stay encrypted and what depends
 * on them undecided.
 * @param facts what Drydock's settings say
 * @throws Error with what Pulumi said
 */
export async function checkDeployed(pulumi: Cli, stack: string, facts?: Facts): Promise<DeployedFinding[]> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-check-"));
  try {
    const file = configurationFile(stack);
    const config: Record<string, object> =
      file === undefined ? {} : (JSON.parse(readFileSync(file, "utf8")) as Record<string, object>);
    const path = join(folder, "config.json");
    // Here the engine gives the pack no configuration of the stack.
    const known = facts === undefined ? {} : { [SETTINGS_POLICY]: { ...config[SETTINGS_POLICY], facts } };
    writeFileSync(
      path,
      JSON.stringify({ ...config, ...known, ...Object.fromEntries(NOT_IN_STATE.map((name) => [name, "disabled"])) }),
    );
    const { code, stdout, stderr } = await pulumi.capture([
      "policy",
      "analyze",
      "--stack",
      stack,
      "--policy-pack",
      import.meta.dirname,
      "--policy-pack-config",
      path,
      "--json",
    ]);
    if (/unknown command|unknown flag/.test(stderr)) return await fromExport(pulumi, stack, facts);
    const findings = eventsOf(stdout);
    // It ends with an error where a mandatory rule is broken; any other end without a finding is a failure of its own.
    if (code !== 0 && !findings.some(({ level }) => level === "mandatory"))
      throw new Error(`pulumi policy analyze failed: ${stderr.trim() || stdout.trim()}`);
    return findings;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fromExport(pulumi: Cli, stack: string, facts: Facts | undefined): Promise<DeployedFinding[]> {
  const { code, stdout, stderr } = await pulumi.capture(["stack", "export", "--stack", stack]);
  if (code !== 0) throw new Error(`the state of stack ${stack} can't be read: ${stderr.trim()}`);
  const { deployment } = JSON.parse(stdout) as { deployment?: { resources?: StateResource[] } };
  return checkState(deployment?.resources ?? [], readConfiguration(stack, catalogue, undefined, facts)).map(
    ({ rule, level, urn, message }) => ({
      rule,
      level: level === "remediate" ? "mandatory" : level,
      resource: urn.split("::").pop() ?? "",
      message,
    }),
  );
}

interface PolicyEvent {
  readonly policyEvent?: {
    readonly policyName: string;
    readonly enforcementLevel: string;
    readonly resourceUrn?: string;
    readonly message: string;
  };
}

function eventsOf(stdout: string): DeployedFinding[] {
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .flatMap((line) => {
      const { policyEvent: event } = JSON.parse(line) as PolicyEvent;
      return event === undefined
        ? []
        : [
            {
              rule: event.policyName,
              level: event.enforcementLevel,
              resource: event.resourceUrn?.split("::").pop() ?? "",
              message: event.message.trim().replace(/<\{%[^%]*%\}>/g, ""),
            },
          ];
    });
}

/** The findings for the terminal, the mandatory ones first. */
export function report(findings: readonly DeployedFinding[], stack: string): string {
  const sorted = [...findings].sort((a, b) => Number(b.level === "mandatory") - Number(a.level === "mandatory"));
  const broken = findings.filter(({ level }) => level === "mandatory").length;
  return [
    ...sorted.map(({ level, rule, message }) => `[${level}] ${rule}\n  ${message.replaceAll("\n", "\n  ")}`),
    `not asked, because the state does not hold it: ${NOT_IN_STATE.join(", ")}`,
    broken === 0
      ? `stack ${stack}: no mandatory rule is broken`
      : `stack ${stack}: ${broken} violations of mandatory rules; ./drydock policies explain NAME says more`,
    "",
  ].join("\n");
}
