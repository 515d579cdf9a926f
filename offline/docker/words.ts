/** Lines of a container's log that an error shows. */
export const TAIL = 15;

/** A frame of a stack trace, and what PHP and Laravel's log write around them. */
const FRAME = /^\s*(#\d+ |\[(previous )?(exception|stacktrace)\]|Stack trace:|"?\}\s*$|thrown in )/i;
const ERROR = new RegExp(
  String.raw`\b(ERROR|CRITICAL|ALERT|EMERGENCY|FATAL|Fatal error|Parse error|Uncaught|panic|exec(ve)?:? ` +
    String.raw`.*(denied|not permitted|not found)|Exception)\b`,
);

/**
 * What a log says last, without stack traces, which hide why; the first error of it comes before that where it is
 * further up.
 */
export function lastWords(log: string): string {
  const lines = log
    .trimEnd()
    .split("\n")
    .filter((line) => line.trim() !== "" && !FRAME.test(line));
  const last = lines.slice(-TAIL);
  const first = lines.find((line) => ERROR.test(line));
  return (first === undefined || last.includes(first) ? last : [first, "…", ...last.slice(2 - TAIL)]).join("\n");
}
