import { CliError, Exit, type Problem } from "./errors.ts";
import { select } from "./project.ts";

/** What the translation may name in its remedies. */
export interface Situation {
  readonly stack: string;
  /** The passphrase file of this clone. */
  readonly passphrase: string;
  /** What serves after the failure. @default what served before */
  readonly standing?: string;
}

interface Translation {
  readonly match: RegExp;
  readonly problem: (match: RegExpMatchArray, situation: Situation) => Problem;
}

const BEFORE = "what served before still serves";

/** The frequent failures, the first match counts: so the specific ones stand before the general ones. */
const TRANSLATIONS: readonly Translation[] = [
  {
    match: /currently locked by \d+ lock/,
    problem: ({ input = "" }, { stack }) => {
      const holder = /created by (([^\s@]+)@(\S+)) \(pid (\d+)\) at (\S+)/.exec(input);
      const who = holder === null ? "another process" : `${holder[1]} (pid ${holder[4]}, since ${holder[5]})`;
      const [, , username = "", hostname = "", pid = "", timestamp = ""] = holder ?? [];
      return {
        what: `stack ${stack} is being changed by ${who}`,
        remedy:
          "wait until it has ended, then run the command again\n" +
          'if that process no longer exists (another machine\'s): eval "$(./drydock env)" && pulumi cancel -s ' +
          `${stack} --yes`,
        code: Exit.refused,
        held: holder === null ? {} : { holder: { pid: Number(pid), username, hostname, timestamp } },
      };
    },
  },
  {
    // Pulumi Cloud, where it keeps the state, says so in these words.
    match: /\[409\] Conflict: Another update is currently in progress|another update is currently in progress/i,
    problem: (_, { stack }) => ({
      what: `stack ${stack} is being changed by somebody else`,
      remedy:
        `see who it is: eval "$(./drydock env)" && pulumi stack history -s ${stack} --page-size 1; ` +
        "wait until it has ended, then run the command again",
      code: Exit.refused,
      held: {},
    }),
  },
  {
    match: /The configuration of stack "[^"]*" has (one problem|\d+ problems)/,
    problem: ({ 1: count, input = "" }, { stack }) => {
      const commands = new Set(
        [...input.matchAll(/^ {2,}((?:\S.* \| )?pulumi config (?:set|rm) .*)$/gm)].map(([, command = ""]) => command),
      );
      return {
        what: `the configuration of stack ${stack} has ${count} (above); nothing was changed`,
        ...(commands.size === 0 ? {} : { remedy: ['eval "$(./drydock env)", then:', ...commands].join("\n") }),
      };
    },
  },
  {
    match: /stack (\S+) has drydock:domains, but no edge runs on its Docker host \(([^)]*)\)/,
    problem: ([, stack, host]) => ({
      what: `stack ${stack} has drydock:domains, and no edge runs on its Docker host (${host}); nothing was changed`,
      remedy: "./drydock edge up\non your own machine: ./drydock edge up --local",
      code: Exit.refused,
    }),
  },
  {
    match:
      /drydock:domains of stack (\S+) has names that are another stack's on this machine: (.*); nothing was changed/,
    problem: ([, stack, names]) => ({
      what: `names of stack ${stack} are another stack's on this machine: ${names}; nothing was changed`,
      remedy:
        "take them out of drydock:domains here, or there and deploy that stack first\n" +
        "which stack each name belongs to: ./drydock edge status",
      code: Exit.refused,
    }),
  },
  {
    match: /Pool overlaps with other one on this address space|network with name drydock-edge already exists/,
    problem: ([said = ""], { stack }) =>
      said.startsWith("Pool")
        ? {
            what: "a network's addresses are those of another network of this Docker host: it could not be made",
            remedy:
              "whose they are: docker network inspect $(docker network ls -q) " +
              "-f '{{.Name}} {{range .IPAM.Config}}{{.Subnet}} {{end}}'\n" +
              'others for an edge: eval "$(./drydock env)" && ' +
              `pulumi config set -s ${stack} --path drydock:edge.subnet 10.214.77.0/24 (or edge.subnet6)`,
          }
        : {
            what: "this Docker host has a network drydock-edge already: another edge's",
            remedy:
              "whose it is: docker ps --filter label=drydock.role=edge\n" +
              "one that is left over: docker network rm drydock-edge",
          },
  },
  {
    match: /incorrect passphrase/,
    problem: (_, { stack, passphrase }) => ({
      what: `the passphrase does not open the secrets of Pulumi.${stack}.yaml`,
      remedy:
        `if it was chosen by somebody: export PULUMI_CONFIG_PASSPHRASE_FILE=FILE (or PULUMI_CONFIG_PASSPHRASE)\n` +
        "if Drydock generated it: unset PULUMI_CONFIG_PASSPHRASE PULUMI_CONFIG_PASSPHRASE_FILE, " +
        `and have the original ${passphrase} back`,
    }),
  },
  {
    match: /passphrase must be set/,
    problem: () => ({
      what: "no passphrase is set for this stack's secrets",
      remedy: 'eval "$(./drydock env)", or export PULUMI_CONFIG_PASSPHRASE_FILE=FILE',
    }),
  },
  {
    match: /unable to read PULUMI_CONFIG_PASSPHRASE_FILE: (.*)/,
    problem: ([, why]) => ({
      what: `the passphrase file can't be read: ${why}`,
      remedy: "export PULUMI_CONFIG_PASSPHRASE_FILE=FILE with a file that exists, or unset it",
    }),
  },
  {
    match: /no stack named '([^']+)' found/,
    problem: ([, name]) => ({
      what: `there is no stack ${name} in this state`,
      remedy: `./drydock up${select(name ?? "")}`,
    }),
  },
  {
    match: /(?:port is already allocated|address already in use|ports are not available)/,
    problem: ({ input = "" }, { stack }) => {
      const port = /(?:Bind for|listen tcp4?|exposing port TCP) [\d.[\]:]*?:(\d+)/.exec(input)?.[1];
      return {
        what: `port ${port ?? "of the proxy"} on this machine is already in use`,
        remedy:
          `by whom: ss -ltnp${port === undefined ? "" : ` 'sport = :${port}'`} ` +
          `(or: docker ps --filter publish=${port ?? "PORT"})\n` +
          `another port: eval "$(./drydock env)" && pulumi config set -s ${stack} --path drydock:proxy.port ` +
          `${port === undefined ? "PORT" : Number(port) + 1} && ./drydock up${select(stack)}`,
      };
    },
  },
  {
    match: /the connection to (ssh:\/\/\S+) broke/,
    problem: ([, host], { stack }) => ({
      what: `the connection to ${host} broke; what served still serves`,
      remedy:
        `./drydock up${select(stack)} goes on from there\nif it breaks again: ssh -v to that host, ` +
        "and its journal (journalctl -u ssh)",
    }),
  },
  {
    match: /permission denied.*docker\.sock|docker\.sock.*permission denied|EACCES[^\n]*docker\.sock/,
    problem: () => ({
      what: "this user has no permission to use Docker",
      remedy: 'sudo usermod -aG docker "$USER" && newgrp docker',
    }),
  },
  {
    match: new RegExp(
      "Docker does not answer at|Cannot connect to the Docker daemon|(?:ECONNREFUSED|" +
        String.raw`ENOENT)[^\n]*docker\.sock|error during connect|Is the docker daemon running|connect ` +
        String.raw`ECONNREFUSED[^\n]*:237[56]`,
      "i",
    ),
    problem: (_, { stack }) => ({
      what: "Docker does not answer",
      remedy:
        stack === "local"
          ? "./drydock up (it starts Docker), or: sudo systemctl start docker"
          : `check the host: eval "$(./drydock env)" && pulumi config get -s ${stack} --path drydock:docker.host; ` +
            "then: docker -H HOST version",
    }),
  },
  {
    match: /\[mandatory\]|policy violations?:|mandatory polic|violates? (?:a )?mandatory/i,
    problem: (_, { stack }) => ({
      what: `a rule forbids this change; nothing that breaks it was deployed to ${stack}`,
      remedy: "each rule above says what to change; ./drydock policies lists them all",
    }),
  },
  {
    match: new RegExp(
      String.raw`image (\S+) is not here and could not be pulled|[Nn]o such image:? ?([^\s"',]*)|manifest ` +
        String.raw`(?:for \S+ )?(?:not found|unknown)|pull access denied for ([^\s,]+)`,
    ),
    problem: ([, absent, missing, denied], { stack }) => ({
      what: `image ${(absent ?? missing ?? denied ?? "").replace(/[.:]+$/, "") || "named above"} can't be obtained`,
      remedy:
        stack === "local"
          ? "./drydock up builds the local stack's images; for one of your own: docker build -t NAME:TAG ."
          : "check its name and digest, and the registry's login: docker pull IMAGE",
    }),
  },
  {
    match: /network (\S+)(?: id \w+)? has active endpoints/,
    problem: ([, network]) => ({
      what: `Docker says that the network ${network} is in use`,
      remedy:
        `who is in it: docker network inspect -f '{{range .Containers}}{{.Name}} {{end}}' ${network}; ` +
        "stop those, then run the command again\n" +
        "if nobody is: Docker's own count is wrong, and is made again when it starts: " +
        "sudo systemctl restart docker (stops every container for a moment)",
    }),
  },
  {
    match: /no space left on device|ENOSPC/,
    problem: () => ({
      what: "the disk is full",
      remedy: "see what Docker uses: docker system df; make room, then run the command again",
    }),
  },
  {
    match: new RegExp(
      String.raw`container (\S+)(?: \(image \S+\))? (?:became unhealthy|is not healthy|keeps restarting|has ` +
        "stopped)|unhealthy|did not become healthy|failed to be in healthy state",
      "i",
    ),
    problem: ([, container], { stack, standing = BEFORE }) => ({
      what: `${container === undefined ? "a container" : `container ${container}`} did not become healthy; ${standing}`,
      remedy:
        `fix what its last lines (above) say, then: ./drydock up${select(stack)}\nhow the stack stands: ` +
        `./drydock status${select(stack)}`,
    }),
  },
  {
    match: /no resource plugin|could not find plugin|failed to load (?:language )?plugin|no language plugin/i,
    problem: () => ({
      what: "a plugin of the engine is missing",
      remedy: 'install it with: eval "$(./drydock env)" && pulumi plugin ls',
    }),
  },
];

/** What a failure of Pulumi or Docker means and what to do about it, or undefined where nobody has met it yet. */
export function translate(output: string, situation: Situation): Problem | undefined {
  for (const { match, problem } of TRANSLATIONS) {
    const found = match.exec(output);
    if (found !== null) return problem(found, situation);
  }
  return undefined;
}

/** What a failed run of Pulumi becomes: the translation where there is one, else that it failed. */
export function pulumiFailure(command: string, output: string, situation: Situation): CliError {
  return new CliError(
    translate(output, situation) ?? {
      what:
        `pulumi ${command} failed on stack ${situation.stack} (what it said is above)` +
        `${situation.standing === undefined ? "" : `; ${situation.standing}`}`,
      remedy:
        `more detail: eval "$(./drydock env)" && pulumi ${command} -s ` +
        `${situation.stack} --debug --logtostderr -v=5`,
    },
  );
}
