import { z } from "zod";
import type { IsEncrypted } from "./encrypted.ts";
import { explain, inOrder } from "./explain.ts";
import { joinPath, type Problem, removeCommand, SettingsError, setCommand } from "./problems.ts";
import { readRaw } from "./raw.ts";
import { docker } from "./schema/docker.ts";
import { edge } from "./schema/edge.ts";
import { logs } from "./schema/release.ts";
import { secretValues } from "./secrets.ts";
import { exposed, leniently } from "./settings.ts";

const schema = z.strictObject({ docker: docker.prefault({}), edge, logs: logs.prefault({}) });

/** What the stack of a machine's edge is set to. */
export type EdgeSettings = z.output<typeof schema>;

/**
 * Reads the settings of an edge's stack.
 *
 * @param raw configuration keys without their namespace; values are objects or their JSON texts
 * @throws SettingsError with everything that is wrong
 */
export function parseEdge(
  raw: Readonly<Record<string, unknown>>,
  stack: string,
  isEncrypted: IsEncrypted = () => undefined,
): EdgeSettings {
  const { values: all, env, problems: unreadable } = readRaw(raw, stack);
  // Groups that are left out arrive as empty ones.
  const values = Object.fromEntries(Object.entries(all).filter(([, value]) => Object.keys(value as object).length > 0));
  const others = [...Object.keys(values), ...(Object.keys(env).length > 0 ? ["env"] : [])].filter(
    (group) => !(group in schema.shape),
  );
  const foreign = others.map((group): Problem => {
    const path = joinPath([group]);
    return {
      path,
      message: "is set beside drydock:edge: an edge has a stack of its own, for the stacks of the whole machine",
      remedy: removeCommand(path, stack),
    };
  });
  const own = Object.fromEntries(Object.entries(values).filter(([group]) => group in schema.shape));
  const parsed = schema.safeParse(own);
  const issues = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => explain(issue, own, stack, secretValues({}, own)));
  const problems = [
    ...unreadable,
    ...foreign,
    ...issues,
    ...(parsed.success ? together(parsed.data, stack) : []),
    ...exposed(leniently(own), {}, stack, isEncrypted),
  ];
  if (!parsed.success || problems.length > 0) throw new SettingsError(inOrder(problems), stack);
  return parsed.data;
}

/** The rules between the settings of an edge. */
function together({ edge }: EdgeSettings, stack: string): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, message: string, value?: string) => {
    const path = `drydock:edge.${key}`;
    problems.push({
      path,
      message,
      remedy: value === undefined ? removeCommand(path, stack) : setCommand(path, value, stack),
    });
  };
  if (edge.ca !== "local" && edge.email === undefined)
    add(
      "email",
      "is missing: expected an e-mail address, which the certificate authority may write to",
      "ops@example.com",
    );
  for (const key of ["image", "certificatesImage"] as const)
    if (edge[key] === undefined)
      add(key, "is missing, expected an image reference", `registry.example.com/drydock-${key}:1`);
  if (edge.challenge === "dns-01" && edge.dns === undefined)
    add(
      "dns",
      "is missing: drydock:edge.challenge is dns-01, which needs the zone's provider",
      '{"provider":"cloudflare"}',
    );
  if (edge.httpPort === edge.httpsPort)
    add("httpsPort", `is ${edge.httpsPort}, as drydock:edge.httpPort: expected two ports`);
  const { email: mail } = edge.alarms;
  if ((mail?.username === undefined) !== (mail?.password === undefined))
    add("alarms.email.username", "and drydock:edge.alarms.email.password go together: expected both, or none");
  return problems;
}
