import { FOUND, type Found } from "../../contracts/monitoring.ts";
import type { Docker } from "./docker.ts";
import type { Outputs } from "./stack.ts";

/** Beside the one that is read, and then in its place. */
const WRITE = `umask 022; mkdir -p ${FOUND.folder} && cd ${FOUND.folder} && cat > "$1.new" && mv "$1.new" "$1.json"`;
/** In ms: nobody waits for it longer. */
const PATIENCE = 5_000;

/**
 * Tells what measures the stack how much a look has found, of each kind. Nothing fails for it, and a stack that is not
 * measured is told nothing.
 */
export async function tellFound(
  { outputs, docker }: { readonly outputs: Pick<Outputs, "services">; readonly docker: Docker },
  by: keyof typeof FOUND.kinds,
  kinds: readonly string[],
): Promise<void> {
  const collector = outputs.services.find(({ role }) => role === "collector")?.container;
  if (collector === undefined) return;
  const findings: Record<string, number> = {};
  for (const kind of kinds) findings[kind] = (findings[kind] ?? 0) + 1;
  const told: Found = { at: Math.floor(Date.now() / 1000), findings };
  const args = ["exec", "--interactive", collector, "/bin/sh", "-c", WRITE, "found", by];
  await docker.run(args, { input: JSON.stringify(told), timeout: PATIENCE }).catch(() => undefined);
}
