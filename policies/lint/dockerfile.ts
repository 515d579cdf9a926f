import { readFileSync } from "node:fs";
import { DockerfileParser, type Instruction } from "dockerfile-ast";
import { ValidationCode, validate } from "dockerfile-utils";
import { type Check, checks, type Dockerfile } from "./checks.ts";

export interface LintFinding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Name of the check, `syntax`, or the id of another linter's rule. */
  readonly check: string;
  readonly message: string;
  /** Set where the file, or the list of exceptions, says why it is right all the same. */
  readonly reason?: string;
}

/** Written reasons by file, relative to the project, then by check. */
export type Exceptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

// `# lint-allow user: nothing runs from this image`
const ALLOW = /^\s*#\s*lint-allow\s+([\w-]+):\s*(\S.{9,})$/gm;

/** Lints the text of a Dockerfile. @param path relative to the project, also to find what lies beside it */
export function lintDockerfile(path: string, content: string, exceptions: Exceptions = {}): LintFinding[] {
  const allowed = new Map([
    ...Object.entries(exceptions[path] ?? {}),
    ...[...content.matchAll(ALLOW)].map(([, name = "", reason = ""]) => [name, reason.trim()] as const),
  ]);
  const reasoned = (finding: Omit<LintFinding, "reason">): LintFinding => {
    const reason = allowed.get(finding.check);
    return reason === undefined ? finding : { ...finding, reason };
  };
  const syntax = validate(content)
    .filter(({ code }) => !HARMLESS.includes(code as ValidationCode))
    .map(({ range, message }) =>
      reasoned({ file: path, line: range.start.line + 1, check: "syntax", message: String(message) }),
    );
  const file = parse(path, content);
  const own = checks.flatMap((check) => runCheck(check, file).map(reasoned));
  return [...syntax, ...own].sort((a, b) => a.line - b.line);
}

export function lintFile(path: string, root: string, exceptions: Exceptions = {}): LintFinding[] {
  return lintDockerfile(path, readFileSync(`${root}/${path}`, "utf8"), exceptions);
}

// A base that only the build names (ARG without a default) is meant so.
const HARMLESS: readonly ValidationCode[] = [ValidationCode.BASE_NAME_EMPTY];

function parse(path: string, content: string): Dockerfile {
  const instructions = DockerfileParser.parse(content).getInstructions();
  const start = instructions.findLastIndex((instruction) => instruction.getKeyword() === "FROM");
  return { path, instructions, last: start < 0 ? [] : instructions.slice(start) };
}

function runCheck(check: Check, file: Dockerfile): LintFinding[] {
  const found: LintFinding[] = [];
  check.run(file, (what: string, at?: Instruction) => {
    found.push({
      file: file.path,
      line: (at?.getRange().start.line ?? 0) + 1,
      check: check.name,
      message: `${what}\n  why: ${check.why}\n  remedy: ${check.remedy}`,
    });
  });
  return found;
}
