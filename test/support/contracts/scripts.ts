import { readFileSync } from "node:fs";

/** A script without its comments, the functions that it reads, and the scripts that it runs with its own variables. */
export function textsOf(path: string): readonly string[] {
  const text = readFileSync(path, "utf8").replaceAll(/^\s*#.*$/gm, "");
  const others = [...text.matchAll(/(?:^|\s)(?:\.|sh|node --import tsx) (commands\/[\w/-]+\.(?:sh|ts))/gm)];
  return [text, ...others.flatMap(([, other]) => textsOf(other!))];
}

/** Variables that texts read from outside: in a shell, of those outside single quotes. */
export function readBy(texts: readonly string[]): ReadonlySet<string> {
  const bare = texts.map((text) => text.replaceAll(/'[^']*'/g, "''")).join("\n");
  const set = new Set([...bare.matchAll(/(?:^|[\s;({&|`])([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name!));
  const used = [...bare.matchAll(/\$\{?([A-Z][A-Z0-9_]+)/g)].map(([, name]) => name!);
  return new Set(used.filter((name) => !set.has(name)));
}
