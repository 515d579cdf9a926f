import type { Settings } from "../settings.ts";
import { type Container, containerOf, isContainerType } from "./container.ts";
import { scriptsOf, withoutComments } from "./files.ts";
import { COMMANDS, CONTAINERS, type Resource } from "./resources.ts";
import { entries, type Item, type Items, isUnknown, items, propertyAt, text } from "./values.ts";

/** Types of resources that run commands. */
export const RUNNERS: readonly string[] = [...COMMANDS, ...CONTAINERS];

export type When = "create" | "update" | "delete";

/**
 * What a command resource runs, by when it runs, or what a container runs. The scripts that it names are read, too:
 * those of this machine for a local command, uploaded ones for a container. So are what a bare shell gets on standard
 * input, what an interpreter is called with, and variables that stand where a command does.
 */
export function commandTexts(
  resource: Resource,
  settings: Settings,
  when: readonly When[] = ["create", "update", "delete"],
): Items<string> {
  if (isContainerType(resource.type)) return containerTexts(containerOf(resource, settings));
  const dir = text(propertyAt(resource.props, "dir"));
  const [stdin, interpreter] = [
    text(propertyAt(resource.props, "stdin")),
    items(propertyAt(resource.props, "interpreter"), "interpreter", text),
  ];
  const environment = new Map(
    variables(resource).known.map(({ path, value }) => [path.replace(/^environment\./, ""), value]),
  );
  const known: Item<string>[] = [];
  const unknown: string[] = [...interpreter.unknown];
  for (const path of when) {
    const value = text(propertyAt(resource.props, path));
    if (isUnknown(value)) unknown.push(path);
    else if (value !== undefined) {
      const read = BARE_SHELL.test(value.trim()) ? stdin : undefined;
      if (isUnknown(read)) unknown.push("stdin");
      const own = [interpreter.known.map((word) => word.value).join(" "), value, typeof read === "string" ? read : ""]
        .filter((part) => part !== "")
        .join("\n");
      const scripts =
        resource.type === "command:local:Command" ? scriptsOf(own, typeof dir === "string" ? dir : undefined) : "";
      const all = `${withoutComments(own)}\n${scripts}`.trim();
      const meant = expanded(all, environment);
      known.push({ path, value: meant === all ? all : `${all}\n${meant}` });
    }
  }
  return { known, unknown };
}

/** A shell, or what stands for one elsewhere, that reads what it does from standard input. */
const BARE_SHELL = new RegExp(
  String.raw`(?:^|[\s;&|/])(?:(?:ba|da|z|k)?sh|python3?|perl|ruby|php|node)(?:\s+-[a-z]*s?[a-z]*|\s+-)*$|` +
    String.raw`(?:^|[\s;&|])ssh(?:\s+-\S+)*\s+[^\s;&|-]\S*$`,
);
const LONGEST = 64 * 1024;

/**
 * The same text with what a shell makes of it: pairs of quotes inside words, and variables whose value can be seen
 * here.
 */
function expanded(line: string, environment: ReadonlyMap<string, string>): string {
  if (line.length > LONGEST) return line;
  const values = new Map<string, string>();
  for (const [, name = "", value = ""] of line.matchAll(
    /(?:^|[\s;&|(])([A-Za-z_]\w*)=(["']?[\w:./ -]*["']?)(?=[\s;&|)]|$)/g,
  ))
    values.set(name, value.replace(/^["']|["']$/g, ""));
  return (
    line
      .replace(/(?<=[^\s=])(?:""|'')(?=[^\s"'])|(?<=\w)\\(?=\w)/g, "")
      // Anywhere for the shell's own variables; the command's only where they are what is run: their values may be
      // data.
      .replace(/\$\{?([A-Za-z_]\w*)\}?/g, (whole, name: string) => values.get(name) ?? whole)
      .replace(
        /(^|[;&|\n(]\s*|\s(?:eval|-c)\s+)(["']?)\$\{?([A-Za-z_]\w*)\}?\2/g,
        (whole, before: string, _, name: string) =>
          environment.has(name) ? `${before}${environment.get(name)!}` : whole,
      )
  );
}

/**
 * One text for entry point and command together, and one for the health check: the words of one process belong
 * together.
 */
function containerTexts(container: Container): Items<string> {
  const { commandLine, healthTests, uploads } = container;
  const known: Item<string>[] = [];
  for (const { known: words } of [commandLine, healthTests]) {
    const [first] = words;
    if (first === undefined) continue;
    const scripts = uploads.known
      .filter(({ value: { file } }) => typeof file === "string" && words.some(({ value }) => value === file))
      .map(({ value: { content } }) => content);
    const contents = scripts.filter((content) => typeof content === "string").map(withoutComments);
    known.push({
      path: first.path.replace(/\[\d+\]$/, ""),
      value: [words.map(({ value }) => withoutComments(value)).join(" "), ...contents].join("\n"),
    });
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

const REFERENCE =
  /^(?!\d+\.\d+\.\d+\.\d+:)[a-z0-9][a-z0-9._/-]*(?::\d+\/[a-z0-9._/-]+)?(?::\w[\w.-]{0,127}|@sha256:[a-f0-9]{64})+$/;

/** Whether a word can be an image's reference with a tag or digest, or an image's id. */
export function isImageReference(word: string): boolean {
  return REFERENCE.test(word) || /^sha256:[a-f0-9]{64}$/.test(word);
}

/** Values of a command's variables. */
export function variables(resource: Resource): Items<string> {
  const { known, unknown } = entries(propertyAt(resource.props, "environment"), "environment");
  const values = known.map(({ path, value: [, value] }) => ({ path, value: text(value) }));
  return {
    known: values.filter((one): one is Item<string> => typeof one.value === "string"),
    unknown: [...unknown, ...values.filter(({ value }) => isUnknown(value)).map(({ path }) => path)],
  };
}

/** Values of a command's triggers; what is unknown changes with the resource it comes from. */
export function triggers(resource: Resource): Items<string> {
  return items(
    propertyAt(resource.props, "triggers"),
    "triggers",
    (entry) => text(entry) ?? JSON.stringify(entry) ?? "",
  );
}
