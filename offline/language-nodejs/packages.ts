import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly pulumi?: {
    readonly resource?: boolean;
    readonly name?: string;
    readonly version?: string;
    readonly server?: string;
  };
}

export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly server: string;
}

/** The plugins that the packages in `node_modules` say they need, there and in each folder above. */
export function installedPlugins(directory: string): Plugin[] {
  const found = new Map<string, Plugin>();
  for (let folder = directory; ; folder = dirname(folder)) {
    for (const { name, version, pulumi } of manifests(join(folder, "node_modules"))) {
      if (!pulumi?.resource || !name) continue;
      const plugin = pulumi.name ?? name.replace(/^@pulumi\//, "").replace(/^@/, "");
      const number = (pulumi.version ?? version ?? "").replace(/^v/, "");
      found.set(
        `${plugin}@${number}`,
        found.get(`${plugin}@${number}`) ?? { name: plugin, version: `v${number}`, server: pulumi.server ?? "" },
      );
    }
    if (dirname(folder) === folder) return [...found.values()];
  }
}

/** The program's direct dependencies, in the versions installed. */
export function dependencies(directory: string): { name: string; version: string }[] {
  const own = manifest(directory);
  return Object.keys({ ...own?.dependencies, ...own?.devDependencies })
    .map((name) => ({ name, version: manifest(join(directory, "node_modules", name))?.version ?? "" }))
    .filter(({ version }) => version !== "");
}

/** Splits a command line as a shell does: blanks separate, quotes and backslashes keep together. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [, double, single, escaped, plain, blank] of line.matchAll(
    /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)|([^\s"'\\]+)|(\s+)/g,
  )) {
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + (double?.replace(/\\(["\\$`])/g, "$1") ?? single ?? escaped ?? plain ?? "");
    }
  }
  return word === undefined ? words : [...words, word];
}

function* manifests(modules: string): Generator<Manifest> {
  for (const name of entries(modules)) {
    const folders = name.startsWith("@") ? entries(join(modules, name)).map((inner) => join(name, inner)) : [name];
    for (const folder of folders) {
      const found = manifest(join(modules, folder));
      if (found) yield found;
    }
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function manifest(directory: string): Manifest | undefined {
  try {
    const text = readFileSync(join(directory, "package.json"), "utf8");
    return JSON.parse(text) as Manifest;
  } catch {
    return undefined; // not a package
  }
}
