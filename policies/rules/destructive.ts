import { after, simpleCommands } from "../helpers/commands.ts";
import { COMMANDS } from "../helpers/resources.ts";
import { resourceRule } from "../rule.ts";
import { none, noSetting, onCommands } from "./shared.ts";

/** What destroys, and what to call it, by what follows `docker` and its own options. */
const DESTRUCTIVE: readonly (readonly [does: RegExp, name: string])[] = [
  [/^compose\b.*\s(?:down|rm)(?=\s|["')]|$)/, "docker compose down"],
  [/^(?:system|volume|image|container|network|builder|buildx)\s+prune\b/, "docker prune"],
  [/^volume\s+(?:rm|remove)\b/, "docker volume rm"],
  [/^(?:rmi|image\s+(?:rm|remove))\b/, "docker rmi"],
  [/^(?:stack|service)\s+(?:rm|remove)\b|^swarm\s+leave\b/, "docker stack rm"],
  [/^(?:container\s+)?(?:rm|stop|kill|pause)\b.*(?:\$\(|`)\s*docker\b.*\bps\b/, "docker rm of all that runs"],
];
const SYSTEM_FOLDER = new RegExp(
  String.raw`^["']?(?:/(?:\*|(?:bin|boot|data|etc|home|lib|mnt|opt|root|srv|usr|var|var/lib|var/run)/?\*?|` +
    String.raw`var/lib/(?:docker|containerd|mysql|postgresql|redis)(?:/\S*)?)?|\$\{\w+:?[-=]/\}\S*)["')]*$`,
);
const OTHERS: readonly (readonly [does: RegExp, name: string])[] = [
  [/\bDROP\s+(?:DATABASE|SCHEMA)\b|\bdropdb\s|\bmysqladmin\b.*\sdrop\s/i, "DROP DATABASE"],
  [/\bredis-cli\b.*\bFLUSH(?:ALL|DB)\b/i, "FLUSHALL"],
  [/\bmkfs(?:\.\w+)?\s|\bdd\b.*\sof=\/dev\/|\bwipefs\s/, "what overwrites a disk"],
  [/\bfind\s+["']?\/(?:\w+\/?)?["']?\s.*\s-delete\b/, "find -delete of a system folder"],
];
/** Options of docker itself that take the next word. */
const WITH_VALUE = [
  "-H",
  "--host",
  "-c",
  "--context",
  "--config",
  "-l",
  "--log-level",
  "--tlscacert",
  "--tlscert",
  "--tlskey",
];

/** What docker is told to do, without its own options: `--context prod volume rm` is `volume rm`. */
function dockerVerb(rest: string): string {
  const words = rest
    .trim()
    .replace(/^-compose\b/, "compose")
    .split(/\s+/);
  let first = 0;
  while (words[first]?.startsWith("-")) first += WITH_VALUE.includes(words[first]!) ? 2 : 1;
  return words.slice(first).join(" ");
}

function destructive(line: string): Set<string> {
  const found = new Set<string>();
  for (const command of simpleCommands(line)) {
    const rest = after(command, /\b(?:docker|podman|nerdctl)\b/);
    if (rest !== undefined) {
      const verb = dockerVerb(rest);
      for (const [does, name] of DESTRUCTIVE) if (does.test(verb)) found.add(name);
      if (/\bxargs\b.*\bdocker\b/.test(command) && /^(?:container\s+)?(?:rm|stop|kill)\b/.test(verb))
        found.add("docker rm of all that runs");
    }
    const words = (after(command, /(?:^|[\s"'(/])rm(?=\s)/) ?? "").split(/\s+/);
    if (words.some((word) => /^-\w*[rR]|^--recursive$/.test(word)) && words.some((word) => SYSTEM_FOLDER.test(word)))
      found.add("rm -rf of a system folder");
    for (const [does, name] of OTHERS) if (does.test(command)) found.add(name);
  }
  return found;
}

export const noDestructiveDocker = resourceRule({
  name: "no-destructive-docker",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours", "D1/9"],
  summary: "No command tears down, prunes or deletes what runs.",
  why: "docker compose down, run to try a new version, removed the production that worked, and there was no way back",
  remedy:
    "deploy the new version beside the old one under another name and port; what only a deletion may do belongs " +
    "into `delete`",
  setting: noSetting.commands,
  bad: 'create: "docker compose down && docker compose up -d"',
  good: 'create: "docker compose -f pr.yml up -d"',
  types: COMMANDS,
  params: none,
  check: onCommands(
    (line, path, report) => {
      for (const name of destructive(line)) report.violation(path, `the command runs ${name}`);
    },
    ["create", "update"],
  ),
});
