import { containerOf, type Container, isContainerType } from "./container.ts";
import { scriptsOf, withoutComments } from "./files.ts";
import { COMMANDS, CONTAINERS, type Resource } from "./resources.ts";
import { at, entries, isUnknown, items, text, type Item, type Items } from "./values.ts";
import type { Settings } from "../settings.ts";

/** Types of resources that run commands. */
export const RUNNERS: readonly string[] = [...COMMANDS, ...CONTAINERS];

type When = "create" | "update" | "delete";

/**
 * What a command resource runs, by when it runs, or what a container runs. The scripts that it names are read, too: those of this machine
 * for a local command, uploaded ones for a container.
 */
export function commandTexts(resource: Resource, settings: Settings, when: readonly When[] = ["create", "update", "delete"]): Items<string> {
  if (isContainerType(resource.type)) return containerTexts(containerOf(resource, settings));
  const dir = text(at(resource.props, "dir"));
  const known: Item<string>[] = [];
  const unknown: string[] = [];
  for (const path of when) {
    const value = text(at(resource.props, path));
    if (isUnknown(value)) unknown.push(path);
    else if (value !== undefined) {
      const scripts = resource.type === "command:local:Command" ? scriptsOf(value, typeof dir === "string" ? dir : undefined) : "";
      known.push({ path, value: `${withoutComments(value)}\n${scripts}`.trim() });
    }
  }
  return { known, unknown };
}

/** One text for entry point and command together, and one for the health check: the words of one process belong together. */
function containerTexts(container: Container): Items<string> {
  const { commandLine, healthTests, uploads } = container;
  const known: Item<string>[] = [];
  for (const { known: words } of [commandLine, healthTests]) {
    const [first] = words;
    if (first === undefined) continue;
    const scripts = uploads.known.filter(({ value: { file } }) => typeof file === "string" && words.some(({ value }) => value === file)).map(({ value: { content } }) => content);
    const contents = scripts.filter((content) => typeof content === "string").map(withoutComments);
    known.push({ path: first.path.replace(/\[\d+\]$/, ""), value: [words.map(({ value }) => withoutComments(value)).join(" "), ...contents].join("\n") });
  }
  return { known, unknown: [...commandLine.unknown, ...healthTests.unknown] };
}

/** The simple commands of a shell line: what stands between `;`, `|`, `&` and line ends. */
export function simpleCommands(line: string): readonly string[] {
  return line.split(/[;|&\n]+/);
}

/** What follows a program in a simple command, from its first mention on. */
export function after(command: string, program: RegExp): string | undefined {
  const match = program.exec(command);
  return match === null ? undefined : command.slice(match.index + match[0].length);
}

/** Whether the text calls `php artisan NAME`; `name` is the source of a regular expression. */
export function callsArtisan(command: string, name: string): boolean {
  return new RegExp(`\\bartisan\\b["']?,?\\s+(?:-\\S+\\s+)*["']?(?:${name})(?![\\w:-])`).test(command);
}

/** The migration proper, not `migrate:status` and its like, nor a dry run. */
export function migrates(command: string): boolean {
  return callsArtisan(command, "migrate") && !/--pretend\b/.test(command);
}

const REFERENCE = /^(?!\d+\.\d+\.\d+\.\d+:)[a-z0-9][a-z0-9._/-]*(?::\d+\/[a-z0-9._/-]+)?(?::\w[\w.-]{0,127}|@sha256:[a-f0-9]{64})+$/;

/** Whether a word can be an image's reference with a tag or digest, or an image's id. */
export function isImageReference(word: string): boolean {
  return REFERENCE.test(word) || /^sha256:[a-f0-9]{64}$/.test(word);
}

/** Values of a command's variables. */
export function variables(resource: Resource): Items<string> {
  const { known, unknown } = entries(at(resource.props, "environment"), "environment");
  const values = known.map(({ path, value: [, value] }) => ({ path, value: text(value) }));
  return { known: values.filter((one): one is Item<string> => typeof one.value === "string"), unknown: [...unknown, ...values.filter(({ value }) => isUnknown(value)).map(({ path }) => path)] };
}

/** Values of a command's triggers; what is unknown changes with the resource it comes from. */
export function triggers(resource: Resource): Items<string> {
  return items(at(resource.props, "triggers"), "triggers", (entry) => text(entry) ?? JSON.stringify(entry) ?? "");
}
