import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import type { Call, Resource } from "../plugin/resource.ts";
import type { Schema } from "../plugin/schema.ts";
import { any, bool, inPlace, list, map, str, withDefault } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";

/** Lines of output that an error shows. */
const TAIL = 40;
/** How long a cancelled command may take to end, in ms, before it is killed. */
const GRACE = 3_000;

const schema: Schema = {
  create: inPlace(str),
  update: inPlace(str),
  delete: inPlace(str),
  dir: inPlace(str),
  interpreter: inPlace(list(str)),
  environment: inPlace(map(str)),
  stdin: inPlace(str),
  logging: inPlace({ ...str, oneOf: ["stdout", "stderr", "stdoutAndStderr", "none"] }),
  addPreviousOutputInEnv: inPlace(withDefault(bool, true)),
  triggers: list(any),
};

/** command.local.Command: runs a program on create, update and delete. Only `triggers` replace it. */
export const command: Resource = {
  schema,
  computed: ["stdout", "stderr"],
  derived: ["stdout", "stderr"],
  async create(inputs, call) {
    const id = `${call.name}${randomBytes(4).toString("hex")}`;
    return { id, outputs: { ...inputs, ...(await run(inputs.create, inputs, {}, call)) } };
  },
  async update(_id, state, inputs, call) {
    const before = { stdout: state.stdout ?? "", stderr: state.stderr ?? "" };
    const after = await run(inputs.update ?? inputs.create, inputs, before, call);
    return { ...inputs, ...after };
  },
  async delete(_id, state, call) {
    await run(state.delete, state, { stdout: state.stdout ?? "", stderr: state.stderr ?? "" }, call);
  },
};

/** Runs one of the commands; none given is an empty output. `previous` is what the last run printed. */
async function run(text: unknown, inputs: Values, previous: Values, call: Call): Promise<Values> {
  if (typeof text !== "string") return { stdout: "", stderr: "", ...previous };
  const [file, ...args] =
    inputs.interpreter && (inputs.interpreter as string[]).length > 0
      ? (inputs.interpreter as string[])
      : ["/bin/sh", "-c"];
  const fromBefore =
    inputs.addPreviousOutputInEnv === false
      ? {}
      : {
          ...(previous.stdout ? { PULUMI_COMMAND_STDOUT: String(previous.stdout) } : {}),
          ...(previous.stderr ? { PULUMI_COMMAND_STDERR: String(previous.stderr) } : {}),
        };
  call.signal.throwIfAborted();
  const child = spawn(file!, [...args, text], {
    ...(inputs.dir === undefined ? {} : { cwd: String(inputs.dir) }),
    env: { ...process.env, ...(inputs.environment as Record<string, string> | undefined), ...fromBefore },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true, // its own process group, so that all of it can be stopped
  });
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, signal);
    } catch {
      /* it has ended already */
    }
  };
  const stop = (): void => {
    signalGroup("SIGTERM");
    setTimeout(() => signalGroup("SIGKILL"), GRACE).unref();
  };
  call.signal.addEventListener("abort", stop);
  child.stdin.on("error", () => undefined); // a command need not read its input
  child.stdin.end(inputs.stdin === undefined ? "" : String(inputs.stdin));

  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const tail: string[] = [];
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => output[name].push(chunk));
    const logged = inputs.logging === undefined || inputs.logging === "stdoutAndStderr" || inputs.logging === name;
    createInterface({ input: child[name] }).on("line", (line) => {
      tail.push(line);
      if (tail.length > TAIL) tail.shift();
      if (logged) call.log("info", line, { passing: true });
    });
  }
  try {
    const ended = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) =>
        reject(
          new Error(
            error.code === "ENOENT"
              ? `cannot run ${file}: no such program or directory (${String(inputs.dir ?? process.cwd())})`
              : `cannot run ${file}: ${error.message}`,
          ),
        ),
      );
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    if (ended.code !== 0) {
      const how = call.signal.aborted
        ? "cancelled"
        : ended.signal
          ? `ended by ${ended.signal}`
          : `exit status ${ended.code}`;
      throw new Error(`${how}: running ${JSON.stringify(text)}:\n${tail.join("\n")}`);
    }
  } finally {
    call.signal.removeEventListener("abort", stop);
  }
  const textOf = (chunks: Buffer[]): string => Buffer.concat(chunks).toString("utf8").replace(/\n$/, "");
  return { stdout: textOf(output.stdout), stderr: textOf(output.stderr) };
}
