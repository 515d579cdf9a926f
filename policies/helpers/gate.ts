import { GATE_SOCKET, gateCommand } from "../../lib/socketGate.ts";
import type { Container } from "./container.ts";
import type { Mount } from "./mounts.ts";
import { isUnknown } from "./values.ts";

/** The port that Drydock's own gate listens on. */
const PORT = 2375;

/**
 * Whether a container is the gate before Docker's socket: by all that it runs, to the letter, with a root that nobody
 * can write to. What calls itself so and runs anything else is none.
 */
export function isGate(container: Container): boolean {
  const own = gateCommand(PORT);
  const same = ({ known, unknown }: Container["command"], words: readonly string[]) =>
    unknown.length === 0 && known.length === words.length && known.every(({ value }, index) => value === words[index]);
  return (
    container.role === "gate" &&
    same(container.entrypoint, own.entrypoint) &&
    same(container.command, own.command) &&
    container.readOnly.value === true &&
    container.ports.known.length + container.ports.unknown.length === 0
  );
}

/** The gate's mount of the socket: it is the one file of the host's that it has, and read-only. */
export function isGateSocket(container: Container, { type, source, target, readOnly }: Mount): boolean {
  return (
    isGate(container) &&
    type === "bind" &&
    typeof source === "string" &&
    !isUnknown(source) &&
    /\/[\w.-]+\.sock$/.test(source) &&
    target === GATE_SOCKET &&
    readOnly === true
  );
}
