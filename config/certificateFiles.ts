import { readFileSync } from "node:fs";
import { at } from "../lib/paths.ts";
import { joinPath, type Problem } from "./problems.ts";
import { readRaw } from "./raw.ts";

/** Settings whose certificates are all texts, whether they were written out or named by their files' paths. */
export interface WithFiles {
  readonly values: Readonly<Record<string, unknown>>;
  /** The settings that were paths: nothing secret stands in the stack's file there. */
  readonly read: readonly (readonly (string | number)[])[];
  readonly problems: readonly Problem[];
}

/** The configuration without certificates, for who has no use for them: their files may be on one machine alone. */
export function withoutCertificates(
  raw: Readonly<Record<string, unknown>>,
  stack: string,
): Readonly<Record<string, unknown>> {
  const { domains } = readRaw(raw, stack).values;
  if (!Array.isArray(domains)) return raw;
  const without = (domain: unknown): unknown => {
    if (typeof domain !== "object" || domain === null) return domain;
    return Object.fromEntries(Object.entries(domain).filter(([key]) => key !== "certificate"));
  };
  return { ...raw, domains: domains.map(without) };
}

/**
 * Puts the files' content in the place of paths in `domains[].certificate`. A path is absolute, or begins with `./` or
 * `../`, from the folder where the program runs.
 */
export function withCertificateFiles(values: Readonly<Record<string, unknown>>): WithFiles {
  const domains = values["domains"];
  if (!Array.isArray(domains)) return { values, read: [], problems: [] };
  const read: (string | number)[][] = [];
  const problems: Problem[] = [];
  const content = (path: (string | number)[]): unknown => {
    const value = at(values, path);
    if (typeof value !== "string" || !/^\.{0,2}\//.test(value)) return value;
    read.push(path);
    try {
      return readFileSync(value, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      problems.push({
        path: joinPath(path),
        message: `names the file ${value}, which can't be read here (${code}): expected a file, PEM, or its text`,
      });
      return value;
    }
  };
  const all = domains.map((domain: unknown, index) => {
    const certificate = at(domain, ["certificate"]);
    if (typeof certificate !== "object" || certificate === null) return domain;
    const parts = (["chain", "key"] as const)
      .filter((part) => part in certificate)
      .map((part) => [part, content(["domains", index, "certificate", part])] as const);
    return { ...(domain as object), certificate: { ...certificate, ...Object.fromEntries(parts) } };
  });
  return { values: { ...values, domains: all }, read, problems };
}
