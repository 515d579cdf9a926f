import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "./catalogue.ts";
import { cite } from "./evaluate.ts";
import { parametersOf } from "./explain.ts";
import { checks } from "./lint/checks.ts";
import type { Family, Rule } from "./rule.ts";

const FAMILIES: Readonly<Record<Family, string>> = {
  laravel: "Laravel",
  safety: "Safety of what already runs",
  containers: "Containers",
  s3: "S3",
};

/** Incidents as links to what happened. */
const linked = (sources: string): string => sources.replace(/\bincidents?\b[^,]*/g, "[$&](incidents.md)");

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** docs/policies.md, from the catalogue. */
export function policiesDocument(rules: readonly Rule[] = catalogue): string {
  const families = (Object.keys(FAMILIES) as Family[]).map((family) =>
    [
      `## ${FAMILIES[family]}`,
      "",
      "| rule | demands | level | scope | source |",
      "|---|---|---|---|---|",
      ...rules
        .filter((rule) => rule.family === family)
        .map(
          (rule) =>
            `| [${rule.name}](#${rule.name}) | ${cell(rule.summary)} | ${rule.level} | ${rule.scope} | ` +
            `${linked(cell(cite(rule)))} |`,
        ),
      "",
    ].join("\n"),
  );
  return [
    "<!-- Generated from policies/catalogue.ts: npx tsx policies/docs.ts -->",
    "# Policies",
    "",
    `${rules.length} rules, checked by \`./drydock preview\` and \`./drydock up\`, ` +
      "by `pulumi preview --policy-pack policies --policy-pack-config policies/config/<stack>.json`,",
    "over what is deployed by `./drydock check`. In staging and production the mandatory rules also refuse what " +
      "an update without the pack would make.",
    "",
    "The pack is for mistakes: a port copied from another project, a folder too many, " +
      "a command that was only meant for a test. It is no wall against",
    "an author who wants to pass it: whoever writes the program can write another pack, leave it out, " +
      "exclude a resource with a reason, or do with a script",
    "what no resource says. Against that help reviews, and who may deploy.",
    "",
    "In production (by the stack's name or APP_ENV: `prod`, `shop-prod`, `live`, " +
      "and every name that says nothing) the rules take lists of what is allowed:",
    "folders of the host, drivers and options of volumes, groups, runtimes, options of security, " +
      "published ports, commands. What is not known in its preview",
    "and would decide one of these is a violation there. Elsewhere the same is said as advice.",
    "",
    "What the settings say (uids, port, health path, whether there is a scheduler, who publishes what) " +
      "reaches the rules by itself, also under plain",
    "`pulumi preview --policy-pack policies`: the engine gives a pack the stack's configuration. " +
      "Another program has no such settings: then a container",
    "runs as anybody but root, all roles of Laravel as the same user, and a health check may ask any port and path.",
    "",
    "- `mandatory` blocks, `advisory` is only said, `remediate` is repaired by the pack.",
    "- `resource` rules see one resource before it is created; `stack` rules see all of them at the end of a preview.",
    "- A value that is only known during the update is said to be undecided; it hides no violation beside it.",
    "- A container says its role in the label `drydock.role`; without one, " +
      "a pattern on its name decides (`pack-settings.roleByName`).",
    "- A message names resource, property and key, never a value.",
    "",
    "A stack changes levels, parameters and exceptions in `policies/config/<stack>.json`; " +
      "an exception has a reason, which is printed:",
    "",
    "```json",
    JSON.stringify(
      {
        "memory-limit": { enforcementLevel: "advisory" },
        "non-root-uid": { uids: { app: 1002 } },
        "bound-interface": {
          exclude: [{ resource: "proxy", reason: "the load balancer reaches it on every interface" }],
        },
      },
      null,
      2,
    ),
    "```",
    "",
    ...families,
    "## Dockerfiles",
    "",
    "`./drydock lint` judges what no policy can see. A file says why a check does not fit it: " +
      "`# lint-allow user: nothing runs from this image`.",
    "",
    "| check | why | remedy |",
    "|---|---|---|",
    ...checks.map((check) => `| ${check.name} | ${cell(check.why)} | ${cell(check.remedy)} |`),
    "",
    "## Each rule",
    "",
    ...rules.map(section),
  ].join("\n");
}

function section(rule: Rule): string {
  const parameters = parametersOf(rule);
  return [
    `### ${rule.name}`,
    "",
    `${rule.summary} Why: ${rule.why} (${cite(rule)}).`,
    "",
    `- bad: \`${rule.bad}\``,
    `- good: \`${rule.good}\``,
    `- remedy: \`${rule.remedy}\``,
    ...(rule.production === undefined ? [] : [`- in production: ${rule.production}`]),
    ...(parameters.length === 0
      ? []
      : [`- parameters: ${parameters.map(({ name, fallback }) => `\`${name}\` (\`${fallback}\`)`).join(", ")}`]),
    "",
  ]
    .join("\n")
    .replaceAll("\\`", "`");
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(join(import.meta.dirname, "..", "docs", "policies.md"), policiesDocument());
