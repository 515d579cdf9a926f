import { existsSync } from "node:fs";
import { join } from "node:path";
import { pulumiFailure } from "../errors.ts";
import { LOCAL, type Paths } from "../project.ts";
import type { Session } from "../session.ts";
import { stackExists } from "../stack.ts";
import { imageTags, type ImageReferences } from "./images.ts";
import { ensureLocalFile } from "./local.ts";

/** Creates and selects the stack where it isn't there yet, and makes the local stack's file complete. */
export async function ensureStack(session: Session, log: (line: string) => void, images: ImageReferences = imageTags()): Promise<void> {
  const { pulumi, stack, env, paths } = session;
  // A state elsewhere has to be asked; this clone's own shows whether the stack is there.
  if (!env.PULUMI_BACKEND_URL?.startsWith("file://") || !stackExists(stack, env)) {
    const { code, stdout, stderr } = await pulumi.capture(["stack", "select", "--create", stack]);
    if (code !== 0) {
      process.stderr.write(stderr);
      throw pulumiFailure("stack select", stderr, { stack, passphrase: paths.passphrase });
    }
    if (/Created stack/.test(stdout)) log(`stack ${stack} created`);
  }
  if (stack === LOCAL) await ensureLocalFile(session, images, log);
}

/** The rules, and the stack's own settings of them; none in a clone that has removed them. */
export function policyArguments({ root }: Paths, stack: string): readonly string[] {
  if (!existsSync(join(root, "policies", "PulumiPolicy.yaml"))) return [];
  const config = join("policies", "config", `${stack}.json`);
  return ["--policy-pack", "policies", ...(existsSync(join(root, config)) ? ["--policy-pack-config", config] : [])];
}
