import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { after, commandTexts, RUNNERS, simpleCommands, variables } from "../helpers/commands.ts";
import { located, programFolders } from "../helpers/files.ts";
import { clean } from "../helpers/mounts.ts";
import { isProduction } from "../helpers/own.ts";
import { COMMANDS, type Resource } from "../helpers/resources.ts";
import { isUnknown, items, propertyAt, text } from "../helpers/values.ts";
import { resourceRule } from "../rule.ts";
import type { Settings } from "../settings.ts";
import { isSystem } from "./paths.ts";
import { noSetting, onCommands } from "./shared.ts";

/** The value of an option, in both of its forms. */
const option = (names: string, value: string) => new RegExp(`\\s--?(?:${names})(?:=|\\s+)["']?(${value})`, "g");

/** Flags of `docker run` that give a container what no resource could have, and what to call them. */
const FLAGS: readonly (readonly [flag: RegExp, name: string])[] = [
  [/\s--privileged(?!=false)/g, "--privileged"],
  [
    option("pid|ipc|uts|userns|cgroupns|network|net", "host\\b|container:"),
    "a namespace of the host or of another container",
  ],
  [option("device|gpus|device-cgroup-rule", "\\S"), "a device"],
  [
    option(
      "security-opt",
      "(?:seccomp|apparmor|systempaths)[=:]unconfined|label[=:]disable|no-new-privileges[=:]false",
    ),
    "a security profile that is switched off",
  ],
  [option("volumes-from|cgroup-parent|group-add", "\\S"), "what belongs to another container or to the host"],
  [/volume-opt=["']?(?:o=r?bind|device=\/)/g, "a folder of the host as a volume"],
];
const CAPABILITY = option("cap-add", "[\\w-]+");
const VOLUME = option("v|volume", "[^:\\s\"']+");
const BIND = /\s--mount(?:=|\s+)\S*type=bind\S*/g;
const BIND_SOURCE = /(?:^|[,\s=])(?:source|src)=["']?([^,\s"']+)/;

export const dockerRunFlags = resourceRule({
  name: "docker-run-flags",
  family: "safety",
  level: "mandatory",
  source: ["D5.5", "D5.6", "D5.31"],
  summary: "A container that a command starts has no more rights than one that a resource describes.",
  why: "docker run --privileged -v /:/host is root of the host, and no rule for containers ever sees it",
  remedy: "make it a docker.Container, or leave the flag out",
  setting: noSetting.commands,
  bad: 'create: "docker run --rm --privileged -v /:/host tool"',
  good: 'create: "docker run --rm --cap-drop ALL -v data:/data tool"',
  production: "No folder of the host is mounted at all.",
  types: RUNNERS,
  params: z.strictObject({
    capabilities: z
      .array(z.string())
      .default(["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID"]),
  }),
  check(resource, report, { params, settings }) {
    const texts = commandTexts(resource, settings);
    for (const { value, path } of texts.known) {
      for (const command of simpleCommands(value)) {
        const rest = after(command, /\b(?:docker|podman|nerdctl)\b/);
        if (rest === undefined) continue;
        const found = new Set(FLAGS.flatMap(([flag, name]) => (rest.search(flag) >= 0 ? [name] : [])));
        for (const [, name = ""] of rest.matchAll(CAPABILITY))
          if (!params.capabilities.includes(name.toUpperCase().replace(/^CAP_/, "")))
            found.add("a capability that is not allowed");
        for (const name of found) report.violation(path, `the command starts a container with ${name}`);
        const binds = [...rest.matchAll(BIND)].map(([words]) => BIND_SOURCE.exec(words)?.[1] ?? "");
        const sources = [...binds, ...[...rest.matchAll(VOLUME)].map(([, source = ""]) => source)].filter((source) =>
          /^[/.~]|^\$(\(|\{?PWD)/.test(source),
        );
        for (const source of new Set(sources)) {
          if (isSystem(clean(source))) report.violation(path, "the command mounts a system folder of the host");
          else report.inProduction(path, "the command mounts a folder of the host");
        }
      }
      if (/(?:^|[\s;&|(])(?:sudo\s+)?nsenter\s/.test(value))
        report.violation(path, "the command enters another namespace");
    }
    for (const path of texts.unknown) report.undecided(path);
  },
});

const SHELL = "(?:sudo\\s+)?(?:/(?:usr/)?bin/)?(?:(?:ba|da|z|k)?sh|python3?|perl|ruby|php|node)\\b";
const PIPED: readonly RegExp[] = [
  new RegExp(
    `\\b(?:curl|wget|base64|openssl|xxd|gunzip|zcat|printf|echo)\\b[^;\\n]{0,2000}?\\|\\s*${SHELL}(?!\\s+\\S*\\.)`,
  ),
  new RegExp(`${SHELL}\\s+(?:-c\\s+)?["']?(?:\\$\\(|<\\(|\`)\\s*(?:curl|wget|base64)\\b`),
  /\beval\s+["']?(?:\$\(|`)/,
];

export const noPipedShell = resourceRule({
  name: "no-piped-shell",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "No command runs what it downloads or decodes.",
  why: "nobody has read it, and tomorrow it is something else",
  remedy: "put the script into the repository, or verify its checksum before it runs",
  setting: noSetting.commands,
  bad: 'create: "curl -fsSL https://example.com/install | sh"',
  good: 'create: "sh commands/install.sh"',
  types: RUNNERS,
  params: z.strictObject({}),
  check: onCommands((line, path, report) => {
    if (PIPED.some((pattern) => pattern.test(line)))
      report.violation(path, "the command runs what it downloads or decodes");
  }),
});

/** Variables that change what a shell does before it reads its script. */
const SHELL_VARIABLES =
  /^(PATH|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|IFS|PS4|LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|BASH_FUNC_.*)$/;

export const knownCommands = resourceRule({
  name: "known-commands",
  family: "safety",
  level: "mandatory",
  source: ["incidents, forty-eight hours"],
  summary: "No command changes what its own shell does: PATH, BASH_ENV, LD_PRELOAD.",
  why: "what a shell is told can be written in a hundred ways, so no list of what is forbidden is ever complete",
  remedy: "put it into a script of commands/ (sh commands/NAME.sh), or list its text or its hash in the rule's allowed",
  setting: noSetting.commands,
  bad: 'create: "docker rm -f $(docker ps -aq)"',
  good: 'create: "sh commands/switch.sh"',
  production: "Only listed commands run: a script of the repository by its path, or a text by its hash.",
  types: COMMANDS,
  params: z.strictObject({
    /**
     * Commands as they are written; `*` stands for letters, digits, `_` and `-`; `sha256:…` for the text with the
     * scripts that it names.
     */
    allowed: z.array(z.string().min(1)).default(["sh commands/*.sh"]),
    /** Folders, from the program's own, in which they may run: Drydock's package has its scripts with it. */
    folders: z.array(z.string().min(1)).default([".", "node_modules/@drydock/laravel"]),
  }),
  check(resource, report, { params, settings }) {
    for (const { path } of variables(resource).known)
      if (SHELL_VARIABLES.test(path.replace(/^environment\./, "")))
        report.violation(path, "changes what the command's shell does");
    const interpreter = items(propertyAt(resource.props, "interpreter"), "interpreter", text);
    for (const path of interpreter.unknown) report.mustKnow(path);
    // Anywhere else there is no list to be on.
    if (!isProduction(resource, settings)) return;
    const own = interpreter.known.map(({ value }) => value).join(" ");
    const hash = hashOf(resource, settings);
    const dir = text(propertyAt(resource.props, "dir"));
    const { scripts = "." } = settings.facts ?? {};
    for (const path of ["create", "update", "delete"] as const) {
      const value = text(propertyAt(resource.props, path));
      if (isUnknown(value)) report.mustKnow(path);
      if (value === undefined || isUnknown(value) || params.allowed.includes(`sha256:${hash}`)) continue;
      const local =
        resource.type === "command:local:Command" &&
        ["", "/bin/sh -c", "sh -c"].includes(own) &&
        !isUnknown(dir) &&
        [...params.folders, scripts].includes(dir || ".");
      const listed =
        local && params.allowed.some((entry) => matches(entry, value.trim()) && exists(value.trim(), dir || "."));
      if (!local || !listed) report.violation(path, `is a command that is not listed; its hash is sha256:${hash}`);
    }
  },
});

/** SHA-256 of all that a command resource runs, scripts included: another text has another one. */
function hashOf(resource: Resource, settings: Settings): string {
  return createHash("sha256")
    .update(
      commandTexts(resource, settings)
        .known.map(({ path, value }) => `${path}\0${value}`)
        .join("\0"),
    )
    .digest("hex");
}

function matches(entry: string, command: string): boolean {
  const pattern = entry
    .split("*")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[\\w-]+");
  return new RegExp(`^${pattern}$`).test(command);
}

/** What is named by its path must be here, for the other rules to have read it. */
function exists(command: string, dir: string): boolean {
  const script = /(?:^|\s)([\w./-]+\.\w+)$/.exec(command)?.[1];
  return script === undefined || located(join(dir, script), programFolders()) !== undefined;
}
