import { after, commandTexts, RUNNERS, simpleCommands } from "../helpers/commands.ts";
import { containerOf, isContainerType } from "../helpers/container.ts";
import { isSecretName } from "../helpers/env.ts";
import type { Resource } from "../helpers/resources.ts";
import { hasUrlWithPassword } from "../helpers/secrets.ts";
import { entries, type Items, propertyAt } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import type { Settings } from "../settings.ts";
import { inGroup, none } from "./shared.ts";

/**
 * Ways to put a password on a command line, and what to call them. A variable is no help: the shell expands it into the
 * arguments.
 */
const FLAGS: readonly { readonly program?: RegExp; readonly flag: RegExp; readonly name: string }[] = [
  {
    program: /\b(?:mysql|mariadb)(?:dump|admin|check|import|-dump|-admin|-backup)?\b|\bmariabackup\b/,
    flag: /\s-p[^\s]/,
    name: "-p with the password",
  },
  {
    flag: /\s--(?:password|passwd|pass|db-password|auth-password)(?:=|\s+(?![-<>|&]))[^\s]/i,
    name: "--password with a value",
  },
  { program: /\bredis-cli\b/, flag: /\s(?:-a|--pass)\s+[^\s]/, name: "redis-cli -a" },
  { flag: /--(?:requirepass|masterauth)[\s=]+[^\s]/, name: "--requirepass" },
  { program: /\bcurl\b/, flag: /\s(?:-u|--user)[\s=]+[^\s:]{1,200}:[^\s]/, name: "curl -u with a password" },
  { program: /\bdocker\b.{0,200}?\blogin\b/, flag: /\s(?:-p|--password)[\s=]+[^\s]/, name: "docker login -p" },
];

/** What a command line has that is a password by its form. */
function passwordFlags(line: string): Set<string> {
  const found = new Set<string>();
  for (const command of simpleCommands(line)) {
    for (const { program, flag, name } of FLAGS) {
      const rest = program === undefined ? command : after(command, program);
      if (rest !== undefined && flag.test(rest)) found.add(name);
    }
  }
  if (hasUrlWithPassword(line)) found.add("a URL with a password");
  return found;
}

const ASSIGNMENT = new RegExp(
  String.raw`(?:(?:^|\s)(-e|--env|--build-arg)(?:\s+|=)|(?:^|` +
    String.raw`[\s;&|("'])(?:export\s+)?)["']?([A-Za-z_]\w*)=("[^"]*"|'[^']*'|[^\s"';|&]*)`,
  "g",
);

export const noPasswordArgv = resourceRule({
  name: "no-password-argv",
  family: "laravel",
  level: "mandatory",
  source: ["incident 13"],
  summary: "No secret stands on a command line.",
  why:
    "a backup script called mysqldump with the password as an argument, for everyone who may run ps or docker " +
    "inspect",
  remedy:
    "give it on standard input, in a file (--defaults-extra-file), or in the environment (MYSQL_PWD, REDISCLI_AUTH)",
  setting: (group) =>
    ["app", "horizon", "workers", "services"].includes(group)
      ? inGroup(group, "command", `'["WORD","WORD"]'`)
      : undefined,
  bad: 'create: "docker exec db mysqldump -ppassword shop"',
  good: 'create: "docker exec -i db mysqldump --defaults-extra-file=/dev/stdin shop", stdin: clientConfiguration',
  types: RUNNERS,
  params: none,
  check(resource, report, { settings }) {
    const texts = commandTexts(resource, settings);
    const secrets = secretValues(resource, settings);
    for (const { value, path } of texts.known) {
      const found = passwordFlags(value);
      for (const [, flag, key = "", raw = ""] of value.matchAll(ASSIGNMENT)) {
        const literal = raw.replace(/^["']|["']$/g, "");
        // NAME=$VALUE before a command is its environment; after -e it becomes an argument of docker.
        if (isSecretName(key) && literal !== "" && (flag !== undefined || !/^\$/.test(literal)))
          found.add(flag === undefined ? `${key} with its value` : `${flag} ${key} with a value`);
      }
      for (const [key, secret] of secrets) if (value.includes(secret)) found.add(`the value of ${key}`);
      for (const what of found) report.violation(path, `the command line has ${what}`);
    }
    for (const path of texts.unknown) report.undecided(path);
  },
});

const LEAST = 8;

/** The resource's own secrets long enough to be recognized, by key. */
function secretValues(resource: Resource, settings: Settings): Map<string, string> {
  const environment: Items<readonly [string, unknown]> = entries(
    propertyAt(resource.props, "environment"),
    "environment",
  );
  const pairs: (readonly [string, unknown])[] = isContainerType(resource.type)
    ? containerOf(resource, settings).env.variables.map(({ key, value }) => [key, value])
    : environment.known.map(({ value }) => value);
  return new Map(
    pairs.filter(
      (pair): pair is readonly [string, string] =>
        isSecretName(pair[0]) && typeof pair[1] === "string" && pair[1].length >= LEAST,
    ),
  );
}
