import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Document, isMap, parseDocument } from "yaml";
import { CliError } from "../shared/errors.ts";
import { type Paths, PROJECT } from "../shared/project.ts";
import type { Pulumi } from "../shared/pulumi.ts";

/** One generated value of a stack's file. */
export interface Entry {
  /** As Pulumi writes paths: `drydock:app.replicas`. */
  readonly path: string;
  readonly value: unknown;
  readonly secret: boolean;
}

const keys = (path: string): readonly string[] => {
  const [first = "", ...rest] = path.replace(/^[^:]+:/, "").split(".");
  return ["config", `${PROJECT}:${first}`, ...rest];
};

export function readStackFile(file: string): Document {
  if (!existsSync(file)) return new Document({});
  const document = parseDocument(readFileSync(file, "utf8"));
  if (document.errors.length > 0) {
    throw new CliError({
      what: `${file} is not valid YAML: ${document.errors[0]?.message.split("\n")[0] ?? ""}`,
      remedy: `fix it, or, where it was generated, begin anew: rm ${file}`,
    });
  }
  return document.contents === null ? new Document({}) : document;
}

/** All paths below `drydock:` that have a value, the inner ones included: `drydock:app`, `drydock:app.build`, … */
export function presentPaths(document: Document): readonly string[] {
  const walk = (node: unknown, path: string): readonly string[] => [
    path,
    ...(isMap(node) ? node.items.flatMap(({ key, value }) => walk(value, `${path}.${String(key)}`)) : []),
  ];
  const config = document.get("config");
  if (!isMap(config)) return [];
  return config.items
    .filter(({ key }) => String(key).startsWith(`${PROJECT}:`))
    .flatMap(({ key, value }) => walk(value, String(key)));
}

/**
 * Which of the generated values a file needs: all that are missing before the first deployment, when it has none of the
 * secrets yet; later only what can't be left out, images and secrets. What the user set himself stays.
 */
export function missing(document: Document, entries: readonly Entry[]): readonly Entry[] {
  const fresh = !entries.some(({ path, secret }) => secret && document.hasIn(keys(path)));
  return entries.filter(
    ({ path, secret }) => !document.hasIn(keys(path)) && (fresh || secret || path.endsWith(".image")),
  );
}

/** Images built here whose tag is another one now; one of the user's own is left as it is. */
export function outdatedImages(document: Document, entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(({ path, value }) => {
    const present = document.getIn(keys(path));
    return (
      typeof value === "string" &&
      typeof present === "string" &&
      isOurs(value) &&
      isOurs(present) &&
      nameOf(value) === nameOf(present) &&
      present !== value
    );
  });
}

const isOurs = (image: string): boolean => image.startsWith(`${PROJECT}/`);
const nameOf = (image: string): string => image.replace(/:[^:/]*$/, "");

function setPlain(document: Document, entries: readonly Entry[]): void {
  for (const { path, value } of entries) document.setIn(keys(path), document.createNode(value));
}

/**
 * Puts values into a stack's file, in one rename: an interrupted run leaves the old file. The plain ones are written
 * here; the secrets are encrypted by Pulumi, which gets each one on stdin, in a draft of the file.
 */
export async function writeEntries(
  pulumi: Pulumi,
  paths: Paths,
  stack: string,
  document: Document,
  entries: readonly Entry[],
): Promise<void> {
  if (entries.length === 0) return;
  const draft = `${paths.folder}/Pulumi.${stack}.${process.pid}.yaml`;
  setPlain(
    document,
    entries.filter(({ secret }) => !secret),
  );
  try {
    writeFileSync(draft, document.toString({ lineWidth: 0 }), { mode: 0o644 });
    for (const { path, value } of entries.filter(({ secret }) => secret)) {
      const { code, stderr } = await pulumi.capture(
        ["config", "set", "--stack", stack, "--config-file", draft, "--secret", "--path", path],
        String(value),
      );
      if (code !== 0)
        throw new CliError({ what: `${path} could not be stored in ${paths.stackFile(stack)}: ${stderr.trim()}` });
    }
    renameSync(draft, paths.stackFile(stack));
  } finally {
    rmSync(draft, { force: true });
  }
}
