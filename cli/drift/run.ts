import { Exit } from "../shared/errors.ts";
import { tellFound } from "../shared/found.ts";
import { openSession } from "../shared/session.ts";
import { painter } from "../shared/ui.ts";
import { gather } from "./gather.ts";

/** Prints what was changed by hand, with what puts it right, and answers whether something was. */
export async function drift(options: { readonly stack?: string; readonly json?: true }): Promise<number> {
  const session = await openSession({ stack: options.stack });
  const { stack } = session;
  const { findings, target } = await gather(session);
  const told = tellFound(
    target,
    "drift",
    findings.map(({ kind }) => kind),
  );
  if (options.json)
    process.stdout.write(`${JSON.stringify({ stack, drift: findings.length > 0, findings }, null, 2)}\n`);
  else if (findings.length === 0) process.stdout.write(`Stack ${stack} is as its last deployment left it.\n`);
  else {
    const paint = painter(process.stdout);
    const lines = findings.flatMap(({ kind, name, what, remedy }) => [
      `${paint("yellow", kind.padEnd(7))}  ${name}: ${what}`,
      ...remedy.split("\n").map((line, index) => `         ${index === 0 ? "remedy:" : "       "} ${line}`),
    ]);
    process.stdout.write(`${lines.join("\n")}\n`);
  }
  await told;
  return findings.length > 0 ? Exit.drift : Exit.ok;
}
